"""What an invoice consists of: bills of contracts, computed by the flow; for a preview, a draft and a final invoice alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from farthing.app.bill import CORRECTIONS, Clerk, compute
from farthing.app.billing.contracts import tax_rate_of
from farthing.app.billing.kinds import INVOICE_ITEM
from farthing.app.billing.lines import Sources, line_item, sums
from farthing.app.catalogue.kinds import TAX_RATE
from farthing.app.raters import CoreRater
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import PageQuery, Row, Test
from farthing.app.settlement.usable import usable_grants
from farthing.app.store import StoredDocument
from farthing.core.base.time import MICROS, Interval
from farthing.core.contract.contract import Contract
from farthing.core.contract.resolve import Due
from farthing.core.invoice.adjustment import Adjustment, adjustment_document, read_adjustment
from farthing.core.invoice.document import key_text, read_document

MOST_ITEMS = 250
"""How many invoice items one invoice takes."""


@dataclass(frozen=True, slots=True)
class Bill:
    """A part of an invoice: what it is due for under one contract, by the contract's id."""

    contract: str
    due: Due = CORRECTIONS

    def document(self) -> dict[str, Any]:
        """The bill as invoices keep it."""
        spans = {"period": self.due.period, "ahead": self.due.ahead}
        return {"contract": self.contract, **{name: None if span is None else [span.start, span.end] for name, span in spans.items()}}


def read_bill(document: Mapping[str, Any]) -> Bill:
    """The inverse of `Bill.document`."""
    period, ahead = (None if document[name] is None else Interval(*document[name]) for name in ("period", "ahead"))
    return Bill(document["contract"], Due(period, ahead))


@dataclass(frozen=True, slots=True)
class Computed:
    """What an invoice comes to: the documents of its bills, each with its contract, its lines as the API shows them, and its sums."""

    documents: tuple[tuple[Contract, StoredDocument], ...]
    lines: tuple[dict[str, Any], ...]
    sums: Mapping[str, Any]

    @property
    def due(self) -> int:
        """What is to be paid, in minor units: the total, less credits that pay after tax."""
        return sum(document.content["due"] for _, document in self.documents)


def clerk_of(desk: Desk) -> Clerk:
    """Who bills for a desk."""
    return Clerk(desk.store, CoreRater(desk.store), desk.at, desk.new_id, lambda contract: usable_grants(desk.store, contract, desk.second))


def computed(
    desk: Desk, customer: str, invoice: str, bills: Sequence[Bill], subscription: Row | None, items: Sequence[Row], extra: Iterable[Mapping[str, Any]]
) -> Computed:
    """What an invoice of these bills comes to as things are. `items` are the invoice items on it, `extra` further adjustments.

    Errors: those of resolving terms and rating.
    """
    contracts = {one.id: one for one in desk.store.contracts(customer)}
    adjustments = [*(adjustment_of(desk, row.document, subscription) for row in items), *(read_adjustment(one) for one in extra)]
    made: list[tuple[Contract, StoredDocument]] = []
    for n, bill in enumerate(bills):
        contract = contracts[bill.contract]
        made += [(contract, one) for one in compute(clerk_of(desk), contract, bill.due, adjustments if n == 0 else ())]
    return shown(desk, invoice, made, subscription, items)


def shown(desk: Desk, invoice: str, made: Iterable[tuple[Contract, StoredDocument]], subscription: Row | None, items: Sequence[Row]) -> Computed:
    """Documents as an invoice shows them."""
    by_id = {} if subscription is None else {item["id"]: item for item in known_items(subscription)}
    sources = Sources(invoice, None if subscription is None else subscription.id, by_id, {row.id: row.document for row in items}, desk.live)
    made = tuple(made)
    documents = [read_document(stored.content) for _, stored in made]
    lines = tuple(line_item(line, sources) for document in documents for line in document.lines)
    return Computed(made, lines, sums(documents, lines))


