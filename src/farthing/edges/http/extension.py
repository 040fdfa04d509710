"""The registry of operations below /ext: plain JSON resources beyond the wire contract, each with what it takes and how it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from farthing.edges.http.routes import Handler, route
from farthing.edges.http.wire import contract
from farthing.edges.http.wire.contract import Operation

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Extension:
    """One operation: what it is for, in one sentence, and the JSON Schema of its answer."""

    operation: Operation
    summary: str
    answer: Schema


EXTENSIONS: dict[tuple[str, str], Extension] = {}


def extend(
    method: str,
    path: str,
    handler: Handler,
    summary: str,
    answer: Schema,
    params: Schema | None = None,
    required: Sequence[str] = (),
    writes: bool | None = None,
) -> None:
    """Serve an operation of ours, once. `params` are the JSON Schemas of its parameters: of the query in a GET, of the JSON body in a POST;
    `required` of them must be sent. `writes` says that a POST only computes (False)."""
    schema = {"type": "object", "properties": dict(params or {}), "required": list(required)}
    operation = Operation(method, path, None, None, False, method == "POST", schema)
    contract.add_own(operation)
    route(method, path, handler, tuple(params or ()), writes)
    EXTENSIONS[method, path] = Extension(operation, summary, answer)


def text(description: str = "") -> Schema:
    """A text."""
    return {"type": "string", **_described(description)}


def whole(description: str = "") -> Schema:
    """A whole number."""
    return {"type": "integer", **_described(description)}


def flag(description: str = "") -> Schema:
    """True or false."""
    return {"type": "boolean", **_described(description)}


def choice(*values: str) -> Schema:
    """One of some texts."""
    return {"type": "string", "enum": list(values)}


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def array(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def record(**fields: Schema) -> Schema:
    """An object of exactly these fields."""
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def anything(description: str = "") -> Schema:
    """An object of any fields."""
    return {"type": "object", "additionalProperties": True, **_described(description)}


def ref(name: str) -> Schema:
    """One of the schemas that `openapi.py` names."""
    return {"$ref": f"#/components/schemas/{name}"}


def page_of(items: Schema) -> Schema:
    """A list as the wire has it."""
    return record(object=choice("list"), url=text(), has_more=flag(), data=array(items))


def _described(description: str) -> Schema:
    return {"description": description} if description else {}
