"""Compacts the wire contract's document, with the differences to the SDK's version applied, into the package's data.

python -m tools.wire_contract --differences   compares the document with the installed SDK and writes differences.json
python -m tools.wire_contract --write         writes the packaged files from the document and differences.json
"""

from __future__ import annotations

import argparse
import copy
import json
import lzma
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.wire_apply import Writer, apply
from tools.wire_difference import Comparison, Difference, Schema
from tools.wire_sdk import Sdk, SdkOperation

ROOT = Path(__file__).parents[1]
WIRE = ROOT / "src/farthing/edges/http/wire"
DIFFERENCES = WIRE / "differences.json"
SOURCE = ROOT.parent / "shared/stripe-api/billing-openapi.json"
REF = "#/components/schemas/"
V2 = "/v2/billing/meter_event"


def made(document: Mapping[str, Any], differences: Mapping[str, Any]) -> dict[str, Any]:
    """The content of the packaged files by name."""
    schemas: dict[str, Schema] = copy.deepcopy(document["components"]["schemas"]) | differences["schemas"]
    known = {f"{one['method']} {one['path']}": one for one in copy.deepcopy(list(operations(document)))}
    for name, found in differences["params"].items():
        for difference in copy.deepcopy(found):
            apply(known[name]["params"], difference, schemas, False)
    for name, found in differences["answers"].items():
        for difference in copy.deepcopy(found):
            apply(schemas[name], difference, schemas, True)
    added = {f"{one['method']} {one['path']}": one for one in differences["operations"]["added"]}
    every = sorted((known | added).values(), key=lambda one: (one["path"], one["method"]))
    return {"operations": every, "schemas": dict(sorted(schemas.items()))}


def differences(document: Mapping[str, Any], sdk: Sdk) -> dict[str, Any]:
    """What differs between the document and the SDK's version, as differences.json has it."""
    schemas = document["components"]["schemas"]
    listed = list(operations(document))
    theirs = {comparable(one.method, one.path): one for one in sdk.operations()}
    fresh = additions(listed, theirs)
    params, answers = compared(listed, schemas, sdk, theirs)
    components = added_components(schemas, sdk, fresh, answers)
    writers = {texts: Writer(schemas | components, texts) for texts in (False, True)}
    return {
        "document": document["info"]["version"],
        "version": sdk.api_version,
        "operations": {
            "added": [written_operation(one, writers[one.path.startswith(V2)]) for one in fresh],
            "not_in_sdk": [f"{one['method']} {one['path']}" for one in listed if comparable(one["method"], one["path"]) not in theirs],
        },
        "params": {name: [written(one, writers[False]) for one in found] for name, found in params.items()},
        "answers": {name: [written(one, writers[False]) for one in found] for name, found in answers.items()},
        "schemas": {name: writers[name.startswith("v2.")].resource(name, component) for name, component in components.items()},
    }


def compared(
    listed: list[dict[str, Any]], schemas: Mapping[str, Schema], sdk: Sdk, theirs: Mapping[tuple[str, str], SdkOperation]
) -> tuple[dict[str, list[Difference]], dict[str, list[Difference]]]:
    """The differences of parameters by operation, and of answers by component, with schemas as the SDK has them."""
    params, answers = Comparison(schemas), Comparison(schemas)
    for one in listed:
        their = theirs.get(comparable(one["method"], one["path"]))
        if their is not None:
            params.compare(f"{one['method']} {one['path']}", one["params"], their.params)
    for name, schema in schemas.items():
        values = schema.get("properties", {}).get("object", {}).get("enum")
        if values and "x-resourceId" in schema and not name.startswith("deleted_") and values[0] in sdk.resources:
            answers.compare(name, schema, sdk.resource(values[0]), (), True)
    return params.found, answers.found


def comparable(method: str, path: str) -> tuple[str, str]:
    """An operation regardless of how names in its path are called."""
    return method, re.sub(r"\{[^}]*\}", "{}", path)


def additions(listed: list[dict[str, Any]], theirs: Mapping[tuple[str, str], SdkOperation]) -> list[SdkOperation]:
    """Operations that the SDK has beside those of the document, below the same collections, and those of meter events by JSON."""
    known = {comparable(one["method"], one["path"]) for one in listed}
    roots = {path for _, path in known if "{}" not in path}
    found = [one for key, one in theirs.items() if key not in known and (one.path.startswith(V2) or key[1].split("/{}")[0] in roots)]
    return sorted(found, key=lambda one: (one.path, one.method))


