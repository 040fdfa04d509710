"""A row for every refusal of contract documents and of resolving terms."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Any

import pytest

from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Interval, parse_instant
from farthing.core.base.timeline import ALL_TIME, Version
from farthing.core.catalog.terms import PriceVersion
from farthing.core.contract.contract import Contract
from farthing.core.contract.parse import agreement_document, contract_document, parse_amendment, parse_contract, read_agreement, read_contract
from farthing.core.contract.resolve import Shelf, periods_due, terms_for
from farthing.core.flow import over_term
from farthing.core.usage.meter import Aggregation, Meter

GOOD: dict[str, Any] = {
    "id": "k",
    "customer": "c",
    "currency": "usd",
    "starts_at": "2025-01-01T00:00:00Z",
    "ends_at": "2026-01-01T00:00:00Z",
    "billing": {"interval": "month", "interval_count": 1, "anchor": "2025-01-01T00:00:00", "time_zone": "UTC"},
    "items": [
        {"id": "a", "description": "Calls", "price": "calls", "meter": "m"},
        {"id": "b", "description": "Seats", "price": "seats", "quantity": "2.5"},
    ],
    "discounts": [{"id": "d", "percent": "12.5", "items": ["a"]}, {"id": "e", "amount": 100}],
    "tax_rates": [{"id": "t", "name": "VAT", "percent": "20", "inclusive": True, "jurisdiction": "GB"}],
    "term": {"interval": "year", "anchor": "2025-01-01T00:00:00"},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    document = copy.deepcopy(GOOD)
    node: Any = document
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split("/")]
    for part in parents:
        node = node[part]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return document


ROWS = [
    ("customer", None, "field_missing", "customer"),
    ("colour", "red", "field_unknown", "colour"),
    ("currency", "xyz", "currency_unknown", "currency"),
    ("starts_at", "2025-01-01T00:00:00", "timestamp_naive", "starts_at"),
    ("ends_at", "2025-01-01T00:00:00Z", "contract_span_empty", "ends_at"),
    ("ends_at", "2024-12-31T23:59:59.999999Z", "contract_span_empty", "ends_at"),
    ("billing/interval", "fortnight", "field_invalid", "billing.interval"),
    ("billing/interval_count", 0, "field_invalid", "billing.interval_count"),
    ("billing/interval_count", 121, "field_invalid", "billing.interval_count"),
    ("billing/interval_count", 10**9, "field_invalid", "billing.interval_count"),
    ("term/interval", "fortnight", "field_invalid", "term.interval"),
    ("starts_at", "0001-01-01T00:00:00Z", "contract_time_out_of_range", "starts_at"),
    ("ends_at", "9999-12-31T23:59:59Z", "contract_time_out_of_range", "ends_at"),
    ("billing/anchor", "9999-12-31T00:00:00", "contract_time_out_of_range", "billing.anchor"),
    ("billing/interval_count", "1.5", "number_not_whole", "billing.interval_count"),
    ("billing/anchor", "2025-02-30T00:00:00", "field_invalid", "billing.anchor"),
    ("billing/anchor", "2025-01-01T00:00:00+01:00", "field_invalid", "billing.anchor"),
    ("billing/time_zone", "Mars/Olympus", "time_zone_unknown", "billing.time_zone"),
    ("items", [], "field_missing", "items"),
    ("items/1/id", "a", "contract_item_twice", "items[1].id"),
    ("items/0/quantity", 1, "contract_quantity_misplaced", "items[0].quantity"),
    ("items/1/quantity", None, "contract_quantity_misplaced", "items[1].quantity"),
    ("items/0/in_advance", True, "contract_advance_metered", "items[0].in_advance"),
    ("items/1/in_advance", "yes", "field_invalid", "items[1].in_advance"),
    ("below_zero", "refund", "field_invalid", "below_zero"),
    ("items/1/quantity", "-1", "number_negative", "items[1].quantity"),
    ("discounts/0/percent", "100.01", "field_invalid", "discounts[0].percent"),
    ("discounts/0/amount", 5, "fields_conflict", "discounts[0].amount"),
    ("discounts/1/amount", "0.5", "number_not_whole", "discounts[1].amount"),
    ("discounts/1/id", "d", "contract_discount_twice", "discounts[1].id"),
    ("tax_rates", [{"id": "t", "percent": 20}, {"id": "t", "percent": 5}], "contract_tax_rate_twice", "tax_rates[1].id"),
    ("tax_rates/0/percent", "NaN", "number_not_finite", "tax_rates[0].percent"),
    ("tax_rates/0/inclusive", "yes", "field_invalid", "tax_rates[0].inclusive"),
]


@pytest.mark.parametrize(("path", "value", "code", "field"), ROWS)
def test_a_wrong_contract_is_refused_by_name_and_place(path: str, value: Any, code: str, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_contract(changed(path, value))
    assert (refused.value.code, refused.value.field) == (code, field)


def test_an_amendment_says_its_contract_and_span() -> None:
    amendment = {"contract": "k", "effective_from": "2025-03-01T00:00:00Z", "items": GOOD["items"]}
    contract, version = parse_amendment(amendment)
    assert (contract, version.effective.start) == ("k", parse_instant("2025-03-01T00:00:00Z"))
    with pytest.raises(Refusal, match="contract_span_empty"):
        parse_amendment({**amendment, "effective_until": "2025-03-01T00:00:00Z"})


def test_a_contract_reads_back_from_what_the_store_keeps() -> None:
    contract = parse_contract(GOOD)
    versions = tuple(Version(v.effective, v.revision, read_agreement(agreement_document(v.value))) for v in contract.versions)
    assert read_contract(contract_document(contract), versions) == contract


METER = Meter("m", "call", Aggregation.SUM)
CALLS: dict[str, Any] = {"currency": "usd", "unit_amount": 1}


def shelf(calls: dict[str, Any] = CALLS, meters: tuple[Meter, ...] = (METER,), span: Interval = ALL_TIME) -> Shelf:
    prices = {
        "calls": [Version(span, 1, PriceVersion("calls-1", "calls", calls))],
        "seats": [Version(ALL_TIME, 1, PriceVersion("seats-1", "seats", {"currency": "usd", "unit_amount": 2}))],
    }
    return Shelf(prices, {meter.id: meter for meter in meters}, over_term)


def january(contract: Contract) -> Interval:
    return next(periods_due(contract, parse_instant("2025-02-01T00:00:00Z")))


LATE = Interval(parse_instant("2025-01-10T00:00:00Z"), ALL_TIME.end)
RESOLVING = [
    ("contract_price_missing", GOOD, shelf(span=LATE)),
    ("contract_meter_missing", GOOD, shelf(meters=())),
    ("contract_currency_differs", GOOD, shelf({"currency": "eur", "unit_amount": 1})),
    ("contract_term_missing", changed("term", None), shelf({**CALLS, "ext": {"accumulate": "term"}})),
]


@pytest.mark.parametrize(("code", "document", "known"), RESOLVING)
def test_terms_that_cannot_be_resolved_are_refused_by_name(code: str, document: dict[str, Any], known: Shelf) -> None:
    contract = parse_contract(document)
    with pytest.raises(Refusal) as refused:
        terms_for(contract, january(contract), known, 1)
    assert refused.value.code == code


def test_terms_resolve_where_nothing_is_missing() -> None:
    contract = parse_contract(GOOD)
    terms = terms_for(contract, january(contract), shelf(), 1)
    assert [(one.item, one.share, one.segment == january(contract)) for one in terms] == [("a", 1, True), ("b", 1, True)]


@pytest.mark.parametrize("zone", ["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("anchor", ["2023-12-29T00:00:00", "2024-01-30T12:30:00", "2024-01-31T00:00:00"])
def test_periods_tile_the_contract_without_gap_or_overlap(zone: str, anchor: str) -> None:
    span = {"starts_at": "2024-01-05T06:00:00Z", "ends_at": "2026-04-11T10:00:00Z"}
    billing = {"interval": "month", "anchor": anchor, "time_zone": zone}
    contract = parse_contract({**GOOD, **span, "billing": billing})
    periods = list(periods_due(contract, parse_instant("2027-01-01T00:00:00Z")))
    assert (periods[0].start, periods[-1].end) == (contract.active.start, contract.active.end)
    assert all(before.end == after.start for before, after in pairwise(periods))
    assert not list(periods_due(contract, periods[0].end - 1))
    assert list(periods_due(contract, periods[0].end)) == periods[:1]
