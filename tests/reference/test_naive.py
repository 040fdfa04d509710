"""The naive reference on every worked example of docs/pricing.md and docs/meters.md and by hand; then the product against it."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from naive_document import COVERED, EXCLUDED
from naive_meters import buckets_of, measure, measure_groups, measure_usage
from naive_pricing import JsonNumber, Refused, line_faults, rate, rate_line
from naive_values import EPOCH, UNDOCUMENTED, dumps
from price_strategies import lines

from farthing.app.rate import rate_line as product_line
from farthing.core.rating.models import MODELS
from farthing.core.rating.modifiers import MODIFIERS as REGISTERED_MODIFIERS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def json_blocks(page: str) -> list[str]:
    return re.findall(r"```json\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


def subject(example: list[str]) -> str:
    """The model or modifier that an example of docs/pricing.md is of."""
    return str(json.loads(example[0])["id"]).rsplit(" ", 1)[0]


EXAMPLES = [block.strip().splitlines() for block in json_blocks("pricing.md")]
PRICING_EXAMPLES = [example for example in EXAMPLES if subject(example) in COVERED]
METER_EXAMPLES = [json.loads(block) for block in json_blocks("meters.md")]


def micros(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize(("asked", "answer"), PRICING_EXAMPLES, ids=[json.loads(example[0])["id"] for example in PRICING_EXAMPLES])
def test_a_pricing_example_of_the_page(asked: str, answer: str) -> None:
    assert rate_line(asked) == json.loads(answer)


ALWAYS_COVERED = ["per_unit", "flat", "graduated", "volume", "package", "stairstep", "percentage", "graduated_percentage", "rate_card"]
ALWAYS_COVERED += ["cost", "matrix", "time_of_use"]
ALWAYS_COVERED += ["conversion", "allowance", "flat_at_zero", "minimum", "maximum", "rounding", "accumulate"]


def test_the_reference_covers_what_it_always_did_and_leaves_out_by_name_what_it_does_not_know() -> None:
    there = {*MODELS, *REGISTERED_MODIFIERS}
    assert set(ALWAYS_COVERED) <= set(COVERED) <= there
    assert {subject(example) for example in PRICING_EXAMPLES} == set(COVERED)
    assert {subject(example) for example in EXAMPLES} - set(COVERED) == there - set(COVERED)


def test_the_pages_have_examples_of_every_model_modifier_and_aggregation() -> None:
    assert len(PRICING_EXAMPLES) >= 22
    assert len(METER_EXAMPLES) >= 12


@pytest.mark.parametrize("page", ["pricing.md", "meters.md"])
def test_the_tests_that_a_page_names_exist(page: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (DOCS / page).read_text(encoding="utf-8"))
    assert named
    assert [name for file, name in named if f"def {name}(" not in (DOCS.parent / file).read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("example", METER_EXAMPLES, ids=[example["meter"]["id"] for example in METER_EXAMPLES])
def test_a_meter_example_of_the_page(example: dict[str, Any]) -> None:
    start, end = (micros(text) for text in example["interval"])
    events = [{"at": micros(at), "position": place, "payload": payload} for place, (at, payload) in enumerate(example["events"], 1)]
    meter = example["meter"]
    if "groups" in example:
        names = meter["ext"]["group_by"]
        wanted = {tuple(group[name] for name in names): Fraction(quantity) for group, quantity in example["groups"]}
        assert measure_groups(meter, events, start, end) == wanted
        return
    usage = measure_usage(meter, events, start, end)
    assert usage["quantity"] == Fraction(example["usage"]["quantity"]) == measure(meter, events, start, end)
    assert usage["events"] == example["usage"]["events"]
    assert usage["set_aside"] == example["usage"].get("set_aside", 0)
    assert usage["details"] == example["usage"].get("details", {})


# By hand: sentences of the page


def priced(**ext: Any) -> dict[str, Any]:
    return {"currency": "usd", "ext": ext}


def unit_price(amount: str, **ext: Any) -> dict[str, Any]:
    return {"currency": "usd", "unit_amount_decimal": amount, "ext": ext}


def tiered(mode: str, *tiers: tuple[Any, int, int], **ext: Any) -> dict[str, Any]:
    entries = [{"up_to": bound, "unit_amount": unit, "flat_amount": flat} for bound, unit, flat in tiers]
    return {"currency": "usd", "tiers_mode": mode, "tiers": entries, "ext": ext}


GRADUATED = tiered("graduated", (10, 5, 100), (20, 4, 30), ("inf", 3, 7))
VOLUME = tiered("volume", (10, 5, 100), (20, 4, 30), (None, 3, 7))
STEPS = priced(stairstep={"tiers": [{"up_to": 10, "flat_amount": 1}, {"up_to": 20, "flat_amount": 2}, {"up_to": "inf", "flat_amount": 3}]})
TENS_UP = {"currency": "usd", "unit_amount": 5, "transform_quantity": {"divide_by": 10, "round": "up"}}
BLOCKS = priced(package={"size": 10, "amount": 5, "free_units": 3})
SHARES = priced(
    graduated_percentage={"value_in": "major", "tiers": [{"up_to": 1000, "percent": 10, "flat_amount": 1}, {"up_to": None, "percent": 1}]}
)

QUANTITIES = [
    (unit_price("0.5"), "0", 0, "0"),
    (unit_price("0.5"), "-5", -3, "-2.5"),
    (unit_price("0.5"), "0.1", 0, "0.05"),
    (TENS_UP, "-15", -5, "-5"),
    (TENS_UP, "10", 5, "5"),
    (TENS_UP, "10.000000001", 10, "10"),
    (GRADUATED, "0", 100, "100"),
    (GRADUATED, "10", 150, "150"),
    (GRADUATED, "10.5", 182, "182"),
    (GRADUATED, "20", 220, "220"),
    (GRADUATED, "21", 230, "230"),
    (GRADUATED | {"ext": {"flat_at_zero": False}}, "0", 0, "0"),
    (GRADUATED | {"ext": {"flat_at_zero": False}}, "1", 105, "105"),
    (GRADUATED | {"ext": {"allowance": {"units": 5}}}, "5", 100, "100"),
    (GRADUATED | {"ext": {"allowance": {"units": 5}, "flat_at_zero": False}}, "5", 0, "0"),
    (VOLUME, "0", 100, "100"),
    (VOLUME, "10", 150, "150"),
    (VOLUME, "10.5", 72, "72"),
    (VOLUME, "20.000000000000000001", 67, "67.000000000000000003"),
    (VOLUME | {"ext": {"flat_at_zero": False}}, "0", 0, "0"),
    (STEPS, "0", 1, "1"),
    (STEPS, "10", 1, "1"),
    (STEPS, "10.5", 2, "2"),
    (STEPS, "1e9", 3, "3"),
    (BLOCKS, "3", 0, "0"),
    (BLOCKS, "3.1", 5, "5"),
    (BLOCKS, "23", 10, "10"),
    (BLOCKS | {"ext": {"package": {"size": 10, "amount": 5, "round": "down"}}}, "19.9", 5, "5"),
    (SHARES, "0", 1, "1"),
    (SHARES, "10", 101, "101"),
    (SHARES, "20", 111, "111"),
    (priced(cost={}), "-1.5", -2, "-1.5"),
    (priced(flat={"amount": 7}), "5", 7, "7"),
    (unit_price("1", conversion={"divide_by": 3}), "100", 33, "100/3"),
    (unit_price("1", conversion={"divide_by": 10, "round": "up"}), "-15", -1, "-1"),
    (unit_price("1", conversion={"divide_by": 10, "round": "up"}, allowance={"units": 1}), "11", 1, "1"),
    (unit_price("1", minimum={"amount": 5}), "-7", 5, "5"),
    (unit_price("1", minimum={"amount": 5}), "0", 5, "5"),
    (unit_price("1", maximum={"amount_decimal": "5.5"}, rounding={"mode": "down"}), "7", 5, "5.5"),
    (unit_price("0.5", rounding={"mode": "up"}), "-5", -2, "-2.5"),
    (unit_price("0.5", rounding={"mode": "half_even"}), "7", 4, "3.5"),
    (priced(matrix={"dimensions": ["a"], "cells": [{"match": {"a": "*"}, "unit_amount": 2}]}), "3", 6, "6"),
    (unit_price("1"), "999999999999999999", 999999999999999999, "999999999999999999"),
]


@pytest.mark.parametrize(("price", "quantity", "amount", "exact"), QUANTITIES)
def test_a_quantity_by_hand(price: dict[str, Any], quantity: str, amount: int, exact: str) -> None:
    assert rate(price, quantity) == (amount, Fraction(exact))
    assert rate_line(json.dumps({"id": 1, "price": price, "quantity": quantity})) == {"id": 1, "amount": amount, "amount_exact": exact}


def fees(**fields: Any) -> dict[str, Any]:
    return priced(percentage={"percent": 10, "fixed_amount": 1} | fields)


def values(*numbers: Any) -> list[dict[str, Any]]:
    return [{"value": number} for number in numbers]


CARD = {
    "rules": [{"when": [{"property": "a", "in": ["x"]}], "fees": [{"percent": 10}]}, {"fees": [{"cost": "c", "fixed_amount": 2}]}],
    "surcharges": [{"when": [{"property": "value", "gte": 100}], "fees": [{"percent": 1, "of": "b", "maximum_amount": 3}]}],
}
CELLS = {
    "dimensions": ["a", "b"],
    "cells": [
        {"match": {"a": JsonNumber("1.50"), "b": "*"}, "tiers": [{"up_to": None, "flat_amount": 9, "unit_amount": 1}], "tiers_mode": "volume"},
        {"match": {"a": "*", "b": "y"}, "unit_amount_decimal": "0.5"},
    ],
}
NIGHT = [{"days": ["sun"], "from": "00:00", "to": "02:00"}]
BANDS = {
    "time_zone": "Europe/London",
    "bands": [{"label": "night", "hours": NIGHT, "unit_amount": 1}],
    "rest": {"unit_amount": 100},
}

EVENTS: list[tuple[dict[str, Any], list[dict[str, Any]], int, str]] = [
    (fees(), [], 0, "0"),
    (fees(), values(5, 15), 4, "4"),
    (fees(round_per="event"), values(5, 15), 5, "5"),
    (fees(free_events=1), values(500, 10), 2, "2"),
    (fees(free_amount=100), values(90, 30, 10, 0), 5, "5"),
    (fees(free_amount=100, free_events=2), values(90, 30, 10), 2, "2"),
    (fees(minimum_amount=3, maximum_amount=5), values(0, 25, 1000), 12, "11.5"),
    (fees(cap_amount_decimal="2.5"), values(50), 3, "2.5"),
    (fees(free_events=1), [{"value": 100, "timestamp": "2024-01-02T00:00:00Z"}, {"value": 10, "timestamp": "2024-01-02T00:59:00+01:00"}], 11, "11"),
    (priced(percentage={"percent": 1}, minimum={"amount": 5}), [], 5, "5"),
    (priced(rate_card=CARD), [{"value": 99, "a": "x"}, {"value": 100, "b": 500, "c": "0.25"}], 15, "15.15"),
    (priced(rate_card=CARD | {"line_per_cell": True}), [{"value": 15, "a": "x"}, {"value": 1, "c": "0.5"}], 5, "4"),
    (priced(matrix=CELLS), [], 0, "0"),
    (priced(matrix=CELLS), [{"value": 0, "a": "1.5"}], 0, "0"),
    (priced(matrix=CELLS), [{"value": 1, "a": JsonNumber("1.500"), "b": "y"}, {"value": -3, "b": "y"}], 9, "8.5"),
    (priced(matrix=CELLS | {"line_per_cell": True}), [{"value": 1, "a": "1.5"}, {"value": -3, "b": "y"}], 8, "8.5"),
    (
        priced(time_of_use=BANDS, conversion={"multiply_by": 2}),
        [
            {"value": 1, "timestamp": "2024-10-27T00:30:00Z"},  # 01:30, summer time
            {"value": 1, "timestamp": "2024-10-27T01:59:59.999999Z"},  # 01:59 again
            {"value": -1, "timestamp": "2024-10-27T02:00:00Z"},
        ],
        -196,
        "-196",
    ),
    (unit_price("1"), values("1.5", "-0.5"), 1, "1"),
]


@pytest.mark.parametrize(("price", "payloads", "amount", "exact"), EVENTS)
def test_events_by_hand(price: dict[str, Any], payloads: list[dict[str, Any]], amount: int, exact: str) -> None:
    assert rate(price, events=payloads) == (amount, Fraction(exact))


HUGE, LONG = "9" * 21, "x" * 501
TIERS = [{"up_to": 1, "unit_amount": 1}, {"up_to": "inf", "unit_amount": 1}]


def deep(levels: int) -> Any:
    return [deep(levels - 1)] if levels else 1


def up_to(*bounds: Any) -> dict[str, Any]:
    return {"currency": "usd", "tiers_mode": "volume", "tiers": [{"up_to": bound, "unit_amount": 1} for bound in bounds]}


def when(*tests: Any) -> dict[str, Any]:
    return priced(rate_card={"rules": [{"when": list(tests), "fees": [{"percent": 1}]}, {"fees": [{"percent": 1}]}]})


def component(**fields: Any) -> dict[str, Any]:
    return priced(rate_card={"rules": [{"fees": [fields]}]})


def cells(*entries: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return priced(matrix={"dimensions": ["a"], "cells": list(entries)} | fields)


def cell(value: Any, **fields: Any) -> dict[str, Any]:
    return {"match": {"a": value}} | (fields or {"unit_amount": 1})


def band(*hours: Any, **fields: Any) -> dict[str, Any]:
    bands = [{"label": "one", "hours": [{"days": days, "from": start, "to": end} for days, start, end in hours], "unit_amount": 1}]
    return priced(time_of_use={"time_zone": "UTC", "bands": bands, "rest": {"unit_amount": 1}} | fields)


REST_LABEL = {"label": "one", "unit_amount": 1}
WEEK = (["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "00:00", "24:00")
LINES = {"line_per_cell": True}
A_CELL = {"dimensions": ["a"], "cells": [cell("x")]}
A_CARD = {"rules": [{"fees": [{"percent": 1}]}]}
UNIT = {"currency": "usd", "unit_amount": 1}
ONLY_A = priced(rate_card={"rules": [{"when": [{"property": "a", "exists": True}], "fees": [{"percent": 1}]}]})
ROUNDED = {"divide_by": 2, "round": "up"}
AT_UP_TO = "tiers[0].up_to"
CONDITION = "ext.rate_card.rules[0].when[0]"
FEE = "ext.rate_card.rules[0].fees[0]"
SPAN = "ext.time_of_use.bands[0].hours[0]"
ZONE, DIMENSION, AT_VALUE = "price.ext.time_of_use.time_zone", "price.ext.matrix.dimensions[0]", "events[0].value"
PAGES = {"value": 1} | {f"page {i}": "x" * 1000 for i in range(16)}  # 16,108 characters with their names
BOTH = {"dimensions": ["a"], "cells": [cell("x"), cell("y")]}
LARGE = [{"value": 5 * 10**17, "a": "x"}, {"value": 5 * 10**17, "a": "y"}]
CANCELLING = [{"value": 10**18, "a": "x"}, {"value": -(10**18), "a": "y"}]
EXTRA = {"label": "rule 1", "fees": [{"percent": 1}]}

DOCUMENTS: list[tuple[Any, str, str | None]] = [
    ([], "not_an_object", None),
    (UNIT | {"ext": 1}, "not_an_object", "ext"),
    (UNIT | {"tires": None}, "field_unknown", "tires"),
    (priced(flat={"amount": 1}, discount=None), "field_unknown", "ext.discount"),
    (cells({"match": {"a": "x", "b": "y"}, "unit_amount": 1}), "field_unknown", "ext.matrix.cells[0].match.b"),
    (priced(flat={}), "field_missing", "ext.flat.amount"),
    (priced(flat={"amount": None}), "field_missing", "ext.flat.amount"),
    (priced(matrix={"dimensions": [], "cells": []}), "field_missing", "ext.matrix.dimensions"),
    (UNIT | {"billing_scheme": "none"}, "field_invalid", "billing_scheme"),
    (UNIT | {"id": 5}, "field_invalid", "id"),
    (UNIT | {"currency": "xxx"}, "currency_unknown", "currency"),
    (UNIT | {"currency": 5}, "currency_unknown", "currency"),
    (UNIT | {"currency_options": {"eur": {}}}, "price_field_unsupported", "currency_options"),
    (UNIT | {"unit_amount": True}, "number_malformed", "unit_amount"),
    (UNIT | {"unit_amount": 1.0}, "number_malformed", "unit_amount"),
    (UNIT | {"unit_amount": "NaN"}, "number_not_finite", "unit_amount"),
    (UNIT | {"unit_amount": HUGE}, "number_too_large", "unit_amount"),
    (unit_price("0." + "1" * 19), "number_too_large", "unit_amount_decimal"),
    (UNIT | {"unit_amount": -1}, "number_negative", "unit_amount"),
    (up_to(0, "inf"), "number_not_positive", AT_UP_TO),
    (up_to(-1, "inf"), "number_not_positive", AT_UP_TO),
    (TENS_UP | {"transform_quantity": {"divide_by": 0, "round": "up"}}, "number_not_positive", "transform_quantity.divide_by"),
    (TENS_UP | {"transform_quantity": {"divide_by": -1, "round": "up"}}, "number_negative", "transform_quantity.divide_by"),
    (TENS_UP | {"transform_quantity": {"divide_by": "1.5", "round": "up"}}, "number_not_whole", "transform_quantity.divide_by"),
    (UNIT | {"unit_amount": "1.5"}, "number_not_whole", "unit_amount"),
    (fees(free_events="0.5"), "number_not_whole", "ext.percentage.free_events"),
    (unit_price("0." + "1" * 13), "amount_too_precise", "unit_amount_decimal"),
    (UNIT | {"unit_amount_decimal": "1.5"}, "fields_conflict", "unit_amount_decimal"),
    (UNIT | {"billing_scheme": "per_unit", "tiers": TIERS}, "fields_conflict", "tiers"),
    (UNIT | {"tiers_mode": "volume"}, "fields_conflict", "tiers_mode"),
    (up_to("inf") | {"unit_amount": 1}, "fields_conflict", "unit_amount"),
    (priced(flat={"amount": 1}, cost={}), "models_conflict", "ext.cost"),
    (UNIT | {"ext": {"cost": {}}}, "models_conflict", "unit_amount"),
    (priced(cost={}) | {"billing_scheme": "tiered"}, "models_conflict", "billing_scheme"),
    ({"currency": "usd"}, "field_missing", "unit_amount"),
    ({"unit_amount": 1}, "field_missing", "currency"),
    ({"currency": "usd", "billing_scheme": "tiered", "tiers_mode": "volume"}, "field_missing", "tiers"),
    ({"currency": "usd", "tiers": TIERS}, "field_missing", "tiers_mode"),
    (up_to(), "tiers_empty", "tiers"),
    ({"currency": "usd", "tiers_mode": "volume", "tiers": [{"unit_amount": 1}]}, "field_missing", AT_UP_TO),
    (up_to(5, 5, "inf"), "tiers_overlap", "tiers[1].up_to"),
    (up_to(None, "inf"), "tiers_after_end", AT_UP_TO),
    (up_to(5), "tiers_no_end", AT_UP_TO),
    ({"currency": "usd", "tiers_mode": "volume", "tiers": [{"up_to": "inf"}]}, "field_missing", "tiers[0].unit_amount"),
    (fees(minimum_amount=2, maximum_amount=1), "bounds_reversed", "ext.percentage.maximum_amount"),
    (component(percent=1, minimum_amount=2, maximum_amount=1), "bounds_reversed", FEE + ".maximum_amount"),
    (unit_price("1", minimum={"amount": 2}, maximum={"amount": 1}), "bounds_reversed", "ext.maximum"),
    (priced(percentage={"percent": 1, "cap_amount": 1}, maximum={"amount": 1}), "fields_conflict", "ext.maximum"),
    (when({"property": "a"}), "field_missing", CONDITION),
    (when({"property": "a", "lt": 1, "in": ["x"]}), "fields_conflict", CONDITION + ".lt"),
    (when({"property": "a", "in": []}), "field_missing", CONDITION + ".in"),
    (when({"property": "a", "in": [[]]}), "property_not_scalar", CONDITION + ".in[0]"),
    (when({"property": "a", "exists": "true"}), "field_invalid", CONDITION + ".exists"),
    (cells(cell({})), "property_not_scalar", "ext.matrix.cells[0].match.a"),
    (cells(cell(None)), "field_missing", "ext.matrix.cells[0].match.a"),
    (
        priced(rate_card={"rules": [{"when": [{"property": "a", "exists": True}], "fees": [{"percent": 1}]}]}),
        "rules_no_default",
        "ext.rate_card.rules[0].when",
    ),
    (priced(rate_card={"rules": [*A_CARD["rules"], *A_CARD["rules"]]}), "rule_unreachable", "ext.rate_card.rules[1]"),
    (cells(cell("*"), cell("x")), "rule_unreachable", "ext.matrix.cells[1]"),
    (cells(cell("*"), default={"unit_amount": 1}), "rule_unreachable", "ext.matrix.default"),
    (cells(cell("x", label="y", unit_amount=1), cell("y")), "label_repeated", "ext.matrix.cells[1].label"),
    (priced(matrix={"dimensions": ["a", "a"], "cells": [cell("x")]}), "label_repeated", "ext.matrix.dimensions[1]"),
    (component(percent=1, cost="c"), "fields_conflict", FEE + ".cost"),
    (component(fixed_amount=1, of="c"), "fields_conflict", FEE + ".of"),
    (component(label="x"), "field_missing", FEE + ".percent"),
    (cells(cell("x", unit_amount=1, tiers=TIERS)), "fields_conflict", "ext.matrix.cells[0].tiers"),
    (cells(cell("x", unit_amount=1, tiers_mode="volume")), "fields_conflict", "ext.matrix.cells[0].tiers_mode"),
    (cells(cell("x", label="y")), "field_missing", "ext.matrix.cells[0].unit_amount"),
    (cells(cell("x", tiers=TIERS)), "field_missing", "ext.matrix.cells[0].tiers_mode"),
    (band((["mon"], "00:00", "01:00"), time_zone="Mars/Olympus"), "time_zone_unknown", "ext.time_of_use.time_zone"),
    (band((["mo"], "00:00", "01:00")), "band_hours_invalid", SPAN + ".days[0]"),
    (band((["mon"], "0:00", "01:00")), "band_hours_invalid", SPAN + ".from"),
    (band((["mon"], "00:00", "24:01")), "band_hours_invalid", SPAN + ".to"),
    (band((["mon"], "01:00", "01:00")), "band_hours_invalid", SPAN + ".to"),
    (band((["mon", "mon"], "00:00", "01:00")), "bands_overlap", SPAN),
    (band((["mon"], "00:00", "01:00"), (["mon"], "00:59", "02:00")), "bands_overlap", "ext.time_of_use.bands[0].hours[1]"),
    (band((["mon"], "00:00", "01:00"), rest=None), "bands_incomplete", "ext.time_of_use.rest"),
    (band(WEEK), "rule_unreachable", "ext.time_of_use.rest"),
    (band((["mon"], "00:00", "01:00"), rest=REST_LABEL), "label_repeated", "ext.time_of_use.rest.label"),
    (unit_price("1", flat_at_zero=True), "modifier_not_applicable", "ext.flat_at_zero"),
    (priced(matrix=A_CELL | LINES, minimum={"amount": 1}), "modifier_not_applicable", "ext.minimum"),
    (priced(rate_card=A_CARD | LINES, maximum={"amount": 1}), "modifier_not_applicable", "ext.maximum"),
    (
        band((["mon"], "00:00", "01:00")) | {"ext": {"time_of_use": BANDS, "conversion": {"divide_by": 2, "round": "up"}}},
        "modifier_not_applicable",
        "ext.conversion.round",
    ),
    (unit_price("1", conversion={"divide_by": 2, "multiply_by": 2}), "fields_conflict", "ext.conversion.divide_by"),
    (unit_price("1", conversion={}), "field_missing", "ext.conversion.divide_by"),
    (UNIT | {"id": ""}, "text_empty", "id"),
    (UNIT | {"id": LONG}, "text_too_long", "id"),
    (UNIT | {"id": "\0"}, "text_not_storable", "id"),
    (UNIT | {"id": "\ud800"}, "text_not_storable", "id"),
    (UNIT | {"metadata": deep(40)}, "json_malformed", None),
]


@pytest.mark.parametrize(("price", "code", "field"), DOCUMENTS)
def test_a_document_is_refused_with_its_place(price: Any, code: str, field: str | None) -> None:
    with pytest.raises(Refused) as caught:
        rate(price, "1")
    assert (caught.value.code, caught.value.field) == (code, field)


NEEDS_C = component(cost="c")
USAGES: list[tuple[dict[str, Any], Any, str, str]] = [
    (GRADUATED, "-1", "quantity_negative", "quantity"),
    (unit_price("1", allowance={"units": 1}), "-1", "quantity_negative", "quantity"),
    (GRADUATED | {"ext": {"conversion": {"divide_by": 9, "round": "up"}}}, "-0.1", "quantity_negative", "quantity"),
    (BLOCKS, "-1", "quantity_negative", "quantity"),
    (priced(matrix=CELLS), [{"value": -1, "a": "1.5"}], "quantity_negative", "events"),
    (fees(), "1", "events_needed", "quantity"),
    (cells(cell("x")), "1", "events_needed", "quantity"),
    (fees(), values(-1), "event_value_unreadable", "events[0].value"),
    (fees(), values(1, "x"), "event_value_unreadable", "events[1].value"),
    (unit_price("1"), [{}], "event_value_unreadable", "events[0].value"),
    (NEEDS_C, [{"value": 1}], "event_value_unreadable", "events[0].c"),
    (NEEDS_C, [{"value": "x", "c": 1}], "event_value_unreadable", "events[0].value"),
    (cells(cell("x")), [{"value": 1}], "event_unmatched", "events[0]"),
    (band((["mon"], "00:00", "01:00")), values(1), "event_time_missing", "events[0].timestamp"),
    (fees(), [{"value": 1, "timestamp": "2024-01-01T00:00:00Z"}, {"value": 1}], "event_time_missing", "events[1].timestamp"),
    (fees(), [{"value": 1, "timestamp": "2024-01-01T00:00:00"}], "timestamp_naive", "events[0].timestamp"),
    (fees(), [{"value": 1, "timestamp": "1969-12-31T23:59:59Z"}], "event_time_out_of_range", "events[0].timestamp"),
    (fees(), [{"value": 1, "x": []}], "property_not_scalar", "events[0].x"),
    (unit_price("1"), "1000000000000000000", "amount_too_large", "quantity"),
    (unit_price("1"), "x", "number_malformed", "quantity"),
]


@pytest.mark.parametrize(("price", "usage", "code", "field"), USAGES)
def test_a_usage_is_refused_with_its_place(price: dict[str, Any], usage: Any, code: str, field: str) -> None:
    with pytest.raises(Refused) as caught:
        rate(price, usage) if isinstance(usage, str) else rate(price, events=usage)
    assert (caught.value.code, caught.value.field) == (code, field)


# Meters by hand


def log(*entries: tuple[str, dict[str, str]]) -> list[dict[str, Any]]:
    return [{"at": micros(at), "position": place, "payload": payload} for place, (at, payload) in enumerate(entries, 1)]


def meter(aggregation: str, **ext: Any) -> dict[str, Any]:
    return {"id": "m", "event_name": "call", "ext": {"aggregation": aggregation} | ext}


DAY = (micros("2024-03-01T00:00:00Z"), micros("2024-03-02T00:00:00Z"))
SOME = log(
    ("2024-02-28T00:00:00Z", {"value": "4", "who": "a"}),
    ("2024-02-29T23:59:59.999999Z", {"value": "x", "who": "b"}),
    ("2024-03-01T06:00:00Z", {"value": "10", "who": "b"}),
    ("2024-03-01T06:00:00Z", {"value": "1e1", "who": "a"}),
    ("2024-03-01T18:00:00Z", {"value": "-2", "who": "b"}),
    ("2024-03-01T12:00:00Z", {"value": "1.0"}),
    ("2024-03-02T00:00:00Z", {"value": "99", "who": "a"}),
)
MEASURED = [
    (meter("count"), "4"),
    (meter("sum"), "19"),
    (meter("min"), "-2"),
    (meter("max"), "10"),
    (meter("latest"), "-2"),
    (meter("unique_count"), "3"),
    (meter("percentile", percentile=50), "1"),
    (meter("percentile", percentile="50.1"), "10"),
    (meter("percentile", percentile=100), "10"),
    (meter("percentile", percentile="0.0001"), "-2"),
    (meter("time_weighted"), "78"),  # 4 × 6 h, 10 × 6 h, 1 × 6 h, -2 × 6 h
    (meter("time_weighted", per="day"), "13/4"),
    (meter("time_weighted", per="minute"), "4680"),
    (meter("time_weighted", per="period"), "13/4"),
    (meter("time_weighted", filters=[{"property": "who", "in": ["b"]}]), "108"),
    (meter("count", filters=[{"property": "who", "exists": False}]), "1"),
    (meter("count", filters=[{"property": "who", "not_in": ["a"]}]), "3"),
    (meter("count", filters=[{"property": "value", "in": [10]}, {"property": "value", "gte": 10}]), "2"),
    (meter("count", filters=[{"property": "who", "lt": 5}]), "0"),
    (meter("windowed", windows={"unit": "hour", "count": 12, "inner": "sum", "outer": "min"}), "-1"),
    (meter("windowed", windows={"unit": "hour", "inner": "count", "outer": "max"}), "2"),
    (meter("windowed", windows={"unit": "hour", "inner": "count", "outer": "min", "empty_as_zero": True}), "0"),
    (meter("windowed", windows={"unit": "minute", "count": 1440, "inner": "latest", "outer": "sum"}), "-2"),
]


@pytest.mark.parametrize(("document", "quantity"), MEASURED)
def test_a_quantity_is_measured_by_hand(document: dict[str, Any], quantity: str) -> None:
    assert measure(document, SOME, *DAY) == Fraction(quantity)
    assert measure(document, list(reversed(SOME)), *DAY) == Fraction(quantity)


@pytest.mark.parametrize("aggregation", ["count", "sum", "time_weighted"])
def test_groups_partition(aggregation: str) -> None:
    groups = measure_groups(meter(aggregation, group_by=["who"]), SOME, *DAY)
    assert set(groups) == {("",), ("a",), ("b",)}
    if aggregation != "time_weighted":
        assert sum(groups.values()) == measure(meter(aggregation), SOME, *DAY)


BUCKETS = [
    ({"unit": "hour", "time_zone": "America/New_York"}, "2024-03-10T05:00:00Z", "2024-03-11T04:00:00Z", 23),
    ({"unit": "hour", "time_zone": "America/New_York"}, "2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z", 25),
    ({"unit": "hour", "count": 2, "time_zone": "Europe/London"}, "2024-10-26T23:00:00Z", "2024-10-28T00:00:00Z", 12),
    ({"unit": "hour", "time_zone": "Australia/Lord_Howe"}, "2024-04-06T13:00:00Z", "2024-04-07T13:30:00Z", 24),
    ({"unit": "hour", "time_zone": "Asia/Kathmandu"}, "2024-01-01T00:00:00Z", "2024-01-01T02:00:00Z", 3),
    ({"unit": "minute", "count": 7}, "1970-01-01T00:00:00Z", "1970-01-01T00:15:00Z", 3),
    ({"unit": "day", "count": 7}, "2024-01-01T00:00:00Z", "2024-01-15T00:00:00Z", 2),
    ({"unit": "day", "count": 7}, "2024-01-02T00:00:00Z", "2024-01-09T00:00:00Z", 2),
    ({"unit": "day", "time_zone": "Pacific/Apia"}, "2011-12-28T10:00:00Z", "2011-12-31T10:00:00Z", 3),
    ({"unit": "month", "count": 3, "time_zone": "Europe/Berlin"}, "2023-12-31T23:00:00Z", "2024-12-31T23:00:00Z", 4),
    ({"unit": "month", "count": 12}, "2024-06-01T00:00:00Z", "2026-06-01T00:00:00Z", 3),
]


@pytest.mark.parametrize(("windows", "start", "end", "count"), BUCKETS)
def test_buckets_tile_the_period(windows: dict[str, Any], start: str, end: str, count: int) -> None:
    buckets = buckets_of(windows, micros(start), micros(end))
    assert len(buckets) == count
    assert [buckets[0][0], *(behind for _, behind in buckets)] == [*(first for first, _ in buckets), micros(end)]
    assert buckets[0][0] == micros(start)


# The product


def differs(text: str) -> str | None:
    """How the product's answer to a line of the calculator differs from the reference; None if it does not."""
    theirs = product_line(text)
    ours, faults = line_faults(text)
    if "error" not in theirs:
        answer = {key: theirs[key] for key in ("id", "amount", "amount_exact")}
        return None if not faults and answer == ours else f"product: {answer}, reference: {faults or ours}"
    code, field = theirs["error"]["code"], theirs["error"]["field"]
    for our_code, our_field in faults:
        if our_code in (code, UNDOCUMENTED) and (our_field == field or (our_field or "").endswith(UNDOCUMENTED)):
            return None
    return f"product: {code} at {field}, reference: {faults or ours}"