def known_items(subscription: Row) -> list[Mapping[str, Any]]:
    """The items of a subscription: those that it has, and those that it had."""
    return [*subscription.hidden.get("former_items", ()), *subscription.document["items"]["data"]]


def items_on(desk: Desk, invoice: str) -> list[Row]:
    """The invoice items on an invoice, oldest first."""
    return _items(desk, (Test("invoice", "eq", invoice),))


def items_waiting(desk: Desk, customer: str, currency: str, subscription: str | None) -> list[Row]:
    """The invoice items of a customer that wait for an invoice in a currency: those for the subscription, and those for none."""
    found = _items(desk, (Test("customer", "eq", customer), Test("invoice", "eq", None)))
    return [row for row in found if row.document["currency"] == currency and _subscription_of(row) in (None, subscription)]


def _items(desk: Desk, tests: tuple[Test, ...]) -> list[Row]:
    page = plain.page(desk, PageQuery(INVOICE_ITEM.name, MOST_ITEMS, tests=tests))
    return sorted(page.rows, key=lambda row: (row.created, row.place))


def _subscription_of(row: Row) -> str | None:
    parent = row.document["parent"]
    return None if parent is None else parent["subscription_details"]["subscription"]


def adjustment_of(desk: Desk, item: Mapping[str, Any], subscription: Row | None) -> Adjustment:
    """An invoice item as the flow bills it: at its own tax rates, else at the subscription's; with the subscription's discounts where it
    takes discounts."""
    period = item["period"]
    span = Interval(period["start"] * MICROS, max(period["end"], period["start"] + 1) * MICROS)
    rates = item["tax_rates"] or (None if subscription is None else subscription.document["default_tax_rates"]) or []
    taxes = tuple(tax_rate_of(rate if isinstance(rate, Mapping) else plain.need(desk, TAX_RATE, rate).document) for rate in rates)
    made = Adjustment(item["id"], item["description"] or "", item["amount"], span, Fraction(item["quantity"]), (), taxes)
    if subscription is None or not item["discountable"]:
        return made
    return replace(made, discounts=discounts_now(desk, subscription))


def discounts_now(desk: Desk, subscription: Row) -> tuple[Any, ...]:
    """The discounts of a subscription that are not for certain products, as agreed now."""
    contract = next((one for one in desk.store.contracts(subscription.document["customer"]) if one.id == current_contract(subscription)), None)
    if contract is None:
        return ()
    holding = [version for version in contract.versions if desk.at in version.effective]
    latest = max(holding, key=lambda version: version.revision, default=None)
    return () if latest is None else tuple(one for one in latest.value.discounts if one.items is None)


def current_contract(subscription: Row) -> str | None:
    """The id of the contract that a subscription is now; None before its trial has ended."""
    contracts = subscription.hidden.get("contracts") or ()
    return contracts[-1] if contracts else None


def former(subscription: Row) -> list[Bill]:
    """Bills of what is to be corrected under the contracts that a subscription was before the one that it is now."""
    return [Bill(id_) for id_ in (subscription.hidden.get("contracts") or ())[:-1]]


def give_up(desk: Desk, contract: Contract) -> None:
    """Waive what corrections of the contract's items in advance would come to now: what was billed stays as it is, and nothing more is
    billed for it. Usage that came late is still to be billed."""
    for stored in compute(clerk_of(desk), contract, CORRECTIONS):
        for line in read_document(stored.content).lines:
            if line.key.item in contract.in_advance:
                desk.store.put_waiver(contract.id, key_text(line.key), line.amount, "an end without proration")


def free_of_charge(items: Iterable[Mapping[str, Any]], description: str, span: Interval) -> list[dict[str, Any]]:
    """Adjustments of nothing, one for each item, so that an invoice says what it does not charge for."""
    return [adjustment_document(Adjustment(item["id"], description, 0, span)) for item in items]
