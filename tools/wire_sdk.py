"""Reads the installed SDK's sources: its operations, the typed dicts of their parameters, and the classes of its resources, as schemas.

Nothing of it is imported or run. Types say less than a schema: no lengths, no formats but decimals, and of a field of an answer only that
it may be missing or null, not which.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
ANY = "?"  # what an expandable field stands for where the SDK has no class of its own for it
EMPTY: Schema = {"type": "string", "enum": [""]}
SCALARS = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "bool": {"type": "boolean"},
    "float": {"type": "number"},
    "Decimal": {"type": "string", "format": "decimal"},
    "Any": {},
    "object": {},
}


@dataclass(frozen=True)
class SdkOperation:
    """One operation of the SDK's services: the schema of its parameters, and of its answer what it names."""

    method: str
    path: str
    params: Schema
    answer: Schema


class Sdk:
    """The SDK's sources below a folder."""

    def __init__(self, folder: Path | None = None) -> None:
        spec = find_spec("stripe")
        assert spec is not None and spec.origin is not None
        self.folder = folder or Path(spec.origin).parent
        self._modules: dict[str, Module] = {}

    @property
    def version(self) -> str:
        return self._constant("_version.py", "VERSION")

    @property
    def api_version(self) -> str:
        return self._constant("_api_version.py", "CURRENT")

    def _constant(self, file: str, name: str) -> str:
        for node in ast.walk(ast.parse((self.folder / file).read_text("utf-8"))):
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            if isinstance(target, ast.Name) and target.id == name:
                return str(ast.literal_eval(node.value))  # type: ignore[attr-defined]  # an Assign, as its target says
        raise KeyError(name)

    def module(self, name: str) -> Module:
        """A module by its dotted name below `stripe`."""
        if name not in self._modules:
            self._modules[name] = Module(self, self.folder.joinpath(*name.split(".")[1:]).with_suffix(".py"))
        return self._modules[name]

    @cached_property
    def resources(self) -> dict[str, tuple[Module, ast.ClassDef]]:
        """The classes of resources by the `object` of their documents."""
        found: dict[str, tuple[Module, ast.ClassDef]] = {}
        for path in sorted(self.folder.rglob("_*.py")):
            if "params" in path.parts or "OBJECT_NAME" not in path.read_text("utf-8"):
                continue
            module = self.module(".".join(("stripe", *path.relative_to(self.folder).with_suffix("").parts)))
            for node in module.tree.body:
                if isinstance(node, ast.ClassDef) and (name := object_name(node)) is not None:
                    found[name] = module, node
        return found

    def resource(self, name: str) -> Schema:
        """The schema of a resource by its `object`."""
        module, node = self.resources[name]
        return module.object(node, ())

    def operations(self) -> list[SdkOperation]:
        """Every operation of the services."""
        return self._operations

    @cached_property
    def _operations(self) -> list[SdkOperation]:
        return list(self._read_operations())

    def _read_operations(self) -> Iterator[SdkOperation]:
        for path in sorted(self.folder.rglob("_*_service.py")):
            module = self.module(".".join(("stripe", *path.relative_to(self.folder).with_suffix("").parts)))
            for service in module.tree.body:
                if isinstance(service, ast.ClassDef):
                    for method in service.body:
                        if isinstance(method, ast.FunctionDef) and (found := _operation(module, method)) is not None:
                            yield found


def _operation(module: Module, method: ast.FunctionDef) -> SdkOperation | None:
    for node in ast.walk(method):
        match node:
            case ast.Call(func=ast.Attribute(attr="_request"), args=[ast.Constant(value=str(verb)), where, *_]):
                path = where.func.value if isinstance(where, ast.Call) and isinstance(where.func, ast.Attribute) else where
                assert isinstance(path, ast.Constant)
                types = [argument.annotation for argument in method.args.args if argument.arg == "params"]
                params = module.schema(types[0]) if types and types[0] is not None else {"type": "object", "properties": {}}
                params.pop("nullable", None)
                answer = module.schema(method.returns) if method.returns is not None else {}
                return SdkOperation(verb.upper(), str(path.value), params, answer)
    return None


def object_name(node: ast.ClassDef) -> str | None:
    """The `object` of a resource class, None for any other class."""
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id="OBJECT_NAME"), value=ast.Constant(value=str(name))):
                return name
    return None


