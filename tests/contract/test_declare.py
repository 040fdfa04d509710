"""A contract document applied again: what it may change, and that no bill is touched by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Interval, Recurrence, parse_instant
from farthing.core.base.timeline import ALL_TIME, FOREVER, Version, overlay
from farthing.core.catalog.terms import PriceVersion, TaxRate
from farthing.core.contract.contract import Agreement, Contract, Item
from farthing.core.contract.declare import Change, Declaration, declaration, given_again
from farthing.core.contract.resolve import Shelf, periods_due, terms_for
from farthing.core.usage.meter import Aggregation, Meter

DAY = 86_400_000_000
START = parse_instant("2025-01-01T00:00:00Z")
ITEMS = (Item("calls", "Calls", "calls", "calls"), Item("seats", "Seats", "seats", quantity=Fraction(3)), Item("tiers", "Tiers", "tiers", "calls"))
AGREED = Agreement(ITEMS)
TAXED = Agreement(ITEMS, tax_rates=(TaxRate("vat", "VAT", Fraction(1, 5)),))
INCLUDED = replace(TAXED, tax_rates=(replace(TAXED.tax_rates[0], inclusive=True),))
MONTHLY = Recurrence("month", 1, datetime(2025, 1, 10), "Europe/London")
YEARLY = Recurrence("year", 1, datetime(2025, 1, 1), "UTC")
SHELF = Shelf(
    {name: [Version(ALL_TIME, 1, PriceVersion(f"{name}-1", name, {"currency": "usd", "unit_amount": 1}))] for name in ("calls", "seats", "tiers")},
    {"calls": Meter("calls", "call", Aggregation.SUM)},
    lambda price: price.lineage == "tiers",
)


def contract(end: int = FOREVER, agreement: Agreement = AGREED, term: Recurrence | None = YEARLY, revision: int = 0) -> Contract:
    active = Interval(START, end)
    return Contract("k", "acme", "usd", active, MONTHLY, (Version(active, revision, agreement),), term)


def again(known: Contract, new: Contract, billed: int = 0) -> Change:
    periods = list(islice(periods_due(known, FOREVER), billed))
    return given_again(known, declaration(known), new, periods)


ENDS = st.one_of(
    st.just(FOREVER),
    st.integers(1, 900).map(lambda days: START + days * DAY),
    st.builds(MONTHLY.boundary, st.integers(1, 30)),
    st.builds(YEARLY.boundary, st.integers(1, 3)),
)


@given(old=ENDS, new=ENDS, term=st.sampled_from([None, YEARLY]), billed=st.integers(1, 16))
def test_bills_stay_as_they_were_whatever_end_is_let_through(old: int, new: int, term: Recurrence | None, billed: int) -> None:
    items = Agreement(ITEMS if term else ITEMS[:2])
    known, given = contract(old, items, term, 1), contract(new, items, term)
    periods = list(islice(periods_due(known, FOREVER - 1), billed))
    try:
        change = given_again(known, declaration(known), given, periods)
    except Refusal as refusal:
        assert (refusal.code, refusal.field) == ("contract_end_billed", "ends_at")
        assert new < max(YEARLY.period(YEARLY.index_at(p.end - 1)).end if term else p.end for p in periods) or old < new
        return
    changed = replace(given, versions=(*known.versions, *(replace(version, revision=2) for version in change.versions)))
    assert periods == list(islice(periods_due(changed, FOREVER - 1), len(periods)))
    for period in periods:
        assert terms_for(changed, period, SHELF, 2) == terms_for(known, period, SHELF, 1)
    for span in overlay(changed.versions, 2):
        assert span.value == items
    assert sum(span.interval.end - span.interval.start for span in overlay(changed.versions, 2)) >= new - START


ROWS = [
    (replace(contract(), customer="globex"), "contract_changed", "customer"),
    (replace(contract(), billing=YEARLY), "contract_changed", "billing"),
    (replace(contract(), term=None, currency="eur"), "contract_changed", "currency"),
    (contract(MONTHLY.boundary(0)), "contract_end_billed", "ends_at"),
    (contract(agreement=INCLUDED), "contract_tax_rate_changed", "tax_rates[0].inclusive"),
    (replace(contract(MONTHLY.boundary(3)), customer="globex"), "contract_changed", "customer"),
]


@pytest.mark.parametrize(("new", "code", "field"), ROWS)
def test_what_was_billed_stays_as_it_is(new: Contract, code: str, field: str) -> None:
    known = contract(agreement=TAXED if new.versions[0].value == INCLUDED else AGREED)
    assert again(known, new).declared
    with pytest.raises(Refusal) as caught:
        again(known, new, billed=2)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_the_same_contract_changes_nothing_and_other_content_holds_over_the_whole_span() -> None:
    assert again(contract(), contract(), billed=2) == Change()
    assert again(contract(), contract(agreement=TAXED), billed=2) == Change((Version(Interval(START, FOREVER), 0, TAXED),), True)


def test_other_content_never_overrides_amendments() -> None:
    known = contract()
    amended = replace(known, versions=(*known.versions, Version(Interval(START + DAY, FOREVER), 2, TAXED)))
    assert given_again(amended, Declaration(0, Agreement(ITEMS)), contract(), []) == Change()
    with pytest.raises(Refusal) as caught:
        given_again(amended, Declaration(0, Agreement(ITEMS)), contract(agreement=TAXED), [])
    assert (caught.value.code, caught.value.field) == ("contract_amended", "tax_rates")
    assert given_again(amended, Declaration(3, Agreement(ITEMS)), contract(agreement=TAXED), []).declared, "declared after it: seen"


def test_an_amendment_of_a_contract_that_has_become_another_is_refused() -> None:
    known = contract()
    amended = replace(known, currency="eur", versions=(*known.versions, Version(Interval(START + DAY, FOREVER), 0, TAXED)))
    with pytest.raises(Refusal) as caught:
        given_again(known, declaration(known), amended, [])
    assert (caught.value.code, caught.value.field) == ("contract_changed", "currency")
