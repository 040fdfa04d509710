"""Shapes of answers: empty documents to begin from, the fields that expand, and a check of documents for tests."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from farthing.edges.http.wire.contract import Operation, packaged
from farthing.edges.http.wire.extensions import FIELDS

Schema = Mapping[str, Any]
REF = "#/components/schemas/"
NULLABLE_ON_DEMAND = ("confirmation_secret",)
PATTERNS = {"decimal": r"^-?[0-9]+(\.[0-9]+)?$", "currency": r"^[a-z]{3}$"}


@cache
def schemas() -> Mapping[str, Schema]:
    """All schemas of answers by name, as the contract has them (OpenAPI 3.0), with our own fields. Not to be changed."""
    found: dict[str, Schema] = packaged("schemas")
    for name, fields in FIELDS.items():
        found[name] = {**found[name], "properties": {**found[name]["properties"], **fields}}
    return found


def blank(schema_name: str) -> dict[str, Any]:
    """A new document with what a schema leaves no choice about: None in every field that may be null; of those that are required, [] for
    a list, the only value of an enum, an empty list object (without its url), and objects inside made likewise. All else is left out: what
    is required is found missing by a check, and what is shown only on demand stays away. KeyError: no such schema."""
    made: dict[str, Any] = copy.deepcopy(_blank(schema_name))
    return made


@cache
def _blank(schema_name: str) -> dict[str, Any]:
    return _filled(schemas()[schema_name], (schema_name,))


def _filled(schema: Schema, within: tuple[str, ...]) -> dict[str, Any]:
    required = schema.get("required", ())
    found: dict[str, Any] = {}
    for name, field in schema.get("properties", {}).items():
        if field.get("nullable"):
            found[name] = None
        elif name in required and (value := _only(field, within)) is not None:
            found[name] = value
    if found.get("object") == "list":
        found["has_more"] = False
    return found


def _only(schema: Schema, within: tuple[str, ...]) -> Any:
    """The value that a required field has before anything is known; None where there is a choice, or a resource stands there."""
    if len(schema.get("enum", ())) == 1:
        return schema["enum"][0]
    inner, name = resolved(schema)
    if inner is None or name in within or "x-resourceId" in inner:
        return None
    match inner.get("type"):
        case "array":
            return []
        case "object" if isinstance(inner.get("additionalProperties"), Mapping):
            return {}
        case "object":
            return _filled(inner, (*within, name) if name else within)
    return None


def resolved(schema: Schema) -> tuple[Schema | None, str | None]:
    """The schema that a field refers to, with its name: itself if it is written inline, None where there are several."""
    options = schema.get("anyOf")
    if options is not None:
        return resolved(options[0]) if len(options) == 1 else (None, None)
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REF)
        return schemas()[name], name
    return schema, None


@cache
def expandable(schema_name: str) -> Mapping[str, tuple[str, ...]]:
    """The fields of a resource that can be asked for with `expand`, by dotted path (`default_price`, `lines.data.discounts`), and the
    schemas of what an id there stands for: an empty tuple where the field is no id but is left out unless it is asked for. Paths lead
    through objects inside (also whole resources, as the price of an item) and through lists, not through what is itself expanded.
    KeyError: no such schema."""
    return MappingProxyType(dict(_expandable(schemas()[schema_name], "", (schema_name,))))


def _expandable(schema: Schema, prefix: str, within: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in schema.get("x-expandableFields", ()):
        field = schema.get("properties", {}).get(name)
        if field is None:
            continue
        entry, path = _entry(field), prefix + name
        if "x-expansionResources" in entry:
            yield path, tuple(option["$ref"].removeprefix(REF) for option in entry["x-expansionResources"]["oneOf"])
            continue
        if name not in schema.get("required", ()) and _on_demand(field, path):
            yield path, ()
        for option in entry.get("anyOf", [entry]):
            inner, named = resolved(option)
            if inner is not None and named not in within:
                yield from _expandable(inner, path + ".", (*within, named) if named else within)


def _entry(field: Schema) -> Schema:
    """What a field holds: for an array what its entries are."""
    entry: Schema = field["items"] if field.get("type") == "array" else field
    return entry


def _on_demand(field: Schema, path: str) -> bool:
    """Whether a field that is not required is left out unless it is asked for: it can't be null, or is a list of its own."""
    inner, _ = resolved(field)
    listed = inner is not None and inner.get("properties", {}).get("object", {}).get("enum") == ["list"]
    return not field.get("nullable") or listed or path in NULLABLE_ON_DEMAND