FAR = [{"value": 1, "timestamp": "9999-12-31T23:59:59-23:00"}]
CAP = {"percent": 1, "cap_amount": 5}
NAN = JsonNumber("NaN")
ZERO = [{"value": 1, "timestamp": "0000-02-29T00:00:00Z"}]
# Where the page decides, and readers once differed.
DECIDED: list[tuple[str, dict[str, Any], str, str | None]] = [
    ("a bare number with a fraction is no text", {"price": UNIT | {"id": JsonNumber("1.5")}}, "field_invalid", "price.id"),
    ("a bare number with an exponent is no text", {"price": UNIT | {"id": JsonNumber("1e3")}}, "field_invalid", "price.id"),
    ("nor is it a time zone", {"price": band((["mon"], "00:00", "01:00"), time_zone=JsonNumber("1.5"))}, "field_invalid", ZONE),
    ("nor a dimension", {"price": priced(matrix=A_CELL | {"dimensions": [JsonNumber("1.5")]})}, "field_invalid", DIMENSION),
    ("0 is not null, false or empty", {"price": UNIT | {"currency_options": 0}}, "price_field_unsupported", "price.currency_options"),
    ("nor is it in the other field", {"price": UNIT | {"custom_unit_amount": 0}}, "price_field_unsupported", "price.custom_unit_amount"),
    ("a time beyond the year 9999 is out of range", {"price": fees(), "events": FAR}, "event_time_out_of_range", "events[0].timestamp"),
    ("a time in the year 0000 is out of range", {"price": fees(), "events": ZERO}, "event_time_out_of_range", "events[0].timestamp"),
    ("a minimum above the cap", {"price": priced(percentage=CAP, minimum={"amount": 6})}, "bounds_reversed", "price.ext.minimum"),
    ("NaN has a place", {"price": UNIT, "quantity": NAN}, "number_not_finite", "quantity"),
    ("NaN in a field that nothing reads has one too", {"price": UNIT | {"metadata": [1, NAN]}}, "number_not_finite", "price.metadata[1]"),
    ("an id that is NaN", {"id": NAN, "price": UNIT}, "number_not_finite", "id"),
    ("null among values", {"price": when({"property": "a", "in": [None]})}, "property_not_scalar", f"price.{CONDITION}.in[0]"),
    ("a value that is text", {"price": fees(), "events": values("x")}, "event_value_unreadable", AT_VALUE),
    ("a value that is true", {"price": fees(value="c"), "events": [{"value": True, "c": 1}]}, "event_value_unreadable", AT_VALUE),
    ("a value that is infinite", {"price": fees(value="c"), "events": [{"value": "inf", "c": 1}]}, "number_not_finite", AT_VALUE),
    ("a value that is too large", {"price": fees(), "events": values(HUGE)}, "number_too_large", AT_VALUE),
    ("a value that is too long", {"price": fees(), "events": values("1" * 201)}, "number_too_large", AT_VALUE),
    ("a value with NUL", {"price": fees(), "events": values("\0")}, "event_value_unreadable", AT_VALUE),
    ("a value that is a list", {"price": fees(), "events": values([1])}, "property_not_scalar", AT_VALUE),
    ("another property that is too large", {"price": fees(value="c"), "events": [{"c": HUGE}]}, "event_value_unreadable", "events[0].c"),
    ("a bare number that is too large", {"price": UNIT, "events": [{"value": 1, "c": JsonNumber(HUGE)}]}, "number_too_large", "events[0].c"),
    ("a text of 1,001 characters", {"price": UNIT, "events": [{"value": 1, "c": "x" * 1001}]}, "text_too_long", "events[0].c"),
    ("101 properties", {"price": UNIT, "events": [{"value": 1} | {f"p{i}": i for i in range(100)}]}, "properties_too_many", "events[0]"),
    ("16,385 characters", {"price": UNIT, "events": [PAGES | {"x": "y" * 276}]}, "payload_too_large", "events[0]"),
    ("each line is held to 18 digits", {"price": priced(matrix=BOTH | LINES), "events": CANCELLING}, "amount_too_large", "events"),
    ("tiers without a tier", {"price": {"currency": "usd", "tiers_mode": "volume", "tiers": []}}, "tiers_empty", "price.tiers"),
]


