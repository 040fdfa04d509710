"""A contract applied again, over a real database: corrected before its first bill, ended and prolonged after it, every bill proven."""

from __future__ import annotations

from typing import Any

import pytest
from app_books import Books, call, catalogue, lines

from farthing.core.base.refusal import Refusal
from farthing.core.invoice.document import read_document

MIDDLE = "2025-02-15T00:00:00Z"


def with_contract(**fields: Any) -> dict[str, Any]:
    [contract] = catalogue()["contracts"]
    return {"contracts": [{**contract, **fields}]}


def test_a_contract_is_corrected_before_its_first_bill_and_billed_as_corrected(books: Books) -> None:
    books.apply(catalogue())
    books.log(call("c1", "2025-01-20T00:00:00Z", 8, customer="globex"))
    fixed = {"id": "acme-1", "starts_at": "2025-01-16T12:00:00Z", "customer": "globex"}
    books.apply({"customers": [{"id": "globex"}], **with_contract(**fixed)})
    assert list(books.store.aside()) == []
    [made] = books.bill("2025-02-01T00:00:00Z")
    assert read_document(made.content).customer == "globex"
    assert lines([made])[::2] == [("invoice", "charge", "API calls", "8", 800), ("invoice", "charge", "Seats", "3", 1500)]  # half of January
    assert books.verify().verified


def test_a_contract_is_ended_by_its_document_and_its_last_period_is_short(books: Books) -> None:
    books.apply(catalogue())
    books.log(call("c1", "2025-01-20T00:00:00Z", 8), call("c2", "2025-02-14T00:00:00Z", 2), call("after", MIDDLE, 5))
    books.bill("2025-02-01T00:00:00Z")
    books.apply(with_contract(ends_at=MIDDLE))
    assert [(row.reason, row.events) for row in books.store.aside()] == [("contract_missing", 1)]
    books.log(call("late", "2025-01-21T00:00:00Z", 1))
    made = books.bill("2026-01-01T00:00:00Z")
    assert lines(made) == [
        ("invoice", "correction", "API calls", "1", 100),
        ("invoice", "charge", "API calls", "2", 200),
        ("invoice", "charge", "Card fees", "0", 0),
        ("invoice", "charge", "Seats", "3", 1500),  # 14 of 28 days
    ]
    assert books.verify().verified
    with pytest.raises(Refusal) as caught:
        books.apply(with_contract())
    assert (caught.value.code, caught.value.field) == ("contract_end_billed", "contracts[0].ends_at")


def test_a_contract_with_an_end_goes_on_when_the_end_is_taken_away(books: Books) -> None:
    books.apply({**catalogue(), **with_contract(ends_at="2025-02-01T00:00:00Z")})
    assert len(books.bill("2025-04-01T00:00:00Z")) == 1
    books.apply(with_contract())
    made = books.bill("2025-04-01T00:00:00Z")
    assert [line[4] for line in lines(made)] == [0, 0, 3000] * 2
    assert books.verify().verified
