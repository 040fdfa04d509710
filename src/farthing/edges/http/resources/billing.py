"""Subscriptions, their items, invoices, invoice items and what was paid on invoices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farthing.app.billing import invoices
from farthing.app.billing.collect import change_subscription, declined, pay_invoice, subscribe
from farthing.app.billing.endings import end_with_customer
from farthing.app.billing.invoice_items import create_invoice_item, delete_invoice_item, update_invoice_item
from farthing.app.billing.items import find_item
from farthing.app.billing.kinds import INVOICE, INVOICE_ITEM, INVOICE_PAYMENT, SUBSCRIPTION
from farthing.app.billing.one_off import create_invoice, lines_of, update_invoice
from farthing.app.billing.preview import preview
from farthing.app.billing.subscriptions import cancel_subscription
from farthing.app.customers.customers import ends_with_customer
from farthing.app.resources import plain as verbs
from farthing.app.resources.desk import Desk
from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Document, Row, Test
from farthing.core.base.refusal import Refusal
from farthing.edges.http import lists
from farthing.edges.http.expand import shown_as
from farthing.edges.http.routes import Answer, Call, Failed, Items, Listed, Undone, plain, route

_BOTH = (
    *("cancel_at", "cancel_at_period_end", "collection_method", "days_until_due", "default_payment_method", "default_tax_rates", "description"),
    *("discounts", "items[][price]", "items[][quantity]", "items[][metadata]", "metadata", "off_session", "payment_behavior"),
    *("proration_behavior", "trial_end"),
)
_CREATES = (*_BOTH, "backdate_start_date", "billing_cycle_anchor", "currency", "customer!", "trial_period_days")
_CHANGES = (*_BOTH, "billing_cycle_anchor", "cancellation_details", "items[][deleted]", "items[][id]", "proration_date")
_INVOICE = (
    *("auto_advance", "automatically_finalizes_at", "collection_method", "custom_fields", "days_until_due", "default_payment_method"),
    *("default_tax_rates", "description", "due_date", "effective_at", "footer", "metadata", "statement_descriptor"),
)
_ITEM = ("amount", "description", "discountable", "metadata", "period", "pricing", "quantity", "quantity_decimal", "tax_rates", "unit_amount_decimal")


def add_routes() -> None:
    """Serve billing."""
    ends_with_customer(end_with_customer)
    _subscriptions()
    _subscription_items()
    _invoices()
    plain(
        INVOICE_ITEM,
        creates=create_invoice_item,
        takes=(*_ITEM, "currency", "customer!", "invoice", "subscription"),
        updates=update_invoice_item,
        changes=_ITEM,
        lists=_invoice_items,
        lists_by=("pending",),
    )
    route("DELETE", "/v1/invoiceitems/{invoiceitem}", lambda call: delete_invoice_item(call.desk, call.id))
    plain(INVOICE_PAYMENT)


def _subscriptions() -> None:
    plain(
        SUBSCRIPTION,
        creates=subscribe,
        takes=_CREATES,
        updates=change_subscription,
        changes=_CHANGES,
        lists=_listed_subscriptions,
        lists_by=("status", "price", "test_clock"),
    )
    takes = ("cancellation_details", "invoice_now", "prorate")
    route("DELETE", "/v1/subscriptions/{subscription_exposed_id}", lambda call: cancel_subscription(call.desk, call.id, call.params), takes)


def _listed_subscriptions(call: Call) -> Answer:
    """Without a status those that have not ended, with `ended` those that have, with `all` all."""
    params = dict(call.params)
    status, price = params.pop("status", None), params.pop("price", None)
    conditions = list(lists.tests(params))
    ended = [Test("status", "eq", name) for name in ("canceled", "incomplete_expired")]
    if price is not None:
        conditions.append(Test("items.data.0.price.id", "eq", price))
    if status == "ended":
        return Listed(lists.page_of_any(call.desk, SUBSCRIPTION.name, params, conditions, ended), SUBSCRIPTION.collection)
    if status is None:
        conditions += [Test(test.path, test.op, test.value, negated=True) for test in ended]
    elif status != "all":
        conditions.append(Test("status", "eq", status))
    return Listed(lists.page(call.desk, SUBSCRIPTION.name, params, conditions), SUBSCRIPTION.collection)


def _subscription_items() -> None:
    one = "/v1/subscription_items/{item}"
    changes = ("metadata", "payment_behavior", "price", "proration_behavior", "proration_date", "quantity")
    route("GET", "/v1/subscription_items", _listed_items, ("subscription", *lists.CURSORS))
    route("GET", one, lambda call: find_item(call.desk, call.id)[1])
    route("POST", "/v1/subscription_items", _add_item, ("subscription", *changes))
    route("POST", one, _change_item, (*changes, "off_session"))
    route("DELETE", one, _remove_item, ("proration_behavior", "proration_date"))


def _listed_items(call: Call) -> Answer:
    row = verbs.need(call.desk, SUBSCRIPTION, call.params["subscription"], "subscription")
    return Items(row.document["items"]["data"], f"/v1/subscription_items?subscription={row.id}")


_SETTINGS = ("proration_behavior", "proration_date", "payment_behavior", "off_session")


def _with_items(call: Call, subscription: str, entry: Mapping[str, Any]) -> Row:
    settings = {name: call.params[name] for name in _SETTINGS if name in call.params}
    try:
        return change_subscription(call.desk, subscription, {**settings, "items": [entry]})
    except Refusal as refusal:  # which speaks of an entry of a list that was not sent
        field = refusal.field.removeprefix("items[0][").removesuffix("]") if refusal.field else None
        raise Refusal(refusal.kind, refusal.message, field) from None


def _add_item(call: Call) -> Answer:
    entry = {name: call.params[name] for name in ("price", "quantity", "metadata") if name in call.params}
    before = {item["id"] for item in verbs.need(call.desk, SUBSCRIPTION, call.params["subscription"], "subscription").document["items"]["data"]}
    row = _with_items(call, call.params["subscription"], entry)
    added: Document = next(item for item in row.document["items"]["data"] if item["id"] not in before)
    return added


def _change_item(call: Call) -> Answer:
    row, _ = find_item(call.desk, call.id)
    entry = {name: call.params[name] for name in ("price", "quantity", "metadata") if name in call.params}
    changed = _with_items(call, row.id, {"id": call.id, **entry})
    shown: Document = next(item for item in changed.document["items"]["data"] if item["id"] == call.id)
    return shown


def _remove_item(call: Call) -> Answer:
    row, _ = find_item(call.desk, call.id)
    _with_items(call, row.id, {"id": call.id, "deleted": True})
    return {"id": call.id, "object": "subscription_item", "deleted": True}


def _invoices() -> None:
    plain(
        INVOICE,
        creates=create_invoice,
        takes=(*_INVOICE, "currency", "customer!", "pending_invoice_items_behavior", "subscription"),
        updates=update_invoice,
        changes=_INVOICE,
        lists=_listed_invoices,
        lists_by=("subscription", "due_date"),
    )
    shown_as("invoice", _invoice_now)
    one = "/v1/invoices/{invoice}"
    route("DELETE", one, lambda call: invoices.delete_draft(call.desk, call.id))
    route("POST", f"{one}/finalize", lambda call: invoices.finalize(call.desk, call.id, call.params.get("auto_advance")), ("auto_advance",))
    route("POST", f"{one}/pay", _pay, ("off_session", "paid_out_of_band", "payment_method"))
    route("POST", f"{one}/send", lambda call: invoices.send(call.desk, call.id))
    route("POST", f"{one}/void", lambda call: invoices.void(call.desk, call.id))
    route("POST", f"{one}/mark_uncollectible", lambda call: invoices.mark_uncollectible(call.desk, call.id))
    route("GET", f"{one}/lines", _lines, lists.CURSORS)
    details = tuple(f"subscription_details[{name}]" for name in _PREVIEWED)
    items = tuple(f"invoice_items[][{name}]" for name in ("amount", "currency", "description", "discountable", "period", "quantity", "tax_rates"))
    route("POST", "/v1/invoices/create_preview", _preview, ("currency", "customer", "subscription", *details, *items), writes=False)


_PREVIEWED = (
    *("billing_cycle_anchor", "cancel_at", "cancel_at_period_end", "default_tax_rates", "items[][id]", "items[][price]", "items[][quantity]"),
    *("items[][deleted]", "proration_behavior", "proration_date", "start_date", "trial_end"),
)


def _preview(call: Call) -> Answer:
    return Undone(preview(call.desk, call.params))


def _invoice_now(desk: Desk, document: Document) -> Document:
    """A draft as it comes to now."""
    row = desk.store.find(INVOICE.name, document["id"]) if document.get("status") == "draft" else None
    return document if row is None else invoices.current(desk, row)


def _listed_invoices(call: Call) -> Answer:
    names = {"subscription": "parent.subscription_details.subscription"}
    return Listed(lists.page(call.desk, INVOICE.name, call.params, lists.tests(call.params, names)), INVOICE.collection)


def _pay(call: Call) -> Answer:
    made = pay_invoice(call.desk, call.id, call.params)
    if made.payment is None or made.payment.decline is None:
        return made.invoice
    return Failed(declined(made.payment.decline), {"payment_intent": made.payment.row.document})


def _lines(call: Call) -> Answer:
    """The lines of an invoice, a page behind or before one of them."""
    every = lines_of(call.desk, verbs.need(call.desk, INVOICE, call.id))
    limit, after, before = lists.limit_of(call.params), call.params.get("starting_after"), call.params.get("ending_before")
    places = {line["id"]: n for n, line in enumerate(every)}
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor is not None and cursor not in places:
            raise Refusal(RESOURCE_MISSING, f"there is no line {cursor[:80]!r} on the invoice.", name)
    url = f"/v1/invoices/{call.id}/lines"
    if before is not None:
        end = places[before]
        return Items(every[max(end - limit, 0) : end], url, end > limit)
    start = 0 if after is None else places[after] + 1
    return Items(every[start : start + limit], url, len(every) > start + limit)


def _invoice_items(call: Call) -> Answer:
    params = dict(call.params)
    pending = params.pop("pending", None)
    conditions = list(lists.tests(params))
    if pending is not None:
        conditions.append(Test("invoice", "eq", None, negated=not pending))
    return Listed(lists.page(call.desk, INVOICE_ITEM.name, params, conditions), INVOICE_ITEM.collection)