@pytest.mark.parametrize(("line", "code", "field"), [row[1:] for row in DECIDED], ids=[row[0] for row in DECIDED])
def test_what_the_page_decides(line: dict[str, Any], code: str, field: str | None) -> None:
    text = dumps({"id": 1} | ({} if "events" in line else {"quantity": "1"}) | line)
    assert line_faults(text)[1][0] == (code, field)
    assert differs(text) is None


# What the page says is fine: lines that have an amount.
TAKEN: list[tuple[str, dict[str, Any], int]] = [
    ("a currency in mixed case", {"price": UNIT | {"currency": "Usd"}}, 1),
    ("false is not given", {"price": UNIT | {"currency_options": False, "custom_unit_amount": {}}}, 1),
    ("digits are those of the value", {"price": UNIT, "quantity": "0" * 150 + "1." + "0" * 30}, 1),
    ("a bare number may be spelled at any length", {"price": UNIT, "quantity": JsonNumber("1." + "0" * 300)}, 1),
    ("and with any exponent", {"price": UNIT, "quantity": JsonNumber("1e0003")}, 1000),
    ("minus zero is not negative", {"price": GRADUATED, "quantity": "-0"}, 100),
    ("values of a condition are properties", {"price": when({"property": "a", "in": ["", "x" * 1000]}), "events": []}, 0),
    ("null does not count", {"price": UNIT, "events": [{"value": 1} | {f"p{i}": None for i in range(100)}]}, 1),
    ("16,384 characters", {"price": UNIT, "events": [PAGES | {"x": "y" * 275}]}, 1),
    ("a customer of any kind", {"price": UNIT, "events": [{"value": 1, "stripe_customer_id": [1], "timestamp": None}]}, 1),
    ("RFC 3339 in all its forms", {"price": UNIT, "events": [{"value": 1, "timestamp": "2024-01-01 00:00:00.1234560000-00:00"}]}, 1),
    ("null beside events", {"price": UNIT, "quantity": None, "events": values(1)}, 1),
    ("fields without effect take anything", {"price": UNIT | {"product": "x" * 600, "type": [1], "metadata": ""}}, 1),
    ("lines may sum to 19 digits", {"price": priced(matrix=BOTH | LINES), "events": LARGE}, 10**18),
    ("a minimum as high as the cap", {"price": priced(percentage=CAP, minimum={"amount": 5}), "events": []}, 5),
    ("the minimum of a price without events", {"price": priced(rate_card=A_CARD | {"minimum_amount": 9}, minimum={"amount": 5}), "events": []}, 5),
    ("an event of value zero pays where nothing is free", {"price": fees(minimum_amount=3), "events": values(0)}, 3),
    ("and pays nothing behind a free amount", {"price": fees(minimum_amount=3, free_amount=5), "events": values(5, 0)}, 0),
    ("rounding with one cell", {"price": priced(matrix=A_CELL, conversion=ROUNDED), "events": [{"value": 3, "a": "x"}]}, 2),
    ("labels of surcharges repeat", {"price": priced(rate_card=A_CARD | {"surcharges": [EXTRA, EXTRA]}), "events": values(100)}, 3),
]


