"""Small bills and contracts to put into a store: everything that a test does not name has a value that fits the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from farthing.app.store import LinePayload, Store, StoredDocument
from farthing.core.base.exact import show
from farthing.core.base.time import Interval, Recurrence, parse_instant
from farthing.core.base.timeline import Version
from farthing.core.catalog.terms import ChargeKey, PriceVersion
from farthing.core.contract.contract import Agreement, Contract, Item
from farthing.core.events.event import Event
from farthing.core.invoice.document import content_digest, document_content, line_document
from farthing.core.invoice.invoice import Document, Line
from farthing.core.ledger.periods import read_period
from farthing.core.ledger.postings import posting_document, postings_for
from farthing.core.usage.meter import Aggregation, Meter

YEAR = Interval(parse_instant("2025-01-01T00:00:00Z"), parse_instant("2026-01-01T00:00:00Z"))
MONTHLY = Recurrence("month", 1, datetime(2025, 1, 1), "UTC")
JANUARY, FEBRUARY, MARCH = (MONTHLY.period(n) for n in range(3))
METER = Meter("calls", "call", Aggregation.SUM)


def event(identifier: str, value: int = 1, customer: str = "acme", at: int = JANUARY.start, name: str = "call", **properties: str) -> Event:
    """A usage event in January 2025."""
    return Event(identifier, name, customer, at, {"value": str(value), **properties})


def contract(id_: str = "acme-1", customer: str = "acme", agreement: Agreement | None = None, active: Interval = YEAR) -> Contract:
    """A contract over 2025, billed by the month, with one metered item."""
    default = Agreement((Item("calls", "API calls", "calls", "calls"),))
    return Contract(id_, customer, "usd", active, MONTHLY, (Version(active, 0, agreement or default),))


def price(id_: str = "calls-1", unit_amount: int = 10, lineage: str = "calls") -> PriceVersion:
    """A price per unit, in cents."""
    return PriceVersion(id_, lineage, {"currency": "usd", "unit_amount": unit_amount})


def open_contract(store: Store, customer: str = "acme", id_: str = "acme-1") -> Contract:
    """A customer with a contract, its meter and its price, in the store."""
    store.put_customer(customer, {"id": customer})
    store.put_meter(METER)
    store.put_price(price(), YEAR)
    store.put_contract(contract(id_, customer))
    return next(one for one in store.contracts(customer) if one.id == id_)


def line(amount: int, item: str = "calls", period: Interval = JANUARY, previously: int = 0, contract_id: str = "acme-1", **more: Any) -> Line:
    """A line of whole cents: ten cents a unit."""
    exact = Fraction(amount)
    key = ChargeKey(more.pop("customer", "acme"), contract_id, item, "calls", period, more.pop("group", ()), "usd")
    derivation = {"exact": show(exact + previously)}
    return Line(more.pop("kind", "charge"), key, item, period, exact / 10, exact, amount, derivation, previously=previously, **more)


def bill(
    id_: str, *lines: Line, period: Interval = JANUARY, used: Sequence[tuple[str, int]] = (), books: str = "2025-02"
) -> tuple[StoredDocument, tuple[LinePayload, ...], list[dict[str, Any]], Sequence[tuple[str, int]]]:
    """What `Store.finalise` takes: a bill of these lines (a credit note below zero), its lines, postings and grants used."""
    total = sum(one.net for one in lines)
    credit = sum(amount for _, amount in used)
    key = lines[0].key
    document = Document(
        kind="credit_note" if total < 0 else "invoice",
        customer=key.customer,
        contract=key.contract,
        currency=key.currency,
        period=period,
        zone="UTC",
        lines=lines,
        subtotal=total,
        discount=0,
        credit_before_tax=0,
        tax=0,
        tax_included=0,
        total=total,
        credit_after_tax=credit,
        due=total - credit,
        grants_used=tuple(used),
    )
    content = document_content(document)
    pins = {"position": 0, "revision": 0, "semantics": 1, "tzdata": "2025b", "engine": "core"}
    stored = StoredDocument(id_, key.contract, document.kind, "draft", content, content_digest(content), pins)
    payloads = tuple(LinePayload(f"{id_}:{n}", line_document(one)) for n, one in enumerate(lines, 1))
    return stored, payloads, [posting_document(posting) for posting in postings_for(document, read_period(books))], document.grants_used


def reverse(postings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The legs that take an entry back."""
    return [{**leg, "amount": -leg["amount"], "entry": "void"} for leg in postings]