class Module:
    """One source file, with what its names mean."""

    def __init__(self, sdk: Sdk, path: Path) -> None:
        self.sdk = sdk
        self.tree = ast.parse(path.read_text("utf-8"))
        self.classes = {node.name: node for node in self.tree.body if isinstance(node, ast.ClassDef)}
        self.imports: dict[str, tuple[str, str]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                self.imports |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}

    def schema(self, node: ast.expr, scopes: tuple[ast.ClassDef, ...] = ()) -> Schema:
        """The schema of an annotation; `scopes` are the classes around it, innermost last."""
        match node:
            case ast.Constant(value=None):
                return {}
            case ast.Constant(value=str(text)):
                return self.schema(ast.parse(text, mode="eval").body)  # quoted names are those of the module
            case ast.Name(id=name):
                return self._named(name, scopes)
            case ast.Attribute(attr=name):
                return self._named(name, scopes)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return union([*_flat(left), *_flat(right)], self, scopes)
            case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner):
                return self._generic(name, inner, scopes)
        raise TypeError(ast.dump(node))

    def _generic(self, name: str, inner: ast.expr, scopes: tuple[ast.ClassDef, ...]) -> Schema:
        match name:
            case "NotRequired":
                return self.schema(inner, scopes) | {"optional": True}
            case "Optional":
                return self.schema(inner, scopes) | {"nullable": True}
            case "Union":
                return union(list(inner.elts) if isinstance(inner, ast.Tuple) else [inner], self, scopes)
            case "List":
                return {"type": "array", "items": self.schema(inner, scopes)}
            case "Dict":
                assert isinstance(inner, ast.Tuple)
                return {"type": "object", "additionalProperties": self.schema(inner.elts[1], scopes)}
            case "UntypedStripeObject":
                return {"type": "object", "additionalProperties": self.schema(inner, scopes)}
            case "ListObject" | "SearchResultObject":
                return {"listed": self.schema(inner, scopes)}
            case "ExpandableField":
                return {"expands": sorted({one.get("resource", ANY) for one in options(self.schema(inner, scopes))})}
            case "Literal":
                return _literal(list(inner.elts) if isinstance(inner, ast.Tuple) else [inner])
        raise TypeError(name)

    def _named(self, name: str, scopes: tuple[ast.ClassDef, ...]) -> Schema:
        for scope in reversed(scopes):
            for inner in scope.body:
                if isinstance(inner, ast.ClassDef) and inner.name == name:
                    return self.object(inner, scopes)
        if name in self.classes:
            return self._class(self.classes[name])
        if name in SCALARS:
            return dict(SCALARS[name])
        module, original = self.imports[name]
        found = self.sdk.module(module)
        return found._class(found.classes[original])

    def _class(self, node: ast.ClassDef) -> Schema:
        name = object_name(node)
        return {"resource": name} if name is not None else self.object(node, ())

    def object(self, node: ast.ClassDef, scopes: tuple[ast.ClassDef, ...]) -> Schema:
        """The schema of a class: its annotated fields."""
        properties: dict[str, Schema] = {}
        required: list[str] = []
        for statement in node.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation) if name != "OBJECT_NAME" and not name.startswith("_"):
                    schema = self.schema(annotation, (*scopes, node))
                    field = name.rstrip("_")
                    if not (schema.pop("optional", False) or schema.get("nullable")):
                        required.append(field)
                    properties[field] = schema
        made: Schema = {"type": "object", "properties": properties}
        return made | ({"required": sorted(required)} if required else {})


def _flat(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return [*_flat(left), *_flat(right)]
    return [node]


def _literal(values: list[ast.expr]) -> Schema:
    texts = [value.value for value in values if isinstance(value, ast.Constant)]
    if texts == [True]:
        return {"type": "boolean", "enum": [True]}
    if texts == [""]:
        return dict(EMPTY)
    named = {"type": "string", "enum": sorted(text for text in texts if isinstance(text, str) and text)}
    return {"anyOf": [named, dict(EMPTY)]} if "" in texts else named


def options(schema: Schema) -> list[Schema]:
    """What a schema leaves the choice between: itself, where it leaves none."""
    found: list[Schema] = schema.get("anyOf", [schema])
    return found


def union(nodes: list[ast.expr], module: Module, scopes: tuple[ast.ClassDef, ...]) -> Schema:
    """Any of several types. An open enum (a text beside it) is an enum; a map is written in two ways."""
    found: list[Schema] = []
    for node in nodes:
        for option in options(module.schema(node, scopes)):
            if option not in found:
                found.append(option)
    chosen = [option for option in found if option.get("enum") and option["enum"] != [""]]
    if chosen:
        found = [option for option in found if option != {"type": "string"}]
    return found[0] if len(found) == 1 else {"anyOf": found}
