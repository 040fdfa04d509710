"""The operations of the wire contract, with the shapes of their parameters. The data is read on first use."""

from __future__ import annotations

import json
import lzma
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Literal

from farthing.edges.http.wire import extensions

ShapeKind = Literal[
    "text", "choice", "currency", "integer", "timestamp", "instant", "decimal", "boolean", "list", "object", "map", "union", "document", "empty"
]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a parameter may be.

    `text` has a `longest` in characters, or None; `choice` its `choices`; `timestamp` is whole seconds, `instant` an RFC 3339 text;
    `decimal` is kept exact; `list` and `map` say what their entries are in `inner`; `object` has `fields`, of which `required` must be
    sent; `union` is any of its `options`; `document` an object of any fields, also as one JSON text; `empty` is the empty text, which unsets."""

    kind: ShapeKind
    longest: int | None = None
    choices: tuple[str, ...] = ()
    inner: Shape | None = None
    fields: Mapping[str, Shape] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    options: tuple[Shape, ...] = ()


@dataclass(frozen=True)
class Operation:
    """One operation. `result` is the schema of its answer (the one that is not deleted, where there are two), None where it is written
    inline; `listed` the schema of the items where the answer is a list or a search result; `deleted` whether the answer may be that
    something is deleted; `json` whether its body is JSON (v2) and no form."""

    method: str
    path: str
    result: str | None
    listed: str | None
    deleted: bool
    json: bool
    schema: Mapping[str, Any] = field(repr=False, compare=False)

    @cached_property
    def params(self) -> Shape:
        """The shape of the parameters: an object, our extensions among them. Names in the path are not."""
        contracted = shape_of(self.schema)
        added = {name: Shape("document") for name in extensions.PARAMETERS.get((self.method, self.path), ())}
        return replace(contracted, fields={**contracted.fields, **added}) if added else contracted

    @property
    def ids(self) -> tuple[str, ...]:
        """The names in the path, in order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


def operation(method: str, path: str) -> Operation | None:
    """The operation of a method and a path as the contract writes it (`/v1/coupons/{coupon}`); None if there is none."""
    return _operations().get((method.upper(), path)) or _OWN.get((method.upper(), path))


def add_own(added: Operation) -> None:
    """Add an operation that the published contract does not have, below /ext. Once: ValueError."""
    if not added.path.startswith("/ext/") or (added.method, added.path) in _OWN:
        raise ValueError(f"{added.method} {added.path} cannot be added")
    _OWN[added.method, added.path] = added
    _tree.cache_clear()


def own_operations() -> Sequence[Operation]:
    """The operations below /ext, which are ours, by path and method."""
    return tuple(_OWN[key] for key in sorted(_OWN, key=lambda key: (key[1], key[0])))


def operations() -> Sequence[Operation]:
    """All operations of the published contract, by path and method."""
    return tuple(_operations().values())


def match(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation that a concrete path asks for, with the names in the path and what stands there. A literal segment is preferred to a
    name. Segments are compared as they come; None if there is no such path, or not for this method."""
    found = _walk(_tree(), path.split("/"), 0, method.upper(), ())
    if found is None:
        return None
    return found[0], dict(zip(found[0].ids, found[1], strict=True))


def _walk(node: Mapping[str, Any], parts: Sequence[str], at: int, method: str, taken: tuple[str, ...]) -> tuple[Operation, tuple[str, ...]] | None:
    if at == len(parts):
        found = node.get(f"={method}")
        return None if found is None else (found, taken)
    part = parts[at]
    if (inner := node.get("/" + part)) is not None and (found := _walk(inner, parts, at + 1, method, taken)) is not None:
        return found
    if part and (inner := node.get("{}")) is not None:
        return _walk(inner, parts, at + 1, method, (*taken, part))
    return None


@cache
def _tree() -> dict[str, Any]:
    """Operations by segment: "/name" for a literal one, "{}" for any, "=METHOD" at the end."""
    tree: dict[str, Any] = {}
    for (method, path), found in (*_operations().items(), *_OWN.items()):
        node = tree
        for part in path.split("/"):
            node = node.setdefault("{}" if part.startswith("{") else "/" + part, {})
        node[f"={method}"] = found
    return tree


_OWN: dict[tuple[str, str], Operation] = {}


@cache
def _operations() -> dict[tuple[str, str], Operation]:
    return {
        (raw["method"], raw["path"]): Operation(raw["method"], raw["path"], raw["result"], raw["listed"], raw["deleted"], raw["json"], raw["params"])
        for raw in packaged("operations")
    }


def packaged(name: str) -> Any:
    """The content of one of the packaged files, `operations` or `schemas`."""
    data = files(__package__).joinpath(f"{name}.json.xz").read_bytes()
    return json.loads(lzma.decompress(data))


def shape_of(schema: Mapping[str, Any]) -> Shape:
    """The shape that a parameter's schema describes."""
    if "anyOf" in schema:
        return Shape("union", options=tuple(shape_of(option) for option in schema["anyOf"]))
    if "enum" in schema:
        choice = Shape("choice", choices=tuple(value for value in schema["enum"] if value))
        if "" not in schema["enum"]:
            return choice
        return Shape("union", options=(choice, Shape("empty"))) if choice.choices else Shape("empty")
    match schema["type"]:
        case "array":
            return Shape("list", inner=shape_of(schema["items"]))
        case "object":
            return _object(schema)
        case kind:
            return Shape(_SCALARS[kind, schema.get("format")], longest=schema.get("maxLength"))


def _object(schema: Mapping[str, Any]) -> Shape:
    values = schema.get("additionalProperties")
    if isinstance(values, Mapping):
        return Shape("map", inner=shape_of(values))
    if values is True:  # only operations of our own have such
        return Shape("document")
    fields = {name: shape_of(inner) for name, inner in schema.get("properties", {}).items()}
    return Shape("object", fields=fields, required=tuple(schema.get("required", ())))


_SCALARS: dict[tuple[str, str | None], ShapeKind] = {
    ("string", None): "text",
    ("string", "currency"): "currency",
    ("string", "decimal"): "decimal",
    ("string", "date-time"): "instant",
    ("number", None): "decimal",
    ("integer", None): "integer",
    ("integer", "unix-time"): "timestamp",
    ("boolean", None): "boolean",
}
