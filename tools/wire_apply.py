"""Applies differences to the contract's document, and turns the SDK's schemas into schemas as the document writes them."""

from __future__ import annotations

from collections.abc import Mapping

from tools.wire_difference import REF, Difference, Schema, kind_of
from tools.wire_sdk import ANY

ENVELOPE = ("data", "has_more", "object", "url")


class Writer:
    """Writes the SDK's schemas as the document does; `components` are the names of its components by the `object` of a resource.

    Types of the SDK don't tell a time from another integer: `*_at` and `timestamp` are times (`texts`: in RFC 3339), `currency` is one."""

    def __init__(self, schemas: Mapping[str, Schema], texts: bool = False) -> None:
        self.schemas = schemas
        self.texts = texts
        self.components = {
            schema["properties"]["object"]["enum"][0]: name
            for name, schema in schemas.items()
            if "x-resourceId" in schema and "enum" in schema.get("properties", {}).get("object", {})
        }

    def schema(self, sdk: Schema, name: str = "") -> Schema:
        """The schema of a field of that name."""
        made = self._bare(sdk, name)
        return made | {"nullable": True} if sdk.get("nullable") else made

    def _bare(self, sdk: Schema, name: str) -> Schema:
        if "resource" in sdk:
            return self.reference(sdk["resource"])
        if "expands" in sdk:
            alive = [self.reference(one) for one in sdk["expands"] if one != ANY]
            gone = [{"$ref": f"{REF}deleted_{one}"} for one in sdk["expands"] if f"deleted_{one}" in self.schemas]
            return {"anyOf": [{"type": "string"}, *alive, *gone], "x-expansionResources": {"oneOf": [*alive, *gone]}}
        if "listed" in sdk:
            return self._listed(sdk["listed"])
        if "anyOf" in sdk:
            return {"anyOf": [self.schema(option, name) for option in sdk["anyOf"]]}
        match sdk.get("type"):
            case "array":
                return {"type": "array", "items": self.schema(sdk["items"], name)}
            case "object":
                return self._object(sdk)
            case "integer" if name.endswith("_at") or name == "timestamp":
                return {"type": "integer", "format": "unix-time"}
            case "string" if "enum" not in sdk and name == "currency":
                return {"type": "string", "format": "currency"}
            case "string" if self.texts and (name.endswith("_at") or name in ("timestamp", "created")):
                return {"type": "string", "format": "date-time"}
        return {key: value for key, value in sdk.items() if key != "nullable"}

    def _object(self, sdk: Schema) -> Schema:
        if "additionalProperties" in sdk:
            return {"type": "object", "additionalProperties": self.schema(sdk["additionalProperties"])}
        made: Schema = {"type": "object", "properties": {name: self.schema(field, name) for name, field in sdk["properties"].items()}}
        if sdk.get("required"):
            made["required"] = list(sdk["required"])
        if expands := [name for name, field in made["properties"].items() if expanding(field)]:
            made["x-expandableFields"] = expands
        return made

    def _listed(self, entries: Schema) -> Schema:
        properties = {
            "data": {"type": "array", "items": self.schema(entries)},
            "has_more": {"type": "boolean"},
            "object": {"type": "string", "enum": ["list"]},
            "url": {"type": "string"},
        }
        return {"type": "object", "properties": properties, "required": list(ENVELOPE), "x-expandableFields": ["data"]}

    def reference(self, resource: str) -> Schema:
        """A reference to a resource's component, by its `object`."""
        return {"$ref": REF + self.components.get(resource, resource)}

    def resource(self, name: str, sdk: Schema) -> Schema:
        """The component of a resource that the document lacks."""
        properties = {field: schema for field, schema in sdk["properties"].items() if field != "deleted"}
        return self._object(sdk | {"properties": properties}) | {"x-resourceId": name}


def expanding(schema: Schema) -> bool:
    """Whether something in a schema can be expanded."""
    if "x-expansionResources" in schema or schema.get("x-expandableFields") or "$ref" in schema:
        return True
    return any(expanding(inner) for inner in [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())])


def apply(root: Schema, difference: Difference, schemas: Mapping[str, Schema], answers: bool) -> None:
    """Change a schema in place by one difference."""
    node = _at(root, difference["at"])
    if "also" in difference:
        _replace(node, [*_options(node), difference["also"]])
    if "not" in difference:
        _replace(node, [option for option in _options(node) if kind_of(option, schemas) != difference["not"]])
    for option in _options(node):
        if "more" in difference or "fewer" in difference:
            if any(option.get("enum", ())):
                kept = set(option["enum"]) - set(difference.get("fewer", ()))
                option["enum"] = sorted(kept | set(difference.get("more", ())))
        elif "properties" in option:
            _change_object(option, difference, answers)


def _change_object(node: Schema, difference: Difference, answers: bool) -> None:
    fields, required = node["properties"], set(node.get("required", ()))
    added = difference.get("fields", {})
    fields |= added
    for name in difference.get("gone", ()):
        del fields[name]
    for name in difference.get("require", ()) if answers else ():
        fields[name].pop("nullable", None)
    for name in difference.get("free", ()) if answers else ():
        fields[name]["nullable"] = True
    required |= {*difference.get("required", ()), *difference.get("require", ())}
    required -= {*difference.get("gone", ()), *difference.get("free", ())}
    node["required"] = sorted(required)
    if not required:
        del node["required"]
    if answers and (expands := [name for name, field in added.items() if expanding(field)]):
        node["x-expandableFields"] = sorted({*node.get("x-expandableFields", ()), *expands})


def _at(root: Schema, at: list[str]) -> Schema:
    node = root
    for step in at:
        options = _options(node)
        if step == "[]":
            node = next(option for option in options if option.get("type") == "array")["items"]
        elif step == "{}":
            node = next(option for option in options if isinstance(option.get("additionalProperties"), dict))["additionalProperties"]
        elif step.startswith("|"):
            node = [option for option in options if option.get("type") == "object"][int(step[1:]) - 1]
        else:
            node = next(option for option in options if step in option.get("properties", {}))["properties"][step]
    return node


def _options(node: Schema) -> list[Schema]:
    """What a schema leaves the choice between: itself, where it leaves none."""
    found: list[Schema] = node["anyOf"] if "anyOf" in node and "x-expansionResources" not in node else [node]
    return found


def _replace(node: Schema, options: list[Schema]) -> None:
    """Let a schema leave the choice between these."""
    nullable = {"nullable": True} if node.get("nullable") else {}
    kept = [{name: value for name, value in option.items() if name != "nullable"} for option in options]
    node.clear()
    node |= (kept[0] if len(kept) == 1 else {"anyOf": kept}) | nullable
