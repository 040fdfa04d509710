"""A contract resolves to terms: where segments begin, what share of the period they are, and which key they have."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.time import Interval, Recurrence, parse_instant
from farthing.core.base.timeline import ALL_TIME, FOREVER, Version
from farthing.core.catalog.terms import Discount, PriceVersion, Terms
from farthing.core.contract.contract import Agreement, Contract, Item
from farthing.core.contract.resolve import Shelf, agreed, periods_due, terms_for
from farthing.core.flow import over_term
from farthing.core.usage.meter import Aggregation, Meter

CALLS, SEATS = Item("calls", "Calls", "calls", meter="m"), Item("seats", "Seats", "seats", quantity=Fraction(2))
METERS = {"m": Meter("m", "call", Aggregation.SUM), "n": Meter("n", "call", Aggregation.COUNT)}
MONTHLY = Recurrence("month", 1, datetime(2025, 1, 1), "UTC")
YEARLY = Recurrence("year", 1, datetime(2025, 1, 1), "UTC")
DAY = 86_400_000_000


def day(text: str) -> int:
    return parse_instant(f"{text}T00:00:00Z")


def span(start: str, end: str | None = None) -> Interval:
    return Interval(day(start), FOREVER if end is None else day(end))


def price(lineage: str, id_: str | None = None, effective: Interval = ALL_TIME, revision: int = 1, **ext: Any) -> Version[PriceVersion]:
    document = {"currency": "usd", "unit_amount": 1, **({"ext": ext} if ext else {})}
    return Version(effective, revision, PriceVersion(id_ or f"{lineage}-1", lineage, document))


def shelf(*versions: Version[PriceVersion]) -> Shelf:
    prices: dict[str, list[Version[PriceVersion]]] = {"calls": [price("calls")], "seats": [price("seats")]}
    for version in versions:
        prices[version.value.lineage] = [*(prices[version.value.lineage] if version.revision > 1 else []), version]
    return Shelf(prices, METERS, over_term)


def contract(*later: tuple[Interval, Agreement], active: Interval | None = None, **more: Any) -> Contract:
    active = active or span("2025-01-01")
    first = Version(active, 1, Agreement((CALLS, SEATS)))
    return Contract("k", "c", "usd", active, MONTHLY, (first, *(Version(s, n, a) for n, (s, a) in enumerate(later, 2))), **more)


JANUARY = span("2025-01-01", "2025-02-01")


def shown(terms: Terms) -> tuple[str, Interval, Fraction]:
    return terms.item, terms.segment, terms.share


def of(item: str, terms: tuple[Terms, ...]) -> list[Terms]:
    return [one for one in terms if one.item == item]


def test_a_change_of_quantity_splits_the_item_that_it_is_about_and_no_other() -> None:
    more = replace(SEATS, quantity=Fraction(5))
    found = terms_for(contract((span("2025-01-11"), Agreement((CALLS, more)))), JANUARY, shelf(), 9)
    assert [shown(one) for one in found] == [
        ("calls", JANUARY, 1),
        ("seats", span("2025-01-01", "2025-01-11"), Fraction(10, 31)),
        ("seats", span("2025-01-11", "2025-02-01"), Fraction(21, 31)),
    ]
    assert [one.quantity for one in of("seats", found)] == [2, 5]


CHANGES = [
    ("price", replace(CALLS, price="other"), 2),
    ("meter", replace(CALLS, meter="n"), 2),
    ("meter to quantity", Item("calls", "Calls", "calls", quantity=Fraction(1)), 2),
    ("description", replace(CALLS, description="API calls"), 1),
    ("nothing", CALLS, 1),
]


@pytest.mark.parametrize(("what", "item", "segments"), CHANGES, ids=[row[0] for row in CHANGES])
def test_a_segment_begins_where_something_changes_that_matters(what: str, item: Item, segments: int) -> None:
    found = terms_for(contract((span("2025-01-11"), Agreement((item, SEATS)))), JANUARY, shelf(price("other")), 9)
    assert len(of("calls", found)) == segments


def test_a_new_version_of_the_price_begins_a_segment_and_so_fresh_tiers() -> None:
    found = of("calls", terms_for(contract(), JANUARY, shelf(price("calls", "calls-2", span("2025-01-11"), 2)), 9))
    assert [(one.price.id, one.segment.start) for one in found] == [("calls-1", day("2025-01-01")), ("calls-2", day("2025-01-11"))]
    assert [one.metered for one in found] == [one.segment for one in found]


def test_a_version_known_later_is_not_seen_before() -> None:
    known = shelf(price("calls", "calls-2", ALL_TIME, 5))
    assert [of("calls", terms_for(contract(), JANUARY, known, n))[0].price.id for n in (4, 5)] == ["calls-1", "calls-2"]


def test_an_item_that_comes_or_goes_inside_the_period_is_there_for_its_part() -> None:
    found = terms_for(contract((span("2025-01-11"), Agreement((SEATS,)))), JANUARY, shelf(), 9)
    assert [shown(one) for one in found] == [("calls", span("2025-01-01", "2025-01-11"), Fraction(10, 31)), ("seats", JANUARY, 1)]


def test_a_pause_makes_two_stretches() -> None:
    found = terms_for(contract((span("2025-01-11", "2025-01-21"), Agreement(()))), JANUARY, shelf(), 9)
    assert [one.segment for one in of("calls", found)] == [span("2025-01-01", "2025-01-11"), span("2025-01-21", "2025-02-01")]


def test_the_share_is_of_the_whole_period_even_where_the_contract_begins_or_ends_inside() -> None:
    short = contract(active=span("2025-01-11", "2025-01-21"))
    (period,) = periods_due(short, day("2025-02-01"))
    assert [shown(one) for one in terms_for(short, period, shelf(), 9)] == [
        ("calls", span("2025-01-11", "2025-01-21"), Fraction(10, 31)),
        ("seats", span("2025-01-11", "2025-01-21"), Fraction(10, 31)),
    ]


def test_discounts_taxes_and_names_are_those_of_the_segments_last_microsecond() -> None:
    renamed = Agreement((replace(CALLS, description="API calls"), SEATS), (Discount("d", Fraction(1, 2)),))
    for start, name in ((day("2025-02-01") - 1, "API calls"), (day("2025-02-01"), "Calls")):
        found = of("calls", terms_for(contract((Interval(start, FOREVER), renamed)), JANUARY, shelf(), 9))
        assert [(one.description, len(one.discounts), one.segment) for one in found] == [(name, int(name != "Calls"), JANUARY)]


def test_the_key_reaches_to_the_end_of_the_period_so_that_a_change_inside_keeps_it() -> None:
    before = of("seats", terms_for(contract(), JANUARY, shelf(), 9))
    after = of("seats", terms_for(contract((span("2025-01-11"), Agreement((CALLS, replace(SEATS, quantity=Fraction(5)))))), JANUARY, shelf(), 9))
    assert [one.key(()) for one in before] == [after[0].key(())]
    assert [one.key(()).segment for one in after] == [JANUARY, span("2025-01-11", "2025-02-01")]


def test_a_part_of_a_period_has_the_keys_and_shares_of_the_whole_and_stays_open() -> None:
    part, whole = (of("calls", terms_for(contract(), period, shelf(), 9))[0] for period in (span("2025-01-01", "2025-01-11"), JANUARY))
    assert (part.key(()), part.segment, part.share) == (whole.key(()), whole.segment, whole.share)
    assert (part.metered, part.service) == (span("2025-01-01", "2025-01-11"),) * 2
    assert (part.open, whole.open) == (True, False)


def test_a_price_over_the_term_is_metered_from_the_terms_begin_and_has_one_key() -> None:
    long = contract(term=YEARLY)
    known = shelf(price("calls", accumulate="term"))
    months = [span("2025-01-01", "2025-02-01"), span("2025-02-01", "2025-03-01"), span("2025-12-01", "2026-01-01")]
    found = [of("calls", terms_for(long, month, known, 9))[0] for month in months]
    assert [one.metered for one in found] == [Interval(day("2025-01-01"), month.end) for month in months]
    assert [one.service for one in found] == months
    assert {one.key(()).segment for one in found} == {span("2025-01-01", "2026-01-01")}
    assert [one.open for one in found] == [True, True, False]
    assert {one.share for one in found} == {Fraction(1)}


def test_a_change_inside_the_term_begins_a_stretch_of_its_own() -> None:
    long = contract(term=YEARLY)
    known = shelf(price("calls", accumulate="term"), price("calls", "calls-2", span("2025-02-11"), 2, accumulate="term"))
    found = of("calls", terms_for(long, span("2025-02-01", "2025-03-01"), known, 9))
    assert [(one.price.id, one.metered, one.share) for one in found] == [
        ("calls-1", span("2025-01-01", "2025-02-11"), Fraction(41, 365)),
        ("calls-2", span("2025-02-11", "2025-03-01"), Fraction(324, 365)),
    ]
    assert [(one.key(()).segment, one.open) for one in found] == [(span("2025-01-01", "2026-01-01"), False), (span("2025-02-11", "2026-01-01"), True)]


def test_a_term_that_ends_inside_a_period_makes_two_segments() -> None:
    yearly_from_mid_month = Recurrence("year", 1, datetime(2024, 2, 15), "UTC")
    found = of(
        "calls", terms_for(contract(term=yearly_from_mid_month), span("2025-02-01", "2025-03-01"), shelf(price("calls", accumulate="term")), 9)
    )
    assert [(one.service, one.metered.start) for one in found] == [
        (span("2025-02-01", "2025-02-15"), day("2025-01-01")),
        (span("2025-02-15", "2025-03-01"), day("2025-02-15")),
    ]


def test_licensed_items_never_accumulate() -> None:
    found = of("seats", terms_for(contract(), JANUARY, shelf(price("seats", accumulate="term")), 9))
    assert [shown(one) for one in found] == [("seats", JANUARY, 1)]


def test_items_stand_in_the_order_in_which_they_were_first_agreed() -> None:
    turned = Agreement((Item("extra", "Extra", "seats", quantity=Fraction(1)), SEATS, CALLS))
    found = terms_for(contract((span("2025-01-11"), turned)), JANUARY, shelf(), 9)
    assert [one.item for one in found] == ["calls", "seats", "extra"]


def test_what_a_revision_says_about_an_item() -> None:
    made = contract(
        (span("2025-01-11"), Agreement((replace(CALLS, description="API calls"),))), (span("2025-01-21"), Agreement((replace(CALLS, meter="n"),)))
    )
    said = [[(one.interval, one.value) for one in agreed(made, "calls", JANUARY, known)] for known in (1, 2, 3)]
    assert said[0] == said[1] == [(JANUARY, ("calls", "m", None))]
    assert [value for _, value in said[2]] == [("calls", "m", None), ("calls", "n", None)]
    assert [[one.interval for one in agreed(made, "seats", JANUARY, known)] for known in (1, 2)] == [[JANUARY], [span("2025-01-01", "2025-01-11")]]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 31), st.sampled_from((None, 1, 2))), max_size=6))
def test_the_segments_of_an_item_tile_the_time_in_which_it_is_agreed(changes: list[tuple[int, int, int | None]]) -> None:
    later = [
        (Interval(JANUARY.start + a * DAY, JANUARY.start + (a + b) * DAY), Agreement(() if q is None else (replace(SEATS, quantity=Fraction(q)),)))
        for a, b, q in changes
    ]
    made = contract(*later)
    found = of("seats", terms_for(made, JANUARY, shelf(), 99))
    for n in range(31):
        at = JANUARY.start + n * DAY
        holding = [one.quantity for one in found if at in one.segment]
        last = next(version for version in sorted(made.versions, key=lambda v: -v.revision) if at in version.effective)
        assert holding == [row.quantity for row in last.value.items if row.id == "seats"]
    assert all(one.segment.start < one.segment.end for one in found)
    assert len({one.key(()) for one in found}) == len(found)
    assert sum((one.share for one in found), Fraction(0)) <= 1
