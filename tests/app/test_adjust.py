"""Bills that become void, amounts that are given up, and part-invoices: on a real database, by both engines, and proven after."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from app_books import Books, call, catalogue, lines

from farthing.app.adjust import void, waive
from farthing.app.store import void_entry
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import parse_instant
from farthing.core.catalog.terms import Grant
from farthing.core.invoice.document import read_document
from farthing.edges.postgres.store import PostgresStore


@pytest.fixture
def january(books: Books) -> Books:
    """Calls for 12 units (11.00) in January, and the invoice of it."""
    document = catalogue(items=[{"id": "calls", "description": "API calls", "price": "calls", "meter": "calls"}])
    books.apply(document)
    books.log(call("a", "2025-01-05T00:00:00Z", 12))
    assert lines(books.bill("2025-02-01T00:00:00Z")) == [("invoice", "charge", "API calls", "12", 1100)]
    return books


def sums(books: Books) -> dict[tuple[str, str], int]:
    """The balance of each ledger account, by (account, subject), over the first document and its void."""
    found: dict[tuple[str, str], int] = {}
    for stored in books.store.documents():
        for entry in (stored.id, void_entry(stored.id)):
            for posting in books.store.postings(entry):
                place = posting["account"], posting["subject"]
                found[place] = found.get(place, 0) + posting["amount"]
    return found


def refused(code: str, act: Any, *arguments: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        act(*arguments)
    assert caught.value.code == code
    return caught.value


def test_a_void_bill_reverses_its_entry_and_is_verified(january: Books) -> None:
    made = void(january.clerk(), "INV-000001", "reissue", "sent to the wrong address")
    assert (made.state, made.void and made.void.disposition, made.number) == ("void", "reissue", "INV-000001")
    assert all(amount == 0 for amount in sums(january).values())
    legs = january.store.postings(void_entry(made.id))
    assert {leg["entry"] for leg in legs} == {"void"}
    assert {leg["period"] for leg in legs} == {"2025-06"}
    assert january.store.issued("acme-1") == []
    january.log(call("late", "2025-01-06T00:00:00Z", 1))
    again = january.bill("2025-02-01T00:00:00Z")
    assert (again[0].number, lines(again)) == ("INV-000002", [("invoice", "charge", "API calls", "13", 1150)])
    result = january.verify()
    assert result.verified, result
    assert result.documents == 2


def test_what_is_given_up_with_a_bill_is_not_billed_again(january: Books) -> None:
    void(january.clerk(), "INV-000001", "waive", "goodwill")
    assert january.bill("2025-02-01T00:00:00Z") == []
    january.log(call("late", "2025-01-06T00:00:00Z", 1))
    assert lines(january.correct()) == [("invoice", "correction", "API calls", "13", 50)]
    assert january.verify().verified


def test_a_void_done_again_changes_nothing_and_the_other_way_is_refused(january: Books) -> None:
    first = void(january.clerk(), "INV-000001", "waive", "goodwill")
    assert void(january.clerk(), "INV-000001", "waive", "again") == first
    assert list(january.store.waived("acme-1").values()) == [1100]
    assert "to waive" in str(refused("document_void", void, january.clerk(), "INV-000001", "reissue", "no"))
    refused("document_unknown", void, january.clerk(), "INV-000009", "reissue", "no")


def test_a_bill_that_others_went_on_from_cannot_become_void(january: Books) -> None:
    january.log(call("late", "2025-01-06T00:00:00Z", 1))
    assert lines(january.correct()) == [("invoice", "correction", "API calls", "1", 50)]
    assert "INV-000002" in str(refused("document_followed", void, january.clerk(), "INV-000001", "reissue", "no"))
    assert len(january.store.issued("acme-1")) == 1
    void(january.clerk(), "INV-000002", "reissue", "first the last")
    void(january.clerk(), "INV-000001", "reissue", "then the first")
    assert all(amount == 0 for amount in sums(january).values())
    assert lines(january.bill("2025-02-01T00:00:00Z")) == [("invoice", "charge", "API calls", "13", 1150)]
    assert january.verify().verified


def test_a_correction_that_became_void_is_made_again_and_says_why(january: Books) -> None:
    january.log(call("late", "2025-01-06T00:00:00Z", 1))
    january.correct()
    void(january.clerk(), "INV-000002", "reissue", "wrong date")
    (again,) = january.correct()
    (line,) = read_document(again.content).lines
    assert (line.amount, [(cause.kind, cause.id) for cause in line.causes]) == (50, [("void", "INV-000002")])
    assert january.correct() == []
    assert january.verify().verified


def test_credits_go_back_with_a_void(books: Books) -> None:
    books.apply(catalogue(items=[{"id": "calls", "description": "API calls", "price": "calls", "meter": "calls"}]))
    books.store.put_grant("acme", Grant("early", "usd", 300, "before_tax"))
    books.store.put_grant("acme", Grant("gift", "usd", 500, "after_tax"))
    books.log(call("a", "2025-01-05T00:00:00Z", 12))
    books.bill("2025-02-01T00:00:00Z")
    assert [grant.remaining for grant in books.store.grants("acme")] == [0, 0]
    void(books.clerk(), "INV-000001", "reissue", "again")
    assert [grant.remaining for grant in books.store.grants("acme")] == [300, 500]
    assert all(amount == 0 for amount in sums(books).values())
    books.bill("2025-02-01T00:00:00Z")
    assert [grant.remaining for grant in books.store.grants("acme")] == [0, 0]
    assert books.verify().verified


def test_a_waiver_is_taken_off_by_a_correction_that_names_it(january: Books) -> None:
    waive(january.store, "INV-000001:1", 100, "outage")
    (note,) = january.correct()
    (line,) = read_document(note.content).lines
    assert (note.kind, line.amount, line.corrects) == ("credit_note", -100, "INV-000001")
    assert [(cause.kind, cause.id) for cause in line.causes] == [("waiver", "100")]
    assert january.correct() == []
    assert january.verify().verified


@pytest.mark.parametrize("amount", [0, -1, 1101])
def test_a_waiver_is_of_something_that_was_billed(january: Books, amount: int) -> None:
    assert "1100" in str(refused("waiver_out_of_range", waive, january.store, "INV-000001:1", amount, "no"))
    refused("line_unknown", waive, january.store, "INV-000001:2", 1, "no")
    assert january.store.waived("acme-1") == {}


def test_parts_of_a_period_are_billed_by_difference_and_the_period_once(january: Books) -> None:
    january.log(call("b", "2025-02-05T00:00:00Z", 4))
    assert lines(january.part("2025-02-10T00:00:00Z")) == [("invoice", "charge", "API calls", "4", 400)]
    assert january.part("2025-02-10T00:00:00Z") == []
    january.log(call("c", "2025-02-12T00:00:00Z", 8))
    assert lines(january.part("2025-02-15T00:00:00Z")) == [("invoice", "charge", "API calls", "8", 700)]
    january.log(call("d", "2025-02-20T00:00:00Z", 1))
    assert lines(january.bill("2025-03-01T00:00:00Z")) == [("invoice", "charge", "API calls", "1", 50)]
    assert january.bill("2025-03-01T00:00:00Z") == []
    result = january.verify()
    assert result.verified, result


def test_a_part_bills_what_has_ended_first_and_nothing_of_a_period_that_begins_then(january: Books) -> None:
    january.log(call("b", "2025-02-05T00:00:00Z", 4))
    made = january.part("2025-03-01T00:00:00Z")
    assert [read_document(one.content).period.end for one in made] == [parse_instant("2025-03-01T00:00:00Z")]
    assert [one.pins["part"] for one in made] == [False]


def test_a_waiver_is_not_given_twice_beyond_what_was_billed(january: Books) -> None:
    waive(january.store, "INV-000001:1", 1000, "outage")
    assert "100 minor units" in str(refused("waiver_out_of_range", waive, january.store, "INV-000001:1", 1000, "retry"))
    void(january.clerk(), "INV-000001", "waive", "all of it")
    assert list(january.store.waived("acme-1").values()) == [1100]
    january.log(call("late", "2025-01-06T00:00:00Z", 1))
    assert lines(january.correct()) == [("invoice", "correction", "API calls", "13", 50)]


def test_a_period_that_has_its_bill_gets_no_part(january: Books) -> None:
    january.log(call("late", "2025-01-06T00:00:00Z", 1))
    assert january.part("2025-01-20T00:00:00Z") == []
    assert lines(january.correct()) == [("invoice", "correction", "API calls", "1", 50)]


def test_a_period_is_billed_once_also_where_nothing_is_left_to_bill(january: Books) -> None:
    """A second run that computed the same period before the first became final: no second invoice, not even one without lines."""
    (final,) = january.store.documents("acme-1")
    assert refused("document_outdated", january.store.finalise, replace(final, id="in_again"), (), (), ()).message.startswith("INV-000001")
    void(january.clerk(), "INV-000001", "reissue", "wrong address")
    assert january.bill("2025-02-01T00:00:00Z")[0].number == "INV-000002"


def test_two_waivers_at_once_do_not_exceed_what_was_billed(january: Books, database: Any) -> None:
    """The second waits for the first, and then sees it."""
    outcomes: list[str] = []

    def give_up() -> None:
        with PostgresStore.open(database.service, "default", "test") as own:
            try:
                waive(own, "INV-000001:1", 1000, "retry")
                outcomes.append("given up")
            except Refusal as refusal:
                outcomes.append(refusal.code)

    threads = [threading.Thread(target=give_up) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["given up", "waiver_out_of_range"]
    assert list(january.store.waived("acme-1").values()) == [1000]
