"""What differs between the contract's document and the SDK's version of it, as data; and how that is applied.

A difference names a place (`at`): properties by name, "[]" for the entries of a list, "{}" for the values of a map, "|2" for the second of
two objects. There are `fields` that are new (of which `required`), fields that are `gone`, fields now to `require` or `free` (in answers:
never null, or perhaps null), choices that are `more` or `fewer`, and another type that is taken `also` or `not` any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = dict[str, Any]
Difference = dict[str, Any]
REF = "#/components/schemas/"


class Comparison:
    """Compares schemas of the document, which refer to each other, with those of the SDK, which don't."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self.schemas = schemas
        self.found: dict[str, list[Difference]] = {}
        self._seen: set[tuple[str, tuple[str, ...]]] = set()
        self._shared: dict[tuple[str, tuple[str, ...]], list[list[Difference]]] = {}

    def compare(self, root: str, old: Schema, new: Schema, at: tuple[str, ...] = (), answers: bool = False) -> None:
        """Note every difference of `new` to `old`, which stands at a place below `root`."""
        before, after = self.kinds(old), sdk_kinds(new)
        if "object|2" in before and "object|2" not in after and "object" in after:
            several = [kind for kind in before if kind.startswith("object")]
            if answers:  # which of the objects the SDK's one class describes cannot be told
                before, after = _without(before, several), _without(after, several)
            else:
                after |= _parted([before[kind][2] for kind in several], after["object"])
        for kind in sorted(after.keys() - before.keys()):
            self._note(root, at, {"also": after[kind]})
        for kind in sorted(before.keys() - after.keys()):
            self._note(root, at, {"not": kind})
        for kind in sorted(before.keys() & after.keys()):
            base, here, was = before[kind]
            self._same_kind(kind, base or root, here if base else (*at, *here), was, after[kind], answers)

    def _same_kind(self, kind: str, root: str, at: tuple[str, ...], old: Schema, new: Schema, answers: bool) -> None:
        if (root, at) in self._seen and kind.startswith(("object", "list")):
            return
        match kind.split("|")[0]:
            case "choice":
                more, fewer = sorted(set(new["enum"]) - set(old["enum"])), sorted(set(old["enum"]) - set(new["enum"]))
                if more or fewer:
                    self._note(root, at, ({"more": more} if more else {}) | ({"fewer": fewer} if fewer else {}))
            case "list":
                self.compare(root, old["items"], new["items"], (*at, "[]"), answers)
            case "listed":
                self.compare(root, old["properties"]["data"]["items"], new["listed"], (*at, "data", "[]"), answers)
            case "map":
                if isinstance(old.get("additionalProperties"), dict) and new["additionalProperties"]:
                    self.compare(root, old["additionalProperties"], new["additionalProperties"], (*at, "{}"), answers)
            case "object":
                self._seen.add((root, at))
                self._objects(root, at, old, new, answers)

    def _objects(self, root: str, at: tuple[str, ...], old: Schema, new: Schema, answers: bool) -> None:
        before, after = old.get("properties", {}), new.get("properties", {})
        must = set(new.get("required", ()))
        fresh = sorted(name for name in after.keys() - before.keys() if not (answers and name == "deleted"))
        if fresh:
            needed = [name for name in fresh if name in must]
            self._note(root, at, {"fields": {name: after[name] for name in fresh}} | ({"required": needed} if needed else {}))
        if gone := sorted(before.keys() - after.keys()):
            self._note(root, at, {"gone": gone})
        had = {name for name in old.get("required", ()) if not (answers and before[name].get("nullable"))}
        shared = before.keys() & after.keys()
        if require := sorted((must - had) & shared):
            self._note(root, at, {"require": require})
        if free := sorted((had - must) & shared):
            self._note(root, at, {"free": free})
        for name in sorted(shared):
            self.compare(root, before[name], after[name], (*at, name), answers)

    def _note(self, root: str, at: tuple[str, ...], difference: Difference) -> None:
        made = {"at": list(at)} | difference
        if made not in self.found.setdefault(root, []):
            self.found[root].append(made)

    def kinds(self, schema: Schema) -> dict[str, tuple[str, tuple[str, ...], Schema]]:
        """The kinds of values that a schema of the document allows: by kind the component it stands in ("" for here), the place in it, and
        the schema itself."""
        found: dict[str, tuple[str, tuple[str, ...], Schema]] = {}
        for root, place, option in self._options(schema, "", ()):
            kind = kind_of(option, self.schemas)
            if kind is None:
                continue
            at = place
            if kind in ("object", "list", "map") and kind in found:
                number = 2 + sum(known.startswith(f"{kind}|") for known in found)
                kind = f"{kind}|{number}"
                at = place if option is self.schemas.get(root) else (*place, f"|{number}")
            found[kind] = root, at, option
        return found

    def _options(self, schema: Schema, root: str, at: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...], Schema]]:
        if "x-expansionResources" in schema:
            yield root, at, schema
        elif "anyOf" in schema:
            for option in schema["anyOf"]:
                yield from self._options(option, root, at)
        elif "" in schema.get("enum", ()) and len(schema["enum"]) > 1:
            yield root, at, schema | {"enum": [value for value in schema["enum"] if value]}
            yield root, at, schema | {"enum": [""]}
        elif "$ref" in schema:
            name = schema["$ref"].removeprefix(REF)
            if _resource(name, self.schemas) is not None:
                yield name, (), schema
            else:
                yield from self._options(self.schemas[name], name, ())
        else:
            yield root, at, schema


