"""Where a contract ends inside a period, and an amendment or a price runs on: segments, shares and keys end with the contract."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from farthing.core.base.time import Interval, parse_instant
from farthing.core.base.timeline import ALL_TIME, Version
from farthing.core.catalog.terms import PriceVersion, Terms
from farthing.core.contract.contract import Contract
from farthing.core.contract.parse import parse_amendment, parse_contract
from farthing.core.contract.resolve import Shelf, agreed, terms_for
from farthing.core.flow import over_term
from farthing.core.usage.meter import Aggregation, Meter

SEATS = {"id": "seats", "price": "seats", "quantity": "3"}
CALLS = {"id": "calls", "price": "calls", "meter": "m"}
MONTHLY = {"interval": "month", "anchor": "2025-01-01T00:00:00"}


def span(start: str, end: str) -> Interval:
    return Interval(parse_instant(f"{start}T00:00:00Z"), parse_instant(f"{end}T00:00:00Z"))


def ends_on_the_16th() -> Contract:
    """Until 16 January; from the 11th on, without an end, it is four seats."""
    who: dict[str, object] = {"id": "k", "customer": "c", "currency": "usd", "starts_at": "2025-01-01T00:00:00Z", "ends_at": "2025-01-16T00:00:00Z"}
    spans = {"billing": MONTHLY, "term": {**MONTHLY, "interval": "year"}}
    made = parse_contract({**who, **spans, "items": [SEATS, CALLS]})
    items = [{**SEATS, "quantity": "4"}, CALLS]
    amendment = parse_amendment({"contract": "k", "effective_from": "2025-01-11T00:00:00Z", "items": items})[1]
    return replace(made, versions=(*made.versions, replace(amendment, revision=1)))


def terms(accumulate: str) -> list[Terms]:
    usd = {"currency": "usd", "unit_amount": 1}
    calls = PriceVersion("calls-1", "calls", {**usd, "ext": {"accumulate": accumulate}} if accumulate else usd)
    prices = {"calls": [Version(ALL_TIME, 0, calls)], "seats": [Version(ALL_TIME, 0, PriceVersion("seats-1", "seats", usd))]}
    shelf = Shelf(prices, {"m": Meter("m", "call", Aggregation.SUM)}, over_term)
    return list(terms_for(ends_on_the_16th(), span("2025-01-01", "2025-01-16"), shelf, 1))


@pytest.mark.parametrize(("accumulate", "share"), [("", Fraction(15, 31)), ("term", Fraction(15, 365))])
def test_the_last_segments_and_their_keys_end_with_the_contract(accumulate: str, share: Fraction) -> None:
    before, after, calls = terms(accumulate)
    assert (before.segment, before.share, before.open) == (span("2025-01-01", "2025-01-11"), Fraction(10, 31), False)
    assert (after.segment, after.share, after.open) == (span("2025-01-11", "2025-01-16"), Fraction(5, 31), False)
    assert (calls.segment, calls.share, calls.open) == (span("2025-01-01", "2025-01-16"), share, False)
    assert [one.key(()).segment for one in (before, after, calls)] == [
        span("2025-01-01", "2025-01-16"),
        span("2025-01-11", "2025-01-16"),
        span("2025-01-01", "2025-01-16"),
    ]


def test_what_is_agreed_again_after_a_pause_is_not_joined_to_what_was_before_it() -> None:
    made = ends_on_the_16th()
    days = {"effective_from": "2025-01-03T00:00:00Z", "effective_until": "2025-01-05T00:00:00Z"}
    pause = parse_amendment({"contract": "k", **days, "items": [SEATS]})[1]
    paused = replace(made, versions=(*made.versions, replace(pause, revision=2)))
    january = span("2025-01-01", "2025-02-01")
    assert [one.interval for one in agreed(paused, "calls", january, 1)] == [january]
    assert [one.interval for one in agreed(paused, "calls", january, 2)] == [span("2025-01-01", "2025-01-03"), span("2025-01-05", "2025-02-01")]
    four = Interval(parse_instant("2025-01-11T00:00:00Z"), january.end)
    assert [(one.interval.start, one.value[2]) for one in agreed(paused, "seats", january, 2)] == [(january.start, 3), (four.start, 4)]
