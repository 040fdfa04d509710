"""The verbs over a real database: bills, corrections by difference, waiting events, explanation, and proof by the other engine."""

from __future__ import annotations

import pytest
from app_books import TIERS, Books, call, catalogue, lines

from farthing.app.explain import events_behind, explain
from farthing.core.base.refusal import Refusal
from farthing.core.explain.explanation import as_text
from farthing.core.invoice.document import read_document


def january(books: Books) -> None:
    books.apply(catalogue())
    books.log(call("c1", "2025-01-05T00:00:00Z", 8), call("c2", "2025-01-31T23:59:59.999999Z", 4), call("p1", "2025-01-09T00:00:00Z", 999, "payment"))


def test_a_period_is_billed_once_and_proven(books: Books) -> None:
    january(books)
    made = books.bill("2025-02-01T00:00:00Z")
    assert lines(made) == [
        ("invoice", "charge", "API calls", "12", 10 * 100 + 2 * 50),
        ("invoice", "charge", "Card fees", "1", 35),  # 999 × 2.5 % = 24.975, + 10 = 34.975
        ("invoice", "charge", "Seats", "3", 3000),
    ]
    assert made[0].number == "INV-000001"
    assert books.bill("2025-02-01T00:00:00Z") == []
    assert books.correct() == []
    assert books.verify().verified


def test_a_late_event_is_corrected_at_the_tier_it_belongs_to(books: Books) -> None:
    january(books)
    books.bill("2025-02-01T00:00:00Z")
    books.log(call("late", "2025-01-20T00:00:00Z", 5), call("c3", "2025-02-02T00:00:00Z", 1))
    made = books.bill("2025-03-01T00:00:00Z")
    assert lines(made) == [
        ("invoice", "correction", "API calls", "5", 250),
        ("invoice", "charge", "API calls", "1", 100),
        ("invoice", "charge", "Card fees", "0", 0),
        ("invoice", "charge", "Seats", "3", 3000),
    ]
    correction = read_document(made[0].content).lines[0]
    assert (correction.corrects, correction.previously) == ("INV-000001", 1100)
    assert [(cause.kind, cause.id) for cause in correction.causes] == [("event", "late")]
    assert books.verify().verified


def test_a_cancelled_event_becomes_a_credit_note_that_names_bill_and_fact(books: Books) -> None:
    january(books)
    books.bill("2025-02-01T00:00:00Z")
    books.log({"type": "cancel", "event_name": "call", "cancel": {"identifier": "c2"}})
    made = books.correct()
    assert lines(made) == [("credit_note", "correction", "API calls", "-4", -300)]  # 8 × 100 instead of 10 × 100 + 2 × 50
    note = read_document(made[0].content)
    assert (made[0].number, note.corrects, note.total) == ("CN-000001", ("INV-000001",), -300)
    assert [(cause.kind, cause.id) for cause in note.lines[0].causes] == [("cancel", "c2")]
    assert books.correct() == []
    assert books.verify().verified


def test_a_corrected_price_and_a_backdated_amendment_are_corrected_at_once(books: Books) -> None:
    january(books)
    books.bill("2025-02-01T00:00:00Z")
    cheaper = {**TIERS, "id": "calls-2", "tiers": [{"up_to": 10, "unit_amount": 90}, {"up_to": "inf", "unit_amount": 50}]}
    books.apply({"prices": [{"lineage": "calls", "price": cheaper}]})
    note = books.correct()
    assert lines(note) == [("credit_note", "correction", "API calls", "0", -100)]
    assert [(cause.kind, cause.id) for cause in read_document(note[0].content).lines[0].causes] == [("price", "calls-2")]
    items = catalogue()["contracts"][0]["items"]
    more = [*items[:2], {**items[2], "quantity": 5}]
    books.apply({"amendments": [{"contract": "acme-1", "effective_from": "2025-01-01T00:00:00Z", "items": more}]})
    made = books.correct()
    assert lines(made) == [("invoice", "correction", "Seats", "2", 2000)]
    assert [cause.kind for cause in read_document(made[0].content).lines[0].causes] == ["contract"]
    assert books.verify().verified