def _without(found: Mapping[str, Any], kinds: list[str]) -> dict[str, Any]:
    return {kind: value for kind, value in found.items() if kind not in kinds}


def _parted(old: list[Schema], new: Schema) -> dict[str, Schema]:
    """The SDK has one class for several objects that may stand in one place: its fields, as each of them has them. What is new counts to
    the first; what is required cannot be told."""
    known = {name for schema in old for name in schema.get("properties", {})}
    parts = {}
    for place, schema in enumerate(old):
        own = schema.get("properties", {})
        fields = {name: field for name, field in new["properties"].items() if name in own or (place == 0 and name not in known)}
        lost = {name: field for name, field in own.items() if name not in new["properties"]}
        required = [name for name in schema.get("required", ()) if name not in lost]
        parts["object" if place == 0 else f"object|{place + 1}"] = {"type": "object", "properties": fields, "required": required}
    return parts


def sdk_kinds(schema: Schema) -> dict[str, Schema]:
    """The kinds of values that a schema of the SDK allows."""
    found: dict[str, Schema] = {}
    for option in schema.get("anyOf", [schema]):
        kind = kind_of(option, {})
        if kind is not None:
            found[f"{kind}|2" if kind in found else kind] = {name: value for name, value in option.items() if name != "nullable"}
    return found


def kind_of(schema: Schema, schemas: Mapping[str, Schema]) -> str | None:
    """What a schema without alternatives is; None for a resource that is deleted, and for anything at all."""
    if "x-expansionResources" in schema or "expands" in schema:
        return "expands"
    if "resource" in schema:
        return f"resource {schema['resource']}"
    if "$ref" in schema:
        name = _resource(schema["$ref"].removeprefix(REF), schemas)
        return None if name is None or schema["$ref"].removeprefix(REF).startswith("deleted_") else f"resource {name}"
    if "listed" in schema or schema.get("properties", {}).get("object", {}).get("enum") == ["list"]:
        return "listed"
    if "enum" in schema:
        return "empty" if schema["enum"] == [""] else "choice"
    match schema.get("type"), schema.get("format"):
        case "string", "decimal":
            return "decimal"
        case "string", _:
            return "text"
        case "array", _:
            return "list"
        case "object", _:
            return "map" if "additionalProperties" in schema or "properties" not in schema else "object"
        case str(kind), _:
            return kind
    return None


def _resource(name: str, schemas: Mapping[str, Schema]) -> str | None:
    """The `object` of a component that is a resource."""
    component = schemas[name]
    values = component.get("properties", {}).get("object", {}).get("enum")
    return str(values[0]) if values and ("x-resourceId" in component or name.startswith("deleted_")) else None
