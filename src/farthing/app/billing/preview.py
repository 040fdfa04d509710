"""Previews: what an invoice would be. The work is done as it would be, by the same verbs; whoever asks undoes the transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from farthing.app.billing.changes import update_subscription
from farthing.app.billing.invoice_items import create_invoice_item
from farthing.app.billing.invoices import current
from farthing.app.billing.kinds import INVOICE, SUBSCRIPTION
from farthing.app.billing.one_off import create_invoice
from farthing.app.billing.refusals import INVOICE_NOTHING_TO_BILL
from farthing.app.billing.subscriptions import create_subscription, roll_subscription
from farthing.app.clocks.desks import clock_of
from farthing.app.customers.kinds import CUSTOMER
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_MISSING

_CHANGES = (
    *("billing_cycle_anchor", "cancel_at", "cancel_at_period_end", "default_tax_rates", "items"),
    *("proration_behavior", "proration_date", "trial_end"),
)


def preview(desk: Desk, params: Mapping[str, Any]) -> dict[str, Any]:
    """The next invoice of a subscription, with the changes in `subscription_details` if there are any; the first one of a subscription that
    would begin; or one of the invoice items that wait for a customer. To be called inside a transaction that is undone afterwards.

    Errors: those of the verbs that would be used; field_missing; invoice_no_customer_line_items.
    """
    details = dict(params.get("subscription_details") or {})
    row = None if params.get("subscription") is None else plain.need(desk, SUBSCRIPTION, params["subscription"], "subscription", lock=True)
    if row is None and params.get("customer") is None:
        raise Refusal(FIELD_MISSING, "it needs a customer or a subscription.", "customer")
    customer = plain.need(desk, CUSTOMER, params["customer"] if row is None else row.document["customer"], "customer", lock=True)
    desk = clock_of(desk, customer)
    for n, item in enumerate(params.get("invoice_items") or ()):
        _add(desk, {**item, "customer": customer.id}, f"invoice_items[{n}]")
    if row is not None:
        return _shown(desk, _next(desk, row, details))
    if details.get("items"):
        sent = {**_renamed(details), "customer": customer.id, "payment_behavior": "default_incomplete"}
        made = create_subscription(desk, {name: value for name, value in sent.items() if name != "payment_behavior"})
        return _shown(desk, _latest(desk, made))
    settings = {"currency": params["currency"]} if params.get("currency") else {}
    return _shown(desk, create_invoice(desk, {"customer": customer.id, "pending_invoice_items_behavior": "include", **settings}))


def _add(desk: Desk, item: Mapping[str, Any], place: str) -> None:
    try:
        create_invoice_item(desk, item)
    except Refusal as refusal:
        raise Refusal(refusal.kind, refusal.message, f"{place}[{refusal.field}]" if refusal.field else place) from None


def _renamed(details: Mapping[str, Any]) -> dict[str, Any]:
    return {"backdate_start_date" if name == "start_date" else name: value for name, value in details.items() if name != "proration_behavior"}


def _next(desk: Desk, row: Row, details: Mapping[str, Any]) -> Row:
    """The invoice that comes next, after the changes: at once where they are billed at once, else at the end of the period."""
    before = row.document["latest_invoice"]
    changes = {name: details[name] for name in _CHANGES if name in details}
    if changes:
        row = update_subscription(desk, row.id, changes)
        if row.document["latest_invoice"] != before:
            return _latest(desk, row)
    if row.due_at is None:
        raise Refusal(INVOICE_NOTHING_TO_BILL, f"subscription {row.id!r} has ended.", "subscription")
    then = replace(desk, at=max(row.due_at, desk.at))
    roll_subscription(then, plain.need(then, SUBSCRIPTION, row.id, lock=True))
    after = plain.need(desk, SUBSCRIPTION, row.id)
    if after.document["latest_invoice"] == row.document["latest_invoice"]:
        raise Refusal(INVOICE_NOTHING_TO_BILL, f"subscription {row.id!r} bills nothing any more.", "subscription")
    return _latest(desk, after)


def _latest(desk: Desk, row: Row) -> Row:
    latest = row.document["latest_invoice"]
    if latest is None:
        raise Refusal(INVOICE_NOTHING_TO_BILL, "the subscription begins without an invoice.", "subscription_details")
    return plain.need(desk, INVOICE, latest)


def _shown(desk: Desk, row: Row) -> dict[str, Any]:
    """The invoice as a preview: nobody has made it, so that it has no number and is in no state but draft."""
    document = dict(current(desk, row))
    id_ = f"upcoming_{row.id}"
    lines = {**document["lines"], "url": f"/v1/invoices/{id_}/lines", "data": [{**line, "invoice": id_} for line in document["lines"]["data"]]}
    nothing = {"number": None, "status": "draft", "automatically_finalizes_at": None, "auto_advance": False}
    return {**document, **nothing, "id": id_, "lines": lines}