def added_components(
    schemas: Mapping[str, Schema], sdk: Sdk, fresh: list[SdkOperation], answers: Mapping[str, list[Difference]]
) -> dict[str, Schema]:
    """The resources that the document lacks and the additions name, as the SDK has them."""
    known = {schema["properties"]["object"]["enum"][0] for schema in schemas.values() if "enum" in schema.get("properties", {}).get("object", {})}
    found: dict[str, Schema] = {}
    pending = [named for one in [*(one.answer for one in fresh), answers] for named in resources_named(one)]
    while pending:
        name = pending.pop()
        if name not in known and name not in found and name in sdk.resources:
            found[name] = sdk.resource(name)
            pending += resources_named(found[name])
    return dict(sorted(found.items()))


def resources_named(value: Any) -> Iterator[str]:
    """The resources that schemas of the SDK refer to, anywhere in a value."""
    if isinstance(value, Mapping):
        if isinstance(value.get("resource"), str):
            yield value["resource"]
        if isinstance(value.get("expands"), list):
            yield from value["expands"]
    if isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from resources_named(inner)


def written(difference: Difference, writer: Writer) -> Difference:
    """A difference with its schemas as the document writes them."""
    found = dict(difference)
    if "also" in found:
        found["also"] = writer.schema(found["also"], found["at"][-1] if found["at"] else "")
    if "fields" in found:
        found["fields"] = {name: writer.schema(field, name) for name, field in found["fields"].items()}
    return found


def written_operation(one: SdkOperation, writer: Writer) -> dict[str, Any]:
    """An operation that the document lacks, as the package has it."""
    answer = writer.schema(one.answer)
    entries = answer.get("properties", {}).get("data", {}).get("items", {})
    return {
        "method": one.method,
        "path": one.path,
        "params": writer.schema(one.params),
        "result": answer["$ref"].removeprefix(REF) if "$ref" in answer else None,
        "listed": entries["$ref"].removeprefix(REF) if "$ref" in entries else None,
        "deleted": False,
        "json": one.path.startswith("/v2/"),
    }


def operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every operation, by path and method."""
    for path in sorted(document["paths"]):
        for method in sorted(document["paths"][path]):
            yield operation(method.upper(), path, document["paths"][path][method])


def operation(method: str, path: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """One operation as the package has it: query and body are one object; names in the path are none of it."""
    body = raw["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    query = [parameter for parameter in raw.get("parameters", ()) if parameter["in"] == "query"]
    required = sorted({*body.get("required", ()), *(parameter["name"] for parameter in query if parameter["required"])})
    params: dict[str, Any] = {"type": "object", "properties": {**{one["name"]: one["schema"] for one in query}, **body.get("properties", {})}}
    if required:
        params["required"] = required
    answer = raw["responses"]["200"]["content"]["application/json"]["schema"]
    names = [option["$ref"].removeprefix(REF) for option in answer.get("anyOf", [answer]) if "$ref" in option]
    alive = [name for name in names if not name.startswith("deleted_")]
    entries = answer.get("properties", {}).get("data", {}).get("items", {})
    return {
        "method": method,
        "path": path,
        "params": params,
        "result": (alive or names or [None])[0],
        "listed": entries["$ref"].removeprefix(REF) if "$ref" in entries else None,
        "deleted": any(name.startswith("deleted_") for name in names),
        "json": False,
    }


def packed(content: Any) -> bytes:
    """A packaged file's bytes."""
    return lzma.compress(json.dumps(content, separators=(",", ":")).encode(), preset=9 | lzma.PRESET_EXTREME)


def loaded(source: Path) -> dict[str, Any]:
    """A document of JSON."""
    found: dict[str, Any] = json.loads(source.read_text("utf-8"))
    return found


def shown(content: Any) -> str:
    """The text of differences.json: a line for each difference."""
    if isinstance(content, dict) and "at" not in content:
        inner = ",\n".join(f"{json.dumps(name)}: {shown(value)}" for name, value in content.items())
        return "{\n" + inner + "\n}" if content else "{}"
    if isinstance(content, list) and content and isinstance(content[0], dict):
        return "[\n" + ",\n".join(json.dumps(one) for one in content) + "\n]"
    return json.dumps(content)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--differences", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--source", type=Path, default=SOURCE)
    chosen = parser.parse_args(arguments)
    if not chosen.source.exists():
        print(f"wire_contract: skipped, there is no {chosen.source.name} beside the repository")
        return 0
    document = loaded(chosen.source)
    if chosen.differences:
        DIFFERENCES.write_text(shown(differences(document, Sdk())) + "\n", "utf-8")
    if chosen.write:
        for name, content in made(document, loaded(DIFFERENCES)).items():
            (WIRE / f"{name}.json.xz").write_bytes(packed(content))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
