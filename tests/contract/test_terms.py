"""A contract's terms: where segments begin, what share of the period they are, which keys they have, and when periods are due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Instant, Interval, parse_instant, show_instant
from farthing.core.base.timeline import ALL_TIME, FOREVER, Version
from farthing.core.catalog.terms import PriceVersion, Terms
from farthing.core.contract.contract import Contract
from farthing.core.contract.parse import parse_amendment, parse_contract
from farthing.core.contract.resolve import Shelf, agreed, periods_due, terms_for
from farthing.core.flow import over_term
from farthing.core.usage.meter import Aggregation, Meter

CALLS = {"id": "calls", "description": "Calls", "price": "calls", "meter": "m"}
SEATS = {"id": "seats", "description": "Seats", "price": "seats", "quantity": "3"}
JANUARY_1 = "2025-01-01T00:00:00Z"
METERS = {"m": Meter("m", "call", Aggregation.SUM), "n": Meter("n", "call", Aggregation.COUNT)}


def at(text: str) -> Instant:
    return parse_instant(text if "T" in text else f"{text}T00:00:00Z")


def span(start: str, end: str) -> Interval:
    return Interval(at(start), at(end))


def contract(items: Sequence[dict[str, Any]] = (CALLS, SEATS), **more: Any) -> Contract:
    document = {"id": "k", "customer": "c", "currency": "usd", "starts_at": JANUARY_1, "items": list(items)}
    return parse_contract({**document, "billing": {"interval": "month", "anchor": "2025-01-01T00:00:00"}, **more})


def amended(made: Contract, start: str, items: Sequence[dict[str, Any]], until: str | None = None, **more: Any) -> Contract:
    document = {"contract": "k", "effective_from": show_instant(at(start)), "items": list(items), **more}
    if until is not None:
        document["effective_until"] = show_instant(at(until))
    version = replace(parse_amendment(document)[1], revision=1 + max(one.revision for one in made.versions))
    return replace(made, versions=(*made.versions, version))


def version(id_: str, lineage: str, when: Interval = ALL_TIME, revision: int = 0, **document: Any) -> Version[PriceVersion]:
    return Version(when, revision, PriceVersion(id_, lineage, {"currency": "usd", "unit_amount": 1, **document}))


def shelf(*versions: Version[PriceVersion]) -> Shelf:
    prices: dict[str, list[Version[PriceVersion]]] = {"calls": [version("calls-1", "calls")], "seats": [version("seats-1", "seats")]}
    for one in versions:
        prices.setdefault(one.value.lineage, []).append(one)
    return Shelf(prices, METERS, over_term)


JANUARY, FEBRUARY = span("2025-01-01", "2025-02-01"), span("2025-02-01", "2025-03-01")


def terms(made: Contract, period: Interval = JANUARY, prices: Shelf | None = None, known: int = 99) -> list[Terms]:
    return list(terms_for(made, period, prices or shelf(), known))


def of(found: Sequence[Terms], item: str) -> list[Terms]:
    return [one for one in found if one.item == item]


def test_a_whole_period_is_one_segment_an_item() -> None:
    calls, seats = terms(contract())
    assert (calls.item, calls.meter, calls.quantity, calls.price.id) == ("calls", METERS["m"], None, "calls-1")
    assert (seats.item, seats.meter, seats.quantity, seats.price.id) == ("seats", None, 3, "seats-1")
    for one in (calls, seats):
        assert one.segment == one.metered == one.service == one.key(()).segment == JANUARY
        assert (one.share, one.open) == (1, False)


SAME = [
    ("said again", [CALLS, SEATS], {}),
    ("renamed", [{**CALLS, "description": "Requests"}, SEATS], {}),
    ("another order", [SEATS, CALLS], {}),
    ("another item", [CALLS, SEATS, {**SEATS, "id": "more"}], {}),
    ("a discount", [CALLS, SEATS], {"discounts": [{"id": "d", "percent": "10"}]}),
    ("a tax", [CALLS, SEATS], {"tax_rates": [{"id": "t", "percent": "10"}]}),
]


@pytest.mark.parametrize(("_name", "items", "more"), SAME)
def test_what_does_not_touch_rating_begins_no_segment(_name: str, items: list[dict[str, Any]], more: dict[str, Any]) -> None:
    found = of(terms(amended(contract(), "2025-01-11", items, **more)), "calls")
    assert [one.segment for one in found] == [JANUARY]


CHANGES = [
    ("price", "calls", {**CALLS, "price": "seats"}),
    ("meter", "calls", {**CALLS, "meter": "n"}),
    ("quantity", "seats", {**SEATS, "quantity": "4"}),
    ("licensed instead", "calls", {"id": "calls", "description": "Calls", "price": "calls", "quantity": "1"}),
]


@pytest.mark.parametrize(("_name", "item", "changed"), CHANGES)
def test_a_change_of_price_meter_or_quantity_begins_a_segment(_name: str, item: str, changed: dict[str, Any]) -> None:
    items = [changed if one["id"] == item else one for one in (CALLS, SEATS)]
    first, second = of(terms(amended(contract(), "2025-01-11", items)), item)
    assert (first.segment, second.segment) == (span("2025-01-01", "2025-01-11"), span("2025-01-11", "2025-02-01"))
    assert (first.share, second.share) == (Fraction(10, 31), Fraction(21, 31))
    # the key of what was before the change goes on to the end of the period: it is the key that was billed if the change is backdated
    assert (first.key(()).segment, second.key(()).segment) == (JANUARY, span("2025-01-11", "2025-02-01"))


def test_a_price_version_begins_a_segment_only_if_it_says_something_else() -> None:
    again = version("calls-1b", "calls", span("2025-01-05", "2025-01-08"), 1, nickname="Calls", metadata={"a": "b"})
    other = version("calls-2", "calls", span("2025-01-20", "2025-03-01"), 2, unit_amount=2)
    found = of(terms(contract(), JANUARY, shelf(again, other)), "calls")
    assert [(one.price.id, one.segment) for one in found] == [
        ("calls-1", span("2025-01-01", "2025-01-20")),
        ("calls-2", span("2025-01-20", "2025-02-01")),
    ]


def test_what_is_known_later_does_not_count_before() -> None:
    made = amended(contract(), "2025-01-11", [CALLS, {**SEATS, "quantity": "4"}])
    assert [one.quantity for one in of(terms(made, known=0), "seats")] == [3]
    assert [one.quantity for one in of(terms(made, known=1), "seats")] == [3, 4]


def test_an_item_that_pauses_has_two_segments_and_two_keys() -> None:
    made = amended(contract(), "2025-01-11", [CALLS], until="2025-01-21")
    found = of(terms(made), "seats")
    assert [(one.segment, one.share) for one in found] == [
        (span("2025-01-01", "2025-01-11"), Fraction(10, 31)),
        (span("2025-01-21", "2025-02-01"), Fraction(11, 31)),
    ]
    assert len({one.key(()) for one in found}) == 2


def test_what_is_called_discounted_and_taxed_is_as_at_the_end_of_the_segment() -> None:
    names = {"discounts": [{"id": "d", "percent": "10"}], "tax_rates": [{"id": "t", "percent": "20"}]}
    made = amended(contract(), "2025-01-31T23:59:59.999999Z", [{**CALLS, "description": "Requests"}, SEATS], **names)
    (calls,) = of(terms(made), "calls")
    assert (calls.description, [d.id for d in calls.discounts], [t.id for t in calls.tax_rates]) == ("Requests", ["d"], ["t"])
    assert calls.segment == JANUARY


def test_a_period_that_begins_inside_is_charged_its_share_of_the_whole() -> None:
    made = contract(starts_at="2025-01-11T00:00:00Z", ends_at="2025-02-15T00:00:00Z")
    (first,) = of(terms(made, span("2025-01-11", "2025-02-01")), "seats")
    assert (first.segment, first.share, first.key(()).segment) == (
        span("2025-01-11", "2025-02-01"),
        Fraction(21, 31),
        span("2025-01-11", "2025-02-01"),
    )
    (last,) = of(terms(made, span("2025-02-01", "2025-02-15")), "seats")
    assert (last.segment, last.share, last.open) == (span("2025-02-01", "2025-02-15"), Fraction(14, 28), False)


def test_a_share_is_of_elapsed_time_and_a_month_with_a_changed_clock_is_an_hour_shorter() -> None:
    billing = {"interval": "month", "anchor": "2025-03-01T00:00:00", "time_zone": "Europe/London"}
    made = contract(billing=billing, starts_at="2025-03-30T00:00:00Z")  # the clock goes forward at 01:00 that day
    (period,) = periods_due(made, at("2025-04-15"))
    (seats,) = of(terms(made, period), "seats")
    assert seats.share == Fraction(24 + 23, 31 * 24 - 1)


def test_an_open_part_of_a_period_meters_up_to_its_end() -> None:
    part = span("2025-01-01", "2025-01-15")
    (calls,) = of(terms(contract(), part), "calls")
    assert (calls.metered, calls.service, calls.segment, calls.open) == (part, part, JANUARY, True)
    assert calls.key(()) == of(terms(contract()), "calls")[0].key(())


TERM = {"term": {"interval": "year", "anchor": "2025-01-01T00:00:00"}}


def term_shelf(*versions: Version[PriceVersion]) -> Shelf:
    return shelf(
        version("calls-t", "calls", ALL_TIME, 1, ext={"accumulate": "term"}),
        version("seats-t", "seats", ALL_TIME, 1, ext={"accumulate": "term"}),
        *versions,
    )


def test_a_term_price_meters_from_the_beginning_of_the_term_and_has_a_key_for_each_period() -> None:
    made = contract(**TERM)
    january, february = (of(terms(made, period, term_shelf()), "calls")[0] for period in (JANUARY, FEBRUARY))
    assert (january.metered, february.metered) == (JANUARY, span("2025-01-01", "2025-03-01"))
    assert (january.service, february.service) == (JANUARY, FEBRUARY)
    assert (january.key(()).segment, february.key(()).segment) == (JANUARY, FEBRUARY)
    assert january.open and february.open
    assert january.before is None
    before = february.before
    assert before is not None and (before.metered, before.open, before.key(())) == (JANUARY, True, february.key(()))


def test_a_licensed_item_never_runs_over_the_term() -> None:
    (seats,) = of(terms(contract(**TERM), FEBRUARY, term_shelf()), "seats")
    assert (seats.segment, seats.share, seats.open) == (FEBRUARY, 1, False)


def test_the_last_period_of_a_term_closes_it_and_the_next_term_begins_anew() -> None:
    made = contract(**TERM)
    (december,) = of(terms(made, span("2025-12-01", "2026-01-01"), term_shelf()), "calls")
    (january,) = of(terms(made, span("2026-01-01", "2026-02-01"), term_shelf()), "calls")
    assert not december.open
    assert january.before is None and january.metered == january.key(()).segment == span("2026-01-01", "2026-02-01")


def test_a_term_that_ends_inside_a_period_splits_its_usage() -> None:
    made = contract(term={"interval": "year", "anchor": "2024-01-16T00:00:00"})
    first, second = of(terms(made, JANUARY, term_shelf()), "calls")
    assert (first.service, second.service) == (span("2025-01-01", "2025-01-16"), span("2025-01-16", "2025-02-01"))
    assert (first.open, second.open) == (False, True)
    assert first.share == Fraction(15, 366)  # of the whole term, which began before the contract
    assert [one.key(()).segment for one in (first, second)] == [first.service, second.service]


def test_a_term_price_that_changes_keeps_the_key_of_the_period_and_begins_another() -> None:
    change = version("calls-u", "calls", Interval(at("2025-02-11"), FOREVER), 2, unit_amount=2, ext={"accumulate": "term"})
    before, after = of(terms(contract(**TERM), FEBRUARY, term_shelf(change)), "calls")
    assert (before.metered, before.open) == (span("2025-01-01", "2025-02-11"), False)
    assert before.key(()).segment == FEBRUARY
    assert (after.metered, after.key(()).segment) == (span("2025-02-11", "2025-03-01"), span("2025-02-11", "2025-03-01"))


def test_a_gap_between_price_versions_is_refused_only_where_it_is_billed() -> None:
    prices = Shelf(
        {"calls": [version("a", "calls", span("2025-01-01", "2025-01-20")), version("b", "calls", Interval(at("2025-02-01"), FOREVER))]},
        METERS,
        over_term,
    )
    with pytest.raises(Refusal) as refused:
        terms(contract([CALLS]), JANUARY, prices)
    assert (refused.value.code, refused.value.field) == ("contract_price_missing", "items")
    assert "2025-01-20" in refused.value.message
    assert [one.price.id for one in terms(contract([CALLS]), FEBRUARY, prices)] == ["b"]


def test_a_price_need_not_exist_while_the_item_does_not() -> None:
    made = amended(contract([CALLS]), "2025-01-11", [CALLS, {**SEATS, "price": "new"}])
    prices = shelf(version("new-1", "new", Interval(at("2025-01-11"), FOREVER)))
    assert [one.segment for one in of(terms(made, JANUARY, prices), "seats")] == [span("2025-01-11", "2025-02-01")]


def test_items_come_in_the_order_agreed_first_then_by_time() -> None:
    made = amended(contract(), "2025-01-11", [{**SEATS, "quantity": "4"}, {**SEATS, "id": "more"}, CALLS])
    assert [(one.item, one.segment.start) for one in terms(made)] == [
        ("calls", at("2025-01-01")),
        ("seats", at("2025-01-01")),
        ("seats", at("2025-01-11")),
        ("more", at("2025-01-11")),
    ]


def test_two_revisions_that_say_the_same_of_an_item_agree() -> None:
    made = amended(contract(), "2025-01-11", [CALLS, {**SEATS, "quantity": "4", "description": "Chairs"}])
    assert agreed(made, "calls", JANUARY, 0) == agreed(made, "calls", JANUARY, 1)
    assert agreed(made, "seats", span("2025-01-01", "2025-01-11"), 0) == agreed(made, "seats", span("2025-01-01", "2025-01-11"), 1)
    assert [(one.interval, one.value) for one in agreed(made, "seats", JANUARY, 1)] == [
        (span("2025-01-01", "2025-01-11"), ("seats", None, 3)),
        (span("2025-01-11", "2025-02-01"), ("seats", None, 4)),
    ]


def test_the_thirty_first_is_kept_through_shorter_months() -> None:
    made = contract(billing={"interval": "month", "anchor": "2025-01-31T00:00:00"}, starts_at="2025-01-31T00:00:00Z")
    starts = [show_instant(period.start)[:10] for period in periods_due(made, at("2025-06-30"))]
    assert starts == ["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30", "2025-05-31"]


def test_a_contract_without_end_is_billed_as_far_as_time_has_come() -> None:
    assert [len(list(periods_due(contract(), at(day)))) for day in ("2025-01-31", "2025-02-01", "2025-12-31", "2030-01-01")] == [0, 1, 11, 60]


zones = st.sampled_from(("UTC", "Europe/London", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"))
hours = st.integers(0, 24 * 120).map(lambda n: at("2025-01-01") + n * 3_600_000_000)


@given(
    zones,
    st.sampled_from(("day", "week", "month", "year")),
    st.integers(1, 3),
    st.integers(1, 31),
    st.lists(hours, min_size=2, max_size=2, unique=True),
)
def test_periods_tile_whatever_their_length_zone_and_anchor(zone: str, unit: str, count: int, day: int, ends: list[Instant]) -> None:
    start, end = sorted(ends)
    billing = {"interval": unit, "interval_count": count, "anchor": f"2024-12-{day:02}T00:00:00", "time_zone": zone}
    made = contract(billing=billing, starts_at=show_instant(start), ends_at=show_instant(end))
    periods = list(periods_due(made, at("2030-01-01")))
    assert (periods[0].start, periods[-1].end) == (start, end)
    assert all(before.end == after.start for before, after in pairwise(periods))


amendments = st.lists(st.tuples(hours, hours, st.sampled_from(("1", "2", "3", None))).filter(lambda a: a[0] < a[1]), max_size=5)


@given(amendments)
def test_segments_cover_exactly_what_is_agreed_and_neighbours_differ(changes: list[tuple[Instant, Instant, str | None]]) -> None:
    made = contract()
    for start, end, quantity in changes:
        made = amended(made, show_instant(start), [CALLS] if quantity is None else [CALLS, {**SEATS, "quantity": quantity}], show_instant(end))
    for period in periods_due(made, at("2025-06-01")):
        found = of(terms(made, period), "seats")
        for hour in range(period.start, period.end, 7 * 3_600_000_000):
            wanted = next((q for start, end, q in reversed(changes) if start <= hour < end), "3")
            assert [one.quantity for one in found if hour in one.segment] == ([] if wanted is None else [int(wanted)])
        assert all(before.quantity != after.quantity for before, after in pairwise(found) if before.segment.end == after.segment.start)
        assert sum((one.share for one in found), Fraction(0)) == Fraction(
            sum(one.segment.end - one.segment.start for one in found), period.end - period.start
        )
        assert len({one.key(()) for one in found}) == len(found)