def test_discounts_taxes_and_credits_of_a_bill_and_its_correction(books: Books) -> None:
    agreed = {"discounts": [{"id": "ten", "percent": "10"}], "tax_rates": [{"id": "vat", "name": "VAT", "percent": "20"}]}
    books.apply({**catalogue(**agreed), "grants": [{"id": "g", "customer": "acme", "currency": "usd", "amount": 500, "applies": "after_tax"}]})
    books.log(call("c1", "2025-01-05T00:00:00Z", 8))
    bill = read_document(books.bill("2025-02-01T00:00:00Z")[0].content)
    assert (bill.subtotal, bill.discount, bill.tax, bill.total, bill.credit_after_tax, bill.due) == (3800, 380, 684, 4104, 500, 3604)
    books.log(call("late", "2025-01-06T00:00:00Z", 1))
    extra = read_document(books.correct()[0].content)
    assert (extra.subtotal, extra.discount, extra.tax, extra.total, extra.due) == (100, 10, 18, 108, 108)
    assert books.verify().verified


def test_events_of_an_unknown_customer_wait_and_bill_once_it_appears(books: Books) -> None:
    books.log(call("c1", "2025-01-05T00:00:00Z", 8), call("x", "2025-01-05T00:00:00Z", 1, "nobody-meters-this"))
    assert {(row.reason, row.event_name, row.events) for row in books.store.aside()} >= {("customer_unknown", "call", 1)}
    books.apply(catalogue())
    assert lines(books.bill("2025-02-01T00:00:00Z"))[0] == ("invoice", "charge", "API calls", "8", 800)
    assert {row.event_name for row in books.store.aside()} == {"nobody-meters-this"}


def test_a_line_is_explained_from_its_trace_and_its_events_are_listed_by_page(books: Books) -> None:
    january(books)
    books.bill("2025-02-01T00:00:00Z")
    text = as_text(explain(books.store, "INV-000001:1"))
    for part in ("11.00 USD", "10 units × 1.00 USD", "2 units × 0.50 USD", "2 events", "calls-1"):
        assert part in text, text
    first = events_behind(books.store, "INV-000001:1", 1, 1)
    second = events_behind(books.store, "INV-000001:1", 2, 1)
    assert ([event.identifier for event in first.events], first.more) == (["c1"], True)
    assert ([event.identifier for event in second.events], second.more) == (["c2"], False)
    for page in (-1, 0, 3, 10**20):
        with pytest.raises(Refusal, match=f"page_unknown: there is no page {page}"):
            events_behind(books.store, "INV-000001:1", page, 1)


def test_a_contract_that_is_refused_is_held_and_named_and_the_others_are_billed(books: Books) -> None:
    document = catalogue()
    document["customers"].append({"id": "zeta"})
    document["contracts"].append({**document["contracts"][0], "id": "zeta-1", "customer": "zeta"})
    books.apply(document)
    books.log(call("bad", "2025-01-05T00:00:00Z", -5), call("good", "2025-01-05T00:00:00Z", 7, customer="zeta"))
    made = books.bill("2025-02-01T00:00:00Z", held=1)
    assert [document.contract for document in made] == ["zeta-1"]
    [held] = books.held
    assert (held.contract, held.customer, held.refusal.code, held.refusal.field) == ("acme-1", "acme", "quantity_negative", "items.calls.quantity")
    books.log({"type": "cancel", "event_name": "call", "cancel": {"identifier": "bad"}})
    assert [document.contract for document in books.bill("2025-02-01T00:00:00Z")] == ["acme-1"]
    assert books.verify().verified


def test_an_amendment_back_to_what_held_before_is_not_lost(books: Books) -> None:
    january(books)
    items = catalogue()["contracts"][0]["items"]

    def seats(quantity: int) -> None:
        changed = [*items[:2], {**items[2], "quantity": quantity}]
        books.apply({"amendments": [{"contract": "acme-1", "effective_from": "2025-01-01T00:00:00Z", "items": changed}]})

    for quantity in (1, 3, 3):
        seats(quantity)
    assert lines(books.bill("2025-02-01T00:00:00Z"))[2] == ("invoice", "charge", "Seats", "3", 3000)
    [contract] = books.store.contracts()
    assert len(contract.versions) == 3  # the last one held already
    assert books.verify().verified
