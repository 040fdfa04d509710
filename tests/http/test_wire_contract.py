"""The wire contract's data: it is what the tool makes of the document, and nothing in it differs from the installed SDK's types."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from farthing.edges.http.wire import contract, shapes
from farthing.edges.http.wire.contract import Shape
from tools import wire_contract
from tools.wire_apply import apply
from tools.wire_difference import Comparison
from tools.wire_sdk import Sdk


@pytest.fixture(scope="module")
def sdk() -> Sdk:
    return Sdk()


@pytest.fixture(scope="module")
def listed() -> dict[str, Any]:
    found: dict[str, Any] = wire_contract.loaded(wire_contract.DIFFERENCES)
    return found


def packaged() -> dict[str, Any]:
    return {name: contract.packaged(name) for name in ("operations", "schemas")}


def test_nothing_differs_from_the_installed_sdk(sdk: Sdk, listed: dict[str, Any]) -> None:
    data = packaged()
    theirs = {wire_contract.comparable(one.method, one.path): one for one in sdk.operations()}
    params, answers = wire_contract.compared(data["operations"], data["schemas"], sdk, theirs)
    assert sdk.api_version == listed["version"] == "2026-10-28.endive"
    assert params == {}
    assert answers == {}
    assert wire_contract.additions(data["operations"], theirs) == []
    absent = [f"{one['method']} {one['path']}" for one in data["operations"] if wire_contract.comparable(one["method"], one["path"]) not in theirs]
    assert absent == listed["operations"]["not_in_sdk"]


def test_data_and_differences_are_what_the_tool_makes_of_the_document(sdk: Sdk, listed: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """The document stands beside the repository, not in it; where it is missing the tool says so and the data stays as it is."""
    if not wire_contract.SOURCE.exists():
        assert wire_contract.main(["--write", "--differences"]) == 0
        assert "skipped" in capsys.readouterr().out
        return
    document = wire_contract.loaded(wire_contract.SOURCE)
    assert listed == wire_contract.differences(document, sdk)
    assert packaged() == wire_contract.made(document, listed)
    assert wire_contract.DIFFERENCES.read_text("utf-8") == wire_contract.shown(listed) + "\n"


def test_the_tool_skips_by_name_where_the_document_is_missing(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    before = (wire_contract.WIRE / "operations.json.xz").read_bytes()
    assert wire_contract.main(["--write", "--source", str(tmp_path / "billing-openapi.json")]) == 0
    assert "skipped, there is no billing-openapi.json" in capsys.readouterr().out
    assert (wire_contract.WIRE / "operations.json.xz").read_bytes() == before


OLD = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": ["a", "b"]},
        "when": {"anyOf": [{"type": "string", "enum": ["now"]}, {"type": "integer", "format": "unix-time"}]},
        "rows": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}},
        "gone": {"type": "string"},
        "name": {"type": "string", "maxLength": 10},
    },
    "required": ["kind"],
}
ROW = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
NEW = {
    "kind": {"type": "string", "enum": ["a", "b"]},
    "when": {"anyOf": [{"type": "string", "enum": ["now"]}, {"type": "integer"}]},
    "rows": {"type": "array", "items": ROW},
    "gone": {"type": "string"},
    "name": {"type": "string"},
}


def test_what_is_not_told_by_types_is_kept_from_the_document() -> None:
    applied = json.loads(json.dumps(OLD))
    apply(applied, {"at": ["name"], "also": {"type": "string", "enum": [""]}}, {}, False)
    apply(applied, {"at": ["when"], "not": "choice"}, {}, False)
    assert applied["properties"]["name"] == {"anyOf": [{"type": "string", "maxLength": 10}, {"type": "string", "enum": [""]}]}
    assert applied["properties"]["when"] == {"type": "integer", "format": "unix-time"}
    nullable = {"properties": {"name": {"type": "string", "nullable": True}}}
    apply(nullable, {"at": ["name"], "also": {"type": "integer"}}, {}, True)
    assert nullable == {"properties": {"name": {"anyOf": [{"type": "string"}, {"type": "integer"}], "nullable": True}}}


@pytest.mark.parametrize(
    ("change", "required", "expected"),
    [
        ({}, ["kind"], []),
        ({"kind": {"type": "string", "enum": ["a", "c"]}}, ["kind"], [{"at": ["kind"], "more": ["c"], "fewer": ["b"]}]),
        ({"gone": None}, ["kind"], [{"at": [], "gone": ["gone"]}]),
        ({}, [], [{"at": [], "free": ["kind"]}]),
        ({}, ["kind", "name"], [{"at": [], "require": ["name"]}]),
        ({"new": {"type": "integer"}}, ["kind", "new"], [{"at": [], "fields": {"new": {"type": "integer"}}, "required": ["new"]}]),
        ({"when": {"type": "string", "enum": ["now"]}}, ["kind"], [{"at": ["when"], "not": "integer"}]),
        ({"when": {"type": "integer"}}, ["kind"], [{"at": ["when"], "not": "choice"}]),
        (
            {"name": {"anyOf": [{"type": "string"}, {"type": "string", "enum": [""]}]}},
            ["kind"],
            [{"at": ["name"], "also": {"type": "string", "enum": [""]}}],
        ),
        (
            {"rows": {"type": "array", "items": ROW | {"properties": {"n": {"type": "boolean"}}}}},
            ["kind"],
            [{"at": ["rows", "[]", "n"], "also": {"type": "boolean"}}, {"at": ["rows", "[]", "n"], "not": "integer"}],
        ),
    ],
    ids=["same", "choices", "gone", "free", "require", "fields", "not-a-number", "not-a-choice", "also-empty", "in-a-list"],
)
def test_every_kind_of_difference_is_found_and_applied(change: dict[str, Any], required: list[str], expected: list[dict[str, Any]]) -> None:
    properties = {name: schema for name, schema in (NEW | change).items() if schema is not None}
    new = {"type": "object", "properties": properties, "required": required}
    comparison = Comparison({})
    comparison.compare("it", OLD, new)
    assert comparison.found.get("it", []) == expected
    applied = json.loads(json.dumps(OLD))
    for difference in expected:
        apply(applied, difference, {}, False)
    again = Comparison({})
    again.compare("it", applied, new)
    assert again.found == {}


def test_the_contract_holds_no_sentences() -> None:
    for name, content in {**packaged(), "differences": wire_contract.loaded(wire_contract.DIFFERENCES)}.items():
        found = re.findall(r'"[^"]*[a-z] [a-z][^"]*"', json.dumps(content))
        assert found == [], name
        assert 'description": "' not in json.dumps(content)


def test_operations_are_found_by_template() -> None:
    found = contract.operation("post", "/v1/coupons")
    assert found is not None
    assert (found.method, found.path, found.result, found.listed, found.deleted, found.json) == ("POST", "/v1/coupons", "coupon", None, False, False)
    assert found.params.fields["percent_off"] == Shape("decimal")
    assert found.params.fields["name"] == Shape("text", longest=40)
    assert contract.operation("PATCH", "/v1/coupons") is None
    assert contract.operation("GET", "/v1/nothing") is None


@pytest.mark.parametrize(
    ("method", "path", "result", "listed", "deleted"),
    [
        ("GET", "/v1/coupons", None, "coupon", False),
        ("GET", "/v1/customers/search", None, "customer", False),
        ("GET", "/v1/customers/{customer}", "customer", None, True),
        ("DELETE", "/v1/customers/{customer}", "deleted_customer", None, True),
        ("DELETE", "/v1/subscriptions/{subscription_exposed_id}", "subscription", None, False),
        ("POST", "/v1/subscriptions/{subscription}/pause", "subscription", None, False),
    ],
)
def test_what_an_operation_answers(method: str, path: str, result: str | None, listed: str | None, deleted: bool) -> None:
    found = contract.operation(method, path)
    assert found is not None
    assert (found.result, found.listed, found.deleted) == (result, listed, deleted)


@pytest.mark.parametrize(
    ("method", "path", "template", "ids"),
    [
        ("GET", "/v1/customers/search", "/v1/customers/search", {}),
        ("GET", "/v1/customers/cus_1", "/v1/customers/{customer}", {"customer": "cus_1"}),
        ("POST", "/v1/customers/search", "/v1/customers/{customer}", {"customer": "search"}),
        (
            "GET",
            "/v1/customers/cus_1/tax_ids/txi_1",
            "/v1/customers/{customer}/tax_ids/{id}",
            {"customer": "cus_1", "id": "txi_1"},
        ),
        ("GET", "/v1/credit_notes/preview/lines", "/v1/credit_notes/preview/lines", {}),
        ("GET", "/v1/credit_notes/cn_1/lines", "/v1/credit_notes/{credit_note}/lines", {"credit_note": "cn_1"}),
        ("POST", "/v1/invoices/in_1/lines/il_1", "/v1/invoices/{invoice}/lines/{line_item_id}", {"invoice": "in_1", "line_item_id": "il_1"}),
        ("POST", "/v2/billing/meter_events", "/v2/billing/meter_events", {}),
    ],
)
def test_paths_are_matched_literal_segments_first(method: str, path: str, template: str, ids: dict[str, str]) -> None:
    found = contract.match(method, path)
    assert found is not None
    assert (found[0].path, found[1]) == (template, ids)


@pytest.mark.parametrize(
    "path", ["", "/", "/v1", "/v1/coupons/", "/v1/coupons/a/b", "/v1//coupons", "v1/coupons", "/v1/coupons/{coupon}/x", "/{}/coupons"]
)
def test_other_paths_match_nothing(path: str) -> None:
    assert contract.match("GET", path) is None


def test_every_operation_is_whole() -> None:
    found = contract.operations()
    assert len(found) == 225
    assert len({(one.method, one.path) for one in found}) == len(found)
    for one in found:
        assert one.params.kind == "object"
        assert set(one.params.required) <= set(one.params.fields)
        assert not set(one.ids) & set(one.params.fields), one
        assert contract.match(one.method, re.sub(r"\{[^}]*\}", "x", one.path)) is not None
        for name in (one.result, one.listed):
            assert name is None or name in shapes.schemas()
    assert [one.path for one in found if one.json] == [
        "/v2/billing/meter_event_adjustments",
        "/v2/billing/meter_event_session",
        "/v2/billing/meter_event_stream",
        "/v2/billing/meter_events",
    ]


def test_loading_takes_no_part_of_the_data_and_little_time() -> None:
    """Measured in a process of its own: importing reads nothing, and all operations are there within 100 ms of processor time."""
    program = (
        "import time, lzma\n"
        "from farthing.edges.http.wire import contract, forms, params, shapes\n"
        "assert contract._operations.cache_info().currsize == 0 and shapes.schemas.cache_info().currsize == 0\n"
        "start = time.process_time()\n"
        "contract.match('POST', '/v1/billing/meter_events')[0].params\n"
        "print(time.process_time() - start)\n"
        "import sys; assert 'jsonschema' not in sys.modules\n"
    )
    times = [float(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout) for _ in range(3)]
    assert min(times) < 0.1