@pytest.mark.parametrize(("line", "amount"), [row[1:] for row in TAKEN], ids=[row[0] for row in TAKEN])
def test_what_the_page_takes(line: dict[str, Any], amount: int) -> None:
    text = dumps({"id": 1} | ({} if "events" in line else {"quantity": "1"}) | line)
    assert line_faults(text)[0].get("amount") == amount
    assert differs(text) is None


BY_HAND: list[dict[str, Any]] = [{"price": price, "quantity": quantity} for price, quantity, _, _ in QUANTITIES]
BY_HAND += [{"price": price, "events": payloads} for price, payloads, _, _ in EVENTS]
BY_HAND += [{"price": price, "quantity": "1"} for price, _, _ in DOCUMENTS]
BY_HAND += [{"price": price, "quantity" if isinstance(usage, str) else "events": usage} for price, usage, _, _ in USAGES]


@pytest.mark.parametrize("line", BY_HAND)
def test_the_product_agrees_on_a_line_by_hand(line: dict[str, Any]) -> None:
    assert differs(dumps({"id": 1} | line)) is None


@pytest.mark.parametrize("model", EXCLUDED)
@given(data=st.data())
def test_the_product_agrees_on_any_line(model: str, data: st.DataObject) -> None:
    line = data.draw(lines(model, EXCLUDED[model]))
    note(dumps(line))
    assert differs(dumps(line)) is None