def check(document: Any, schema_name: str) -> list[str]:
    """What is wrong with a document of a schema, each as "place: why"; [] if nothing. Fields that the schema does not know are wrong too.
    For tests: it needs the package `jsonschema`, which Farthing does not bring along."""
    return sorted(problem for wrong in _validator(schema_name).iter_errors(document) for problem in _problems(wrong))


def check_answer(operation: Operation, document: Any) -> list[str]:
    """What is wrong with the answer of an operation, as in `check`: a resource, a deleted one, or a page of a list or search."""
    if operation.listed is None:
        if operation.result is None:
            return []
        gone = f"deleted_{operation.result}"
        return check(document, gone if document.get("deleted") is True and gone in schemas() else operation.result)
    envelope = {"object": "search_result" if operation.path.endswith("/search") else "list", "has_more": bool, "url": str, "data": list}
    problems = [
        f"{name}: {document.get(name)!r} is wrong"
        for name, wanted in envelope.items()
        if not (isinstance(document.get(name), wanted) if isinstance(wanted, type) else document.get(name) == wanted)
    ]
    return problems or [f"data[{at}].{problem}" for at, one in enumerate(document["data"]) for problem in check(one, operation.listed)]


def _problems(wrong: Any) -> Iterator[str]:
    """A problem as text; of alternatives, the problems of the only one that is of the right type."""
    branches: dict[int, list[Any]] = {}
    for inner in wrong.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    fitting = [found for found in branches.values() if not any(_elsewhere(one) for one in found)]
    if len(fitting) == 1:
        for inner in fitting[0]:
            yield from _problems(inner)
    else:
        yield f"{wrong.json_path.removeprefix('$').removeprefix('.') or '(all)'}: {wrong.message[:300]}"


def _elsewhere(wrong: Any) -> bool:
    """Whether a problem says that another alternative is meant: the type is another one, or it is not deleted."""
    return not wrong.path and (wrong.validator == "type" or (wrong.validator == "required" and wrong.message.startswith("'deleted'")))


@cache
def _validator(schema_name: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator({**json_schema(schemas()[schema_name]), "$defs": _definitions()})


@cache
def _definitions() -> dict[str, Any]:
    return {name: json_schema(schema) for name, schema in schemas().items()}


def json_schema(schema: Schema) -> dict[str, Any]:
    """A schema of OpenAPI 3.0 as JSON Schema has it; objects with named fields take no others."""
    made: dict[str, Any] = {name: schema[name] for name in ("type", "enum", "maxLength", "required", "pattern") if name in schema}
    if "$ref" in schema:
        made["$ref"] = f"#/$defs/{schema['$ref'].removeprefix(REF)}"
    if "anyOf" in schema:
        made["anyOf"] = [json_schema(option) for option in schema["anyOf"]]
    if "items" in schema:
        made["items"] = json_schema(schema["items"])
    if "properties" in schema:
        made["properties"] = {name: json_schema(field) for name, field in schema["properties"].items()}
        made["additionalProperties"] = False
    if isinstance(schema.get("additionalProperties"), Mapping):
        made["additionalProperties"] = json_schema(schema["additionalProperties"])
    if schema.get("format") in PATTERNS:
        made["pattern"] = PATTERNS[schema["format"]]
    if not schema.get("nullable"):
        return made
    if "type" not in made:
        return {"anyOf": [made, {"type": "null"}]}
    return made | {"type": [made["type"], "null"]} | ({"enum": [*made["enum"], None]} if "enum" in made else {})
