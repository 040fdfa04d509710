"""The operations below /ext as one OpenAPI 3.1 document, and as a page that shows it without any script."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from typing import Any

from farthing.app.resources.changes import API_VERSION
from farthing.edges.http.extension import EXTENSIONS, Schema, anything, record, ref, text
from farthing.edges.http.resources import register
from farthing.edges.http.resources.explanations import SCHEMAS
from farthing.edges.http.wire import contract
from farthing.edges.http.wire.contract import Operation

PATH, PAGE = "/ext/openapi.json", "/docs"
_ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["type", "code", "message"],
            "properties": {"type": text(), "code": text("The refusal's name in docs/refusals.md."), "message": text(), "param": text()},
        }
    },
}
_SIMULATOR = "What the simulated processor waits for is decided, for tests: by the customer, or by the bank."


@cache
def document() -> Mapping[str, Any]:
    """The OpenAPI document. Not to be changed."""
    register()
    paths: dict[str, dict[str, Any]] = {PATH: {"get": _self()}}
    for operation in contract.own_operations():
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Farthing's extensions", "version": API_VERSION, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "security": [{"basic": []}, {"bearer": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {**SCHEMAS, "error": _ERROR},
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}, "bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _self() -> Mapping[str, Any]:
    answer = record(openapi=text(), info=anything(), security={"type": "array"}, paths=anything(), components=anything())
    return {
        "operationId": "get_ext_openapi_json",
        "summary": "This document. It needs no key.",
        "security": [],
        "responses": {"200": _answers("The document.", answer)},
    }


def _operation(operation: Operation) -> Mapping[str, Any]:
    extension = EXTENSIONS.get((operation.method, operation.path))
    answer: Schema = {"type": "object", "required": ["id", "object"]} if extension is None else extension.answer
    parameters = [{"name": name, "in": "path", "required": True, "schema": text()} for name in operation.ids]
    found: dict[str, Any] = {
        "operationId": _named(operation),
        "summary": _SIMULATOR if extension is None else extension.summary,
        "responses": {"200": _answers("Done.", answer), "default": _answers("Refused.", ref("error"))},
    }
    if operation.json:
        key = {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "minLength": 1, "maxLength": 255}}
        parameters.append(key)
        schema = {**operation.schema, "additionalProperties": False}
        found["requestBody"] = {"required": bool(operation.schema["required"]), "content": {"application/json": {"schema": schema}}}
    else:
        required = operation.schema.get("required", ())
        for name, schema in operation.schema["properties"].items():
            parameters.append({"name": name, "in": "query", "required": name in required, "schema": schema})
    return {**found, "parameters": parameters} if parameters else found


def _named(operation: Operation) -> str:
    words = operation.path.replace("{", "").replace("}", "").strip("/").replace("/", "_")
    return f"{operation.method.lower()}_{words}"


def _answers(description: str, schema: Schema) -> Mapping[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


@cache
def document_bytes() -> bytes:
    """The document as it is sent."""
    return json.dumps(document(), ensure_ascii=False, indent=1).encode()


@cache
def page_bytes() -> bytes:
    """The document as a page for people: one self-contained HTML document."""
    shown = document()
    operations = "".join(_section(path, method, operation) for path, methods in shown["paths"].items() for method, operation in methods.items())
    schemas = "".join(f'<h3 id="{escape(name)}">{escape(name)}</h3>{_code(schema)}' for name, schema in shown["components"]["schemas"].items())
    return f"{_HEAD}{operations}<h2>Schemas</h2>{schemas}</body></html>\n".encode()


_HEAD = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Farthing's extensions</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; background: #fff }}
h2 {{ margin-top: 2.5rem }} code, pre {{ font: 13px/1.45 ui-monospace, monospace }} pre {{ background: #f3f4f6; padding: .8rem; overflow: auto }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d8dbe0; vertical-align: top }}
</style></head><body><h1>Farthing's extensions</h1>
<p>Plain JSON resources beside the wire contract. Keys, errors and idempotency are as everywhere: docs/api.md. The same as
<a href="{PATH}">OpenAPI 3.1</a>.</p>"""


def _section(path: str, method: str, operation: Mapping[str, Any]) -> str:
    parts = [f'<h2 id="{escape(operation["operationId"])}"><code>{method.upper()} {escape(path)}</code></h2><p>{escape(operation["summary"])}</p>']
    rows = "".join(_rows(operation))
    if rows:
        parts.append(f"<table><tr><th>parameter</th><th>in</th><th>required</th><th>what it is</th></tr>{rows}</table>")
    parts.append(f"<p>Answer:</p>{_code(operation['responses']['200']['content']['application/json']['schema'])}")
    return "".join(parts)


def _rows(operation: Mapping[str, Any]) -> Iterator[str]:
    for one in operation.get("parameters", ()):
        yield _row(one["name"], one["in"], one["required"], one["schema"])
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        for name, inner in schema["properties"].items():
            yield _row(name, "body", name in schema["required"], inner)


def _row(name: str, where: str, required: bool, schema: Mapping[str, Any]) -> str:
    what = schema.get("description") or schema.get("type", "")
    return f"<tr><td><code>{escape(name)}</code></td><td>{where}</td><td>{'yes' if required else 'no'}</td><td>{escape(str(what))}</td></tr>"


def _code(schema: Mapping[str, Any]) -> str:
    return f"<pre>{escape(json.dumps(schema, ensure_ascii=False, indent=2))}</pre>"
