"""A small store with bills in it, over a real database, for tests of the verbs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from farthing.app.apply import apply_catalogue
from farthing.app.bill import Clerk, Held, bill_part, bill_until, correct
from farthing.app.raters import CoreRater, KernelRater, Rater
from farthing.app.store import StoredDocument
from farthing.app.verify import Verification, verify
from farthing.core.base.time import parse_instant
from farthing.core.events.parse import parse_fact
from farthing.core.invoice.document import read_document
from farthing.edges.postgres.store import PostgresStore

TIERS = {
    "id": "calls-1",
    "currency": "usd",
    "billing_scheme": "tiered",
    "tiers_mode": "graduated",
    "tiers": [{"up_to": 10, "unit_amount": 100}, {"up_to": "inf", "unit_amount": 50}],
}
CARD = {
    "id": "card-1",
    "currency": "usd",
    "ext": {"rate_card": {"rules": [{"label": "all", "fees": [{"percent": "2.5", "fixed_amount": 10}]}], "round_per": "event"}},
}
SEATS = {"id": "seat-1", "currency": "usd", "unit_amount": 1000}


def catalogue(**agreement: Any) -> dict[str, Any]:
    """One customer, three meters' worth of items: tiered calls, per-event card fees, and licensed seats."""
    return {
        "customers": [{"id": "acme"}],
        "meters": [
            {"id": "calls", "event_name": "call", "default_aggregation": {"formula": "sum"}},
            {"id": "payments", "event_name": "payment", "default_aggregation": {"formula": "count"}},
        ],
        "prices": [{"lineage": "calls", "price": TIERS}, {"lineage": "card", "price": CARD}, {"lineage": "seats", "price": SEATS}],
        "contracts": [
            {
                "id": "acme-1",
                "customer": "acme",
                "currency": "usd",
                "starts_at": "2025-01-01T00:00:00Z",
                "billing": {"interval": "month", "anchor": "2025-01-01T00:00:00"},
                "items": [
                    {"id": "calls", "description": "API calls", "price": "calls", "meter": "calls"},
                    {"id": "card", "description": "Card fees", "price": "card", "meter": "payments"},
                    {"id": "seats", "description": "Seats", "price": "seats", "quantity": 3},
                ],
                **agreement,
            }
        ],
    }


def call(identifier: str, at: str, value: int | str, name: str = "call", customer: str = "acme") -> dict[str, Any]:
    """An event document."""
    return {"identifier": identifier, "event_name": name, "timestamp": at, "payload": {"stripe_customer_id": customer, "value": str(value)}}


class Books:
    """A store and the verbs on it, at a clock that stands still."""

    def __init__(self, store: PostgresStore, engine: str = "core") -> None:
        self.store, self._ids = store, count(1)
        self.held: list[Held] = []
        self.rater: Rater = CoreRater(store) if engine == "core" else KernelRater(store)

    def apply(self, document: dict[str, Any]) -> None:
        apply_catalogue(self.store, document)

    def log(self, *documents: dict[str, Any]) -> None:
        receipt = self.store.append([parse_fact(document) for document in documents])
        assert receipt.conflicts == ()

    def bill(self, until: str, held: int = 0) -> list[StoredDocument]:
        """Bill; so many contracts are expected to be held back."""
        self.held.clear()
        made = list(bill_until(self.clerk(), parse_instant(until), None, lambda _: None, self.held.append))
        assert len(self.held) == held, self.held
        return made

    def correct(self) -> list[StoredDocument]:
        self.held.clear()
        made = list(correct(self.clerk(), None, self.held.append))
        assert self.held == []
        return made

    def part(self, at: str) -> list[StoredDocument]:
        self.held.clear()
        made = list(bill_part(self.clerk(), parse_instant(at), None, lambda _: None, self.held.append))
        assert self.held == []
        return made

    def verify(self) -> Verification:
        return verify(self.store, {"core": CoreRater(self.store), "kernel": KernelRater(self.store)}, lambda _: None)

    def clerk(self) -> Clerk:
        """Who bills, in June 2025."""
        return Clerk(self.store, self.rater, parse_instant("2025-06-15T12:00:00Z"), lambda prefix: f"{prefix}_{next(self._ids)}")


def lines(documents: Sequence[StoredDocument]) -> list[tuple[Any, ...]]:
    """(document kind, line kind, description, quantity, amount) of every line."""
    return [
        (bill.kind, line.kind, line.description, str(line.quantity), line.amount)
        for bill in (read_document(document.content) for document in documents)
        for line in bill.lines
    ]
