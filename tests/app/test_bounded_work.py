"""How much work bills are: statements and readings are counted, not timed.

Usage is read and rated for many bills at once, so that further contracts and further periods cost no further reading of the log by
core and no further job of the kernel; and a bill reads of what was billed before only what it may have to correct.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from app_books import CARD, SEATS, TIERS, Books, call

from farthing.app.store import StoredDocument
from farthing.edges.postgres.session import Session
from farthing.edges.postgres.streams import Streams
from farthing.kernel import Engine

KERNEL_STATEMENTS = ("types", "rows", "make", "run", "reader")


def contracts(*anchors: str) -> dict[str, Any]:
    """A contract for each anchor of its months, each of a customer of its own: tiered calls by region, card fees, and seats."""
    meters = [
        {"id": "calls", "event_name": "call", "default_aggregation": {"formula": "sum"}, "ext": {"group_by": ["region"]}},
        {"id": "payments", "event_name": "payment", "default_aggregation": {"formula": "count"}},
    ]
    items = [
        {"id": "calls", "description": "API calls", "price": "calls", "meter": "calls"},
        {"id": "card", "description": "Card fees", "price": "card", "meter": "payments"},
        {"id": "seats", "description": "Seats", "price": "seats", "quantity": 3},
    ]
    return {
        "customers": [{"id": f"c{n}"} for n in range(len(anchors))],
        "meters": meters,
        "prices": [{"lineage": "calls", "price": TIERS}, {"lineage": "card", "price": CARD}, {"lineage": "seats", "price": SEATS}],
        "contracts": [
            {
                "id": f"k{n}",
                "customer": f"c{n}",
                "currency": "usd",
                "starts_at": f"{anchor}Z",
                "billing": {"interval": "month", "anchor": anchor},
                "items": items,
            }
            for n, anchor in enumerate(anchors)
        ],
    }


def usage(books: Books, customers: int, months: int) -> None:
    numbers = count()
    for month in range(1, months + 1):
        for n in range(customers):
            at = f"2025-{month:02d}-2{n % 8}T00:00:00Z"
            books.log(call(f"call{next(numbers)}", at, 7 + n, customer=f"c{n}"), call(f"pay{next(numbers)}", at, 99, "payment", f"c{n}"))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the kernel was asked to plan or run a statement ("kernel"), the log was streamed ("streams"), and a transaction of the
    database was run ("sql")."""
    found: Counter[str] = Counter()

    def count_calls(owner: type, name: str, what: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            found[what] += 1
            return original(*arguments, **named)

        monkeypatch.setattr(owner, name, wrapped)

    for name in KERNEL_STATEMENTS:
        count_calls(Engine, name, "kernel")
    count_calls(Engine, "__init__", "engines")
    count_calls(Streams, "batches", "streams")
    count_calls(Session, "run", "sql")
    return found


def test_further_contracts_cost_no_further_job_and_no_further_reading(books: Books, counted: Counter[str]) -> None:
    usage(books, 9, 1)
    seen = []
    for many, due in ((2, 2), (9, 7)):
        books.apply(contracts(*["2025-01-01T00:00:00"] * many))
        counted.clear()
        assert len(books.bill("2025-02-01T00:00:00Z")) == due
        seen.append(Counter(counted))
    assert seen[0]["streams"] == seen[1]["streams"] == 2, "one reading for each of the two metered prices"
    assert seen[0]["kernel"] == seen[1]["kernel"]
    each = (seen[1]["sql"] - seen[0]["sql"]) / 5
    assert each <= 12, "transactions for each further contract"
    assert books.verify().verified


def test_contracts_that_begin_at_any_instant_are_rated_together(books: Books, counted: Counter[str]) -> None:
    books.apply(contracts(*(f"2025-01-0{n + 1}T0{n}:1{n}:2{n}" for n in range(6))))
    usage(books, 6, 3)
    counted.clear()
    assert len(books.bill("2025-03-15T00:00:00Z")) == 12
    assert counted["kernel"] <= 60, "one job for each of the three prices"
    counted.clear()
    assert books.verify().verified
    assert counted["kernel"] <= 60


def test_a_period_costs_the_same_however_many_were_billed_before(books: Books, counted: Counter[str]) -> None:
    books.apply(contracts("2020-01-01T00:00:00"))
    books.bill("2020-02-01T00:00:00Z")
    counted.clear()
    books.bill("2020-04-01T00:00:00Z")
    two = counted["sql"]
    books.bill("2024-12-01T00:00:00Z")
    counted.clear()
    books.bill("2025-02-01T00:00:00Z")
    assert counted["sql"] == two, "two periods after 59 cost what two periods after one do"
    assert books.verify().verified


def test_what_cannot_be_corrected_is_not_read(books: Books, counted: Counter[str], monkeypatch: pytest.MonkeyPatch) -> None:
    books.apply(contracts("2025-01-01T00:00:00"))
    usage(books, 1, 3)
    books.bill("2025-03-01T00:00:00Z")
    read: list[str] = []
    original = books.store.document

    def document(number: str) -> StoredDocument | None:
        read.append(number)
        return original(number)

    monkeypatch.setattr(books.store, "document", document)
    books.bill("2025-04-01T00:00:00Z")
    assert read == []
    books.log(call("late", "2025-02-03T00:00:00Z", 1, customer="c0"))
    assert [one.kind for one in books.correct()] == ["invoice"]
    assert read == ["INV-000002"], "the bill of the period that the late event is of"
    assert books.verify().verified
