"""What is below /ext: each operation stands in the OpenAPI document, and answers as it says there."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from billing_world import Shop, at
from http_service import Api, error_of
from jsonschema import Draft202012Validator

from farthing.edges.http.routes import ROUTES
from farthing.edges.http.wire import contract

UNIT = {"currency": "usd", "unit_amount_decimal": "2.5"}


def described(api: Api) -> dict[str, Any]:
    """The OpenAPI document, which needs no key."""
    response = httpx.get(f"{api.running.url}/ext/openapi.json")
    assert response.headers["content-type"] == "application/json"
    document: dict[str, Any] = response.json()
    return document


def checked(api: Api, path: str, response: httpx.Response) -> Any:
    """The document of an answer, valid as the OpenAPI document has it for an operation."""
    document = described(api)
    method = str(response.request.method).lower()
    content = document["paths"][path][method]["responses"]["200" if response.status_code == 200 else "default"]["content"]
    schema = {**content["application/json"]["schema"], "components": document["components"]}
    answer = response.json()
    assert [error.message for error in Draft202012Validator(schema).iter_errors(answer)] == []
    return answer


def billed(api: Api) -> tuple[Shop, str]:
    """A customer with a final invoice for seats in advance and calls in arrears."""
    shop = Shop(api, "2026-04-01")
    seats, calls = shop.price("Seats", unit_amount=1000), shop.metered("Calls", "call", unit_amount_decimal="0.5")
    shop.subscribe({"price": seats, "quantity": 2}, {"price": calls})
    shop.until("2026-04-11")
    for n in range(3):
        shop.uses("call", 33, "2026-04-10", f"call {n}")
    shop.until("2026-05-02")
    return shop, str(shop.invoices()[-1].id)


def test_every_operation_below_ext_is_described(api: Api) -> None:
    document = described(api)
    assert document["openapi"] == "3.1.0" and document["paths"]["/ext/openapi.json"]["get"]["security"] == []
    shown = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert shown - {("GET", "/ext/openapi.json")} == {key for key in ROUTES if key[1].startswith("/ext/")}
    ids = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert len(set(ids)) == len(ids)
    for operation in contract.own_operations():
        one = document["paths"][operation.path][operation.method.lower()]
        named = {parameter["name"] for parameter in one.get("parameters", ()) if parameter["in"] != "header"}
        body = one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {}).get("properties", {})
        assert named | set(body) == {*operation.ids, *operation.params.fields}
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert set(re.findall(r"#/components/schemas/(\w+)", str(schema))) <= set(document["components"]["schemas"]), name


def test_the_page_shows_the_same_without_anything_from_outside(api: Api) -> None:
    response = httpx.get(f"{api.running.url}/docs")
    assert response.headers["content-type"].startswith("text/html")
    tags: list[tuple[str, Any]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append((tag, dict(attrs)))
    parser.feed(response.text)
    assert {tag for tag, _ in tags}.isdisjoint({"script", "link", "img", "iframe"})
    assert [attrs["href"] for tag, attrs in tags if tag == "a"] == ["/ext/openapi.json"] and "url(" not in response.text
    for path in described(api)["paths"]:
        assert path in response.text


def test_an_invoice_is_explained_line_by_line(both: Api) -> None:
    shop, invoice = billed(both)
    found = checked(both, "/ext/invoices/{invoice}/explanation", both.get(f"/ext/invoices/{invoice}/explanation"))
    shown = shop.v1.invoices.retrieve(invoice)
    assert [(line["line"], line["amount"]) for line in found["lines"]] == [(line.id, line.amount) for line in shown.lines.data]
    calls = next(line for line in found["lines"] if line["description"] == "Calls")
    assert calls["text"].startswith('0.50 USD for "Calls"') and "99 " in calls["text"] and "3 events" in calls["text"]
    assert calls["explanation"]["steps"][0]["kind"] == "rounding"
    again = [both.get(f"/ext/lines/{calls['booked']}/explanation"), both.get(f"/ext/lines/{calls['line']}/explanation?invoice={invoice}")]
    for response in again:
        one = checked(both, "/ext/lines/{line}/explanation", response)
        assert {**one, "line": calls["line"]} == calls


def test_a_draft_is_explained_as_it_comes_to_now(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    shop.v1.invoice_items.create({"customer": shop.customer, "currency": "usd", "amount": 700})
    draft = shop.v1.invoices.create({"customer": shop.customer, "pending_invoice_items_behavior": "include"})
    found = checked(api, "/ext/invoices/{invoice}/explanation", api.get(f"/ext/invoices/{draft.id}/explanation"))
    assert (found["status"], [(line["booked"], line["amount"]) for line in found["lines"]]) == ("draft", [(None, 700)])
    path = f"/ext/lines/{found['lines'][0]['line']}/explanation?invoice={draft.id}"
    assert error_of(api.get(path)) == (404, "line_unknown", "line")


def test_the_events_behind_a_line(both: Api) -> None:
    _, invoice = billed(both)
    lines = both.get(f"/ext/invoices/{invoice}/explanation").json()["lines"]
    calls = next(line["booked"] for line in lines if line["description"] == "Calls")
    found = checked(both, "/ext/lines/{line}/events", both.get(f"/ext/lines/{calls}/events"))
    assert [one["identifier"] for one in found["data"]] == ["call 0", "call 1", "call 2"] and found["has_more"] is False
    assert error_of(both.get(f"/ext/lines/{calls}/events?page=2")) == (400, "page_unknown", "page")
    assert error_of(both.get("/ext/lines/INV-0:1/events")) == (404, "line_unknown", "line")
    assert error_of(both.get("/ext/lines/INV-0:1/events?page=x")) == (400, "parameter_invalid_integer", "page")


def test_what_was_billed_is_proven(both: Api) -> None:
    billed(both)
    found = checked(both, "/ext/verifications", both.send("POST", "/ext/verifications", json={}))
    assert (found["verified"], found["documents"], found["recomputed_by"]) == (True, 2, ["kernel"])
    assert error_of(both.send("POST", "/ext/verifications", json={"since": 1})) == (400, "parameter_unknown", "since")


def test_more_than_one_request_verifies_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    billed(api)
    monkeypatch.setattr("farthing.edges.http.resources.explanations.MOST_DOCUMENTS", 1)
    assert error_of(api.send("POST", "/ext/verifications", json={})) == (400, "verification_too_large", None)


@pytest.mark.parametrize(
    ("sent", "code", "param"),
    [
        ({}, "parameter_missing", "price"),
        ({"price": 5, "quantity": 1}, "parameter_invalid_object", "price"),
        ({"price": {**UNIT, "unit_amount_decimal": "x"}, "quantity": 1}, "number_malformed", "price.unit_amount_decimal"),
        ({"price": UNIT, "quantity": "x"}, "parameter_invalid_decimal", "quantity"),
        ({"price": UNIT, "quantity": 1, "events": []}, "fields_conflict", "events"),
        ({"price": UNIT, "events": [{"value": "x"}]}, "event_value_unreadable", "events[0].value"),
    ],
)
def test_what_a_price_cannot_come_to(api: Api, sent: Any, code: str, param: str) -> None:
    assert error_of(api.send("POST", "/ext/prices/simulate", json=sent)) == (400, code, param)


def test_what_a_price_comes_to(api: Api) -> None:
    for used, amount, exact in (({"quantity": 3}, 8, "7.5"), ({"quantity": "0.1"}, 0, "0.25"), ({"events": [{"value": 1}, {"value": 2}]}, 8, "7.5")):
        found = checked(api, "/ext/prices/simulate", api.send("POST", "/ext/prices/simulate", json={"price": UNIT, **used}))
        assert (found["amount"], found["amount_exact"]) == (amount, exact)


def test_what_is_kept_aside(both: Api) -> None:
    shop = Shop(both, "2026-04-01")
    shop.metered("Calls", "call", unit_amount=1)
    shop.uses("call", 5, "2026-04-01", "aside")
    found = checked(both, "/ext/events/aside", both.get("/ext/events/aside"))["data"]
    assert [(one["reason"], one["event_name"], one["customer"], one["events"]) for one in found] == [("contract_missing", "call", shop.customer, 1)]


def test_what_an_invoice_booked(both: Api) -> None:
    shop, invoice = billed(both)
    found = checked(both, "/ext/ledger/entries", both.get(f"/ext/ledger/entries?invoice={invoice}"))["data"]
    assert [entry["entry"] for entry in found] == ["invoice"]
    assert sum(posting["amount"] for posting in found[0]["postings"]) == 0
    receivable = [posting["amount"] for posting in found[0]["postings"] if posting["account"] == "receivable"]
    assert receivable == [shop.v1.invoices.retrieve(invoice).total]
    assert error_of(both.get("/ext/ledger/entries")) == (400, "parameter_missing", "invoice")
    assert error_of(both.get("/ext/ledger/entries?invoice=in_none")) == (400, "resource_missing", "invoice")


def test_keys_errors_and_idempotency_are_as_everywhere(api: Api) -> None:
    _, invoice = billed(api)
    path = f"/ext/invoices/{invoice}/explanation"
    assert httpx.get(api.running.url + path).status_code == 401
    restricted = api.add_key("rk_test_" + "r" * 24 + str(at("2026-01-01")), {"ext.invoices": "read"})
    assert httpx.get(api.running.url + path, auth=(restricted, "")).status_code == 200
    answer = httpx.post(f"{api.running.url}/ext/verifications", json={}, auth=(restricted, ""))
    assert error_of(answer) == (403, "permission_missing", None)
    checked(api, "/ext/verifications", answer)
    assert error_of(api.get("/ext/invoices/in_none/explanation")) == (404, "resource_missing", "invoice")
    first, second = (api.send("POST", "/ext/verifications", json={}, headers={"Idempotency-Key": "proof"}) for _ in range(2))
    assert first.content == second.content and second.headers["Idempotent-Replayed"] == "true"
    form = api.send("POST", "/ext/prices/simulate", data={"price": "x"})
    assert error_of(form) == (415, "content_type_unsupported", "Content-Type")
