"""A contract that is put again: what may change of it before and after it was billed, on every store."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from farthing.app.store import Store
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Interval, Recurrence
from farthing.core.base.timeline import FOREVER, Version, overlay
from farthing.core.catalog.terms import TaxRate
from farthing.core.contract.contract import Agreement, Contract, Item
from farthing.testing.builders import FEBRUARY, JANUARY, MARCH, MONTHLY, YEAR, bill, contract, event, line, open_contract

SEATS = Agreement((Item("seats", "Seats", "seats", quantity=Fraction(5)),))
MORE = Agreement((Item("seats", "Seats", "seats", quantity=Fraction(9)),))
YEARLY = Recurrence("year", 1, MONTHLY.anchor, "UTC")
OPEN = Interval(YEAR.start, FOREVER)


def refused(store: Store, given: Contract) -> tuple[str, str | None]:
    before = store.revision()
    with pytest.raises(Refusal) as caught:
        store.put_contract(given)
    assert store.revision() == before
    return caught.value.code, caught.value.field


def kept(store: Store) -> Contract:
    [found] = [one for customer in store.customers() for one in store.contracts(customer)]
    return found


def agreed(store: Store) -> list[tuple[Interval, Agreement]]:
    return [(span.interval, span.value) for span in overlay(kept(store).versions, store.revision())]


def amended(store: Store, effective: Interval, agreement: Agreement) -> int:
    known = kept(store)
    return store.put_contract(replace(known, versions=(*known.versions, Version(effective, 0, agreement))))


CHANGES = {
    "customer": contract(customer="globex"),
    "currency": replace(contract(), currency="eur"),
    "term": replace(contract(), term=YEARLY),
    "billing": replace(contract(), billing=YEARLY),
    "starts_at": contract(active=Interval(FEBRUARY.start, YEAR.end)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_never_billed_may_change_in_all_and_once_billed_no_more(store: Store, what: str) -> None:
    open_contract(store)
    store.put_customer("globex", {})
    head = store.put_contract(CHANGES[what])
    assert replace(kept(store), versions=()) == replace(CHANGES[what], versions=())
    assert head == store.put_contract(CHANGES[what]) == store.revision(), "the same again adds nothing"
    assert store.put_contract(contract()) == head + 1, "and back"
    assert replace(kept(store), versions=()) == replace(contract(), versions=())
    store.finalise(*_known(bill("in_1", line(100)), store.revision()))
    assert refused(store, CHANGES[what]) == ("contract_changed", what)


def _known(made, revision):
    document, *rest = made
    return (replace(document, pins={**document.pins, "revision": revision}), *rest)


def test_a_contract_of_a_customer_that_is_unknown_stays_as_it_was(store: Store) -> None:
    open_contract(store)
    assert refused(store, contract(customer="nobody")) == ("customer_unknown", "customer")
    assert kept(store).customer == "acme"


def test_another_agreement_holds_instead_and_going_back_to_the_first_one_does_too(store: Store) -> None:
    open_contract(store)
    first = contract().versions[0].value
    for agreement in (SEATS, SEATS, first, first, MORE):
        store.put_contract(contract(agreement=agreement))
        assert agreed(store) == [(YEAR, agreement)]
    assert len(kept(store).versions) == 4, "what was said before is history"


def test_amendments_stay_when_the_same_contract_comes_again_and_are_never_overridden_by_another(store: Store) -> None:
    open_contract(store)
    store.put_contract(contract(agreement=SEATS))
    amended(store, MARCH, MORE)
    before = store.revision()
    assert store.put_contract(contract(agreement=SEATS)) <= before == store.revision()
    assert (MARCH, MORE) in agreed(store)
    assert refused(store, contract(agreement=MORE)) == ("contract_amended", "items")
    assert refused(store, contract()) == ("contract_amended", "items")


def test_a_new_span_keeps_amendments_and_goes_on_as_agreed_at_its_end(store: Store) -> None:
    open_contract(store)
    amended(store, Interval(MARCH.start, YEAR.end), SEATS)
    store.put_contract(contract(active=Interval(YEAR.start - 1, FOREVER)))
    first = contract().versions[0].value
    assert agreed(store) == [
        (Interval(YEAR.start - 1, YEAR.start), first),
        (Interval(YEAR.start, MARCH.start), first),
        (Interval(MARCH.start, YEAR.end), SEATS),
        (Interval(YEAR.end, FOREVER), SEATS),
    ]


def test_once_billed_the_end_may_move_but_not_through_what_was_billed(store: Store) -> None:
    open_contract(store)
    store.finalise(*bill("in_1", line(100)))
    store.finalise(*bill("in_2", line(70, period=FEBRUARY), period=FEBRUARY))
    for end in (FEBRUARY.end - 1, JANUARY.end):
        assert refused(store, contract(active=Interval(YEAR.start, end))) == ("contract_end_billed", "ends_at")
    for end in (FEBRUARY.end, MARCH.end - 5, YEAR.end + 1, FOREVER, YEAR.end):
        store.put_contract(contract(active=Interval(YEAR.start, end)))
        assert kept(store).active.end == end
    assert refused(store, replace(contract(active=OPEN), currency="eur")) == ("contract_changed", "currency")


def test_a_tax_that_was_billed_on_top_is_not_contained_later_under_the_same_id(store: Store) -> None:
    open_contract(store)
    taxed = replace(SEATS, tax_rates=(TaxRate("vat", "VAT", Fraction(1, 5)),))
    contained = replace(SEATS, tax_rates=(TaxRate("vat", "VAT", Fraction(1, 5), inclusive=True),))
    store.put_contract(contract(agreement=contained))
    store.put_contract(contract(agreement=taxed))
    store.put_contract(contract(agreement=contained))
    store.finalise(*_known(bill("in_1", line(100)), store.revision()))
    assert refused(store, contract(agreement=taxed)) == ("contract_tax_rate_changed", "tax_rates[0].inclusive")


def test_a_last_period_that_was_billed_short_stays_short(store: Store) -> None:
    open_contract(store)
    store.put_contract(contract(active=Interval(YEAR.start, JANUARY.start + 9)))
    short = Interval(YEAR.start, JANUARY.start + 9)
    store.finalise(*_known(bill("in_1", line(100, period=short), period=short), store.revision()))
    assert refused(store, contract()) == ("contract_end_billed", "ends_at")


def test_a_term_that_was_begun_and_billed_stays_as_long_as_it_was(store: Store) -> None:
    open_contract(store)
    termed = replace(contract(active=OPEN), term=YEARLY)
    store.put_contract(termed)
    store.finalise(*_known(bill("in_1", line(100)), store.revision()))
    short = Interval(YEAR.start, MARCH.end)
    assert refused(store, replace(termed, active=short, versions=contract(active=short).versions)) == ("contract_end_billed", "ends_at")
    store.put_contract(replace(termed, active=YEAR, versions=contract(active=YEAR).versions))
    assert kept(store).active == YEAR


def test_drafts_of_a_contract_that_is_declared_anew_go_and_cannot_become_final(store: Store) -> None:
    open_contract(store)
    draft = _known(bill("in_1", line(100)), store.revision())
    store.save_drafts("acme-1", [draft[0]], {"in_1": draft[1]})
    store.put_contract(contract(active=OPEN))
    assert list(store.drafts()) == []
    with pytest.raises(Refusal) as caught:
        store.finalise(*draft)
    assert caught.value.code == "document_outdated"
    assert store.finalise(*_known(draft, store.revision())) == "INV-000001"


def test_events_wait_by_the_span_and_the_customer_that_hold_now(store: Store) -> None:
    open_contract(store)
    store.append([event("a"), event("late", at=YEAR.end)])
    assert [one.events for one in store.aside()] == [1]
    store.put_contract(contract(active=OPEN))
    assert list(store.aside()) == []
    store.put_customer("globex", {})
    store.put_contract(contract(customer="globex", active=OPEN))
    assert [(one.customer, one.events) for one in store.aside()] == [("acme", 2)]


def test_an_undone_transaction_leaves_the_contract_as_it_was(store: Store) -> None:
    open_contract(store)
    with pytest.raises(RuntimeError), store.transaction():
        store.put_contract(contract(active=OPEN, agreement=SEATS))
        raise RuntimeError
    assert kept(store) == replace(contract(), versions=(replace(contract().versions[0], revision=store.revision()),))
