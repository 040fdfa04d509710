"""The price calculator: what it reads, answers and refuses, line by line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farthing.app.rate import rate_line

PER_UNIT = {"currency": "usd", "unit_amount": 7}
PERCENTAGE = {"currency": "usd", "ext": {"percentage": {"percent": 10}}}


def rate(**line: Any) -> dict[str, Any]:
    return rate_line(json.dumps(line))


def refused(text: str | bytes, number: int | None = None) -> tuple[Any, str, Any]:
    answer = rate_line(text, number)
    assert set(answer) - {"line"} == {"id", "error"}, answer
    error = answer["error"]
    assert set(error) == {"code", "message", "field"}
    assert error["message"]
    return answer["id"], error["code"], error["field"]


def test_answer_has_amount_exact_amount_and_trace() -> None:
    answer = rate(id="a", price={**PER_UNIT, "unit_amount": None, "unit_amount_decimal": "0.25"}, quantity="2.5")
    assert {name: answer[name] for name in ("id", "amount", "amount_exact")} == {"id": "a", "amount": 1, "amount_exact": "0.625"}
    assert list(answer) == ["id", "amount", "amount_exact", "trace"]
    assert answer["trace"] == {
        "label": "",
        "currency": "usd",
        "cells": [
            {
                "label": "",
                "usage": {"aggregation": "sum", "quantity": "2.5", "events": 0, "set_aside": 0, "first": 0, "last": 0, "details": []},
                "steps": [],
                "segments": [{"index": 0, "lower": "0", "upper": None, "units": "2.5", "unit": "0.25", "flat": "0", "amount": "0.625"}],
                "fees": None,
                "exact": "0.625",
            }
        ],
        "subtotal": "0.625",
        "bound": None,
        "exact": "0.625",
        "rounding": "half_away",
        "amount": "1",
        "unmatched": 0,
    }


def test_numbers_are_never_floats() -> None:
    text = '{"id": 1, "price": {"currency": "usd", "unit_amount_decimal": 0.000000000001}, "quantity": 12345678901234567890.123456789012345678}'
    assert rate_line(text)["amount_exact"] == "12345678.901234567890123456789012345678"
    assert rate_line(text.replace("0.000000000001", "1e-12"))["amount_exact"] == "12345678.901234567890123456789012345678"


@pytest.mark.parametrize("identifier", ["a", 0, -5, 10**30, "ü", "x" * 500])
def test_id_comes_back_as_it_was(identifier: Any) -> None:
    assert rate(id=identifier, price=PER_UNIT, quantity=1)["id"] == identifier


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"price": PER_UNIT, "quantity": 1}, (None, "field_missing", "id")),
        ({"id": True, "price": PER_UNIT, "quantity": 1}, (None, "field_invalid", "id")),
        ({"id": 1.5, "price": PER_UNIT, "quantity": 1}, (None, "field_invalid", "id")),
        ({"id": "", "price": PER_UNIT, "quantity": 1}, (None, "text_empty", "id")),
        ({"id": "x" * 501, "price": PER_UNIT, "quantity": 1}, (None, "text_too_long", "id")),
        ({"id": "\ud800", "price": PER_UNIT, "quantity": 1}, (None, "text_not_storable", "id")),
        ({"id": 1, "quantity": 1}, (1, "field_missing", "price")),
        ({"id": 1, "price": [], "quantity": 1}, (1, "not_an_object", "price")),
        ({"id": 1, "price": PER_UNIT}, (1, "field_missing", "quantity")),
        ({"id": 1, "price": PER_UNIT, "quantity": None, "events": None}, (1, "field_missing", "quantity")),
        ({"id": 1, "price": PER_UNIT, "quantity": 1, "events": []}, (1, "fields_conflict", "events")),
        ({"id": 1, "price": PER_UNIT, "quantity": 1, "qty": 1}, (1, "field_unknown", "qty")),
        ({"id": 1, "price": PER_UNIT, "quantity": "many"}, (1, "number_malformed", "quantity")),
        ({"id": 1, "price": PER_UNIT, "quantity": True}, (1, "number_malformed", "quantity")),
        ({"id": 1, "price": PER_UNIT, "quantity": "NaN"}, (1, "number_not_finite", "quantity")),
        ({"id": 1, "price": PER_UNIT, "quantity": 10**20}, (1, "number_too_large", "quantity")),
        ({"id": 1, "price": PER_UNIT, "quantity": 10**18}, (1, "amount_too_large", "quantity")),
        ({"id": 1, "price": PER_UNIT, "events": [{"value": 10**18}]}, (1, "amount_too_large", "events")),
        ({"id": 1, "price": PER_UNIT, "events": {}}, (1, "field_invalid", "events")),
        ({"id": 1, "price": PER_UNIT, "events": [{"value": 1}, 5]}, (1, "not_an_object", "events[1]")),
        ({"id": 1, "price": PER_UNIT, "events": [{"value": 1}, {}]}, (1, "event_value_unreadable", "events[1].value")),
        ({"id": 1, "price": PER_UNIT, "events": [{"value": None}]}, (1, "event_value_unreadable", "events[0].value")),
        ({"id": 1, "price": PER_UNIT, "events": [{"value": "x"}]}, (1, "event_value_unreadable", "events[0].value")),
        ({"id": 1, "price": PER_UNIT, "events": [{"value": True}]}, (1, "event_value_unreadable", "events[0].value")),
        ({"id": 1, "price": PER_UNIT, "events": [{"value": "Infinity"}]}, (1, "number_not_finite", "events[0].value")),
        ({"id": 1, "price": PER_UNIT, "events": [{"value": "1" * 30}]}, (1, "number_too_large", "events[0].value")),
        ({"id": 1, "price": PER_UNIT, "events": [{"value": 1, "a": {}}]}, (1, "property_not_scalar", "events[0].a")),
        ({"id": 1, "price": PER_UNIT, "events": [{"value": 1, "timestamp": "now"}]}, (1, "timestamp_malformed", "events[0].timestamp")),
        (
            {"id": 1, "price": PERCENTAGE, "events": [{"value": 1, "timestamp": "2025-01-01T00:00:00Z"}, {"value": 1}]},
            (1, "event_time_missing", "events[1].timestamp"),
        ),
    ],
)
def test_refused(line: dict[str, Any], expected: tuple[Any, str, Any]) -> None:
    assert refused(json.dumps(line)) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "json_malformed"),
        ("{", "json_malformed"),
        ('{"id": 1} {}', "json_malformed"),
        ("[" * 100_000, "json_malformed"),
        ("[1]", "not_an_object"),
        ("null", "not_an_object"),
        (b'{"id": "\xff"}', "json_malformed"),
        ('{"id": 1, "id": 2}', "key_repeated"),
        ('{"id": 1, "price": {"currency": "usd", "currency": "eur"}}', "key_repeated"),
        ("NaN", "not_an_object"),
        ('{"id": 1, "quantity": NaN', "json_malformed"),
        ('{"id": NaN, "quantity": NaN}', "number_not_finite"),
        ('{"id": ' + "9" * 5000 + "}", "number_too_large"),
    ],
)
def test_a_line_that_is_no_document(text: str | bytes, code: str) -> None:
    answer = rate_line(text, 17)
    assert (answer["id"], answer["line"], answer["error"]["code"]) == (None, 17, code)


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ('"price": {"currency": "usd", "unit_amount": 1}, "quantity": NaN', "number_not_finite", "quantity"),
        ('"price": {"currency": "usd", "unit_amount": -Infinity}, "quantity": 1', "number_not_finite", "price.unit_amount"),
        ('"price": {"currency": "usd", "unit_amount": 1}, "events": [{"value": 1}, {"x": Infinity}]', "number_not_finite", "events[1].x"),
        ('"price": {"currency": "usd", "unit_amount": 1}, "quantity": ' + "9" * 5000, "number_too_large", "quantity"),
        ('"price": {"currency": "usd", "unit_amount": 1}, "quantity": 1e99999999999999999999', "number_too_large", "quantity"),
        ('"colour": NaN', "number_not_finite", "colour"),
    ],
)
def test_a_bare_number_that_cannot_be_read_keeps_the_id(fields: str, code: str, field: str) -> None:
    answer = rate_line('{"id": "a", ' + fields + "}", 17)
    assert (answer["id"], answer["error"]["code"], answer["error"]["field"]) == ("a", code, field)
    assert "line" not in answer


@pytest.mark.parametrize(
    ("price", "field"),
    [
        (PER_UNIT | {"id": 1.5}, "id"),
        (PER_UNIT | {"ext": {"conversion": {"divide_by": 2, "unit": 1.5}}}, "ext.conversion.unit"),
        ({"currency": "usd", "ext": {"percentage": {"percent": 1, "value": 1e-3}}}, "ext.percentage.value"),
        ({"currency": "usd", "ext": {"rate_card": {"rules": [{"label": 1.5, "fees": [{"percent": 1}]}]}}}, "ext.rate_card.rules[0].label"),
        ({"currency": "usd", "ext": {"matrix": {"dimensions": [1.5], "cells": [{}]}}}, "ext.matrix.dimensions[0]"),
        ({"currency": "usd", "ext": {"time_of_use": {"time_zone": 1.5, "bands": [{}]}}}, "ext.time_of_use.time_zone"),
    ],
)
def test_a_bare_number_is_no_text(price: dict[str, Any], field: str) -> None:
    assert refused(json.dumps({"id": 1, "price": price, "quantity": 1})) == (1, "field_invalid", f"price.{field}")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"id": 1.5}, "1.5 is neither text nor a whole number."),
        ({"id": 1, "price": PER_UNIT | {"id": 1.5}, "quantity": 1}, "1.5 is not text."),
        ({"id": 1, "price": PER_UNIT, "quantity": True}, "true is not a decimal number."),
        ({"id": 1, "price": PER_UNIT, "quantity": [None, "é", 1.5]}, '[null, "é", 1.5] is not a decimal number.'),
        ({"id": 1, "price": PER_UNIT, "events": [{"x": 1}]}, '"value" is absent.'),
        ({"id": 1, "price": PER_UNIT | {"billing_scheme": False}, "quantity": 1}, "false is not one of per_unit, tiered."),
    ],
)
def test_messages_show_values_as_json(fields: dict[str, Any], message: str) -> None:
    assert rate(**fields)["error"]["message"].startswith(message)


def test_the_message_names_value_and_remedy() -> None:
    answer = rate(id=1, price={"currency": "usd", "tiers_mode": "volume", "tiers": [{"up_to": 5, "unit_amount": 1}]}, quantity=1)
    assert answer["error"]["field"] == "price.tiers[0].up_to"
    assert "ends at 5" in answer["error"]["message"]
    assert '"inf"' in answer["error"]["message"]


def test_customer_and_time_are_no_properties() -> None:
    rules = [{"when": [{"property": name, "exists": True}], "fees": [{"fixed_amount": 1}]} for name in ("stripe_customer_id", "timestamp")]
    price = {"currency": "usd", "ext": {"rate_card": {"rules": [*rules, {"fees": [{"fixed_amount": 100}]}]}}}
    event = {"stripe_customer_id": "cus_1", "timestamp": "2025-01-01T00:00:00Z"}
    assert rate(id=1, price=price, events=[event])["amount"] == 100


def test_line_per_cell_sums_its_lines() -> None:
    price = {
        "currency": "usd",
        "ext": {
            "matrix": {
                "dimensions": ["k"],
                "cells": [{"match": {"k": "a"}, "unit_amount_decimal": "0.5"}, {"match": {"k": "b"}, "unit_amount_decimal": "1.5"}],
                "line_per_cell": True,
            }
        },
    }
    answer = rate(id=1, price=price, events=[{"k": "a", "value": 1}, {"k": "b", "value": 1}])
    assert (answer["amount"], answer["amount_exact"]) == (3, "2")
    assert [(line["label"], line["amount"]) for line in answer["trace"]["lines"]] == [("a", "1"), ("b", "2")]
    empty = rate(id=1, price=price, events=[])
    assert (empty["amount"], empty["amount_exact"], empty["trace"]) == (0, "0", {"lines": []})


def test_more_events_than_a_list_in_a_price_may_have() -> None:
    assert rate(id=1, price=PER_UNIT, events=[{"value": 1}] * 1500)["amount"] == 10500
