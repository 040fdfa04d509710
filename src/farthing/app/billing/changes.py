"""Changes of a subscription: what is agreed from a time on, and what becomes of what was billed in advance for the time after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farthing.app.billing import subscriptions as begun
from farthing.app.billing.agreements import agreed_versions, tax_rates
from farthing.app.billing.contracts import NOTHING, amended, standing
from farthing.app.billing.discounts import apply_discounts
from farthing.app.billing.drafts import Bill, former
from farthing.app.billing.items import changed_items, check_currency, with_period
from farthing.app.billing.kinds import SUBSCRIPTION
from farthing.app.billing.refusals import INVOICE_DUE_DATE, SUBSCRIPTION_SCHEDULED, SUBSCRIPTION_TIME_OUT_OF_RANGE
from farthing.app.billing.unprorated import unprorated
from farthing.app.clocks.desks import clock_of
from farthing.app.customers.kinds import CUSTOMER
from farthing.app.resources import plain
from farthing.app.resources.changes import tell
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import FOREVER, MICROS, Interval
from farthing.core.contract.resolve import Due

SCHEDULED = (
    *("billing_cycle_anchor", "cancel_at", "cancel_at_period_end", "default_tax_rates", "discounts", "items"),
    *("proration_date", "trial_end"),
)
"""What a schedule decides, as long as a subscription has one."""
PLAIN = ("description", "default_payment_method", "cancel_at_period_end")
Document = dict[str, Any]


def update_subscription(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change a subscription. What is agreed otherwise holds from `proration_date` (by default now); what was billed in advance for the time
    after it is given back and billed anew on the next invoice (`create_prorations`), on one at once (`always_invoice`), or not (`none`).
    Other prices' intervals, a trial that ends now and a new anchor begin new periods, billed at once.

    Errors: subscription_…, invoice_due_date_misplaced, resource_missing, fields_conflict.
    """
    with desk.store.transaction():
        row = plain.need(desk, SUBSCRIPTION, id_, lock=True)
        customer = plain.need(desk, CUSTOMER, row.document["customer"], "customer", lock=True)
        desk = clock_of(desk, customer)
        row = begun.caught_up(desk, row)
        if row.document["schedule"] is not None and (taken := next((name for name in params if name in SCHEDULED), None)):
            raise Refusal(SUBSCRIPTION_SCHEDULED, f"subscription {id_!r} goes by {row.document['schedule']}.", taken)
        return change_at(desk, customer, row, params)


def change_at(desk: Desk, customer: Row, row: Row, params: Mapping[str, Any], at: int | None = None) -> Row:
    """Change a subscription that is in the period of now. `at`, in seconds, is from when on in place of the proration date; it may be the
    very end of the period, which is not billed yet then. Errors: as of `update_subscription`."""
    before = row.document
    document = changed_document(desk, row, params)
    row = plain.change(desk, SUBSCRIPTION, row, document, event=None, hidden={**row.hidden, "former_items": _former(row, document)})
    if document["status"] == "trialing":
        row = _in_trial(desk, customer, row, params)
    elif params.get("trial_end") not in (None, "now"):
        raise Refusal(SUBSCRIPTION_TIME_OUT_OF_RANGE, f"subscription {row.id!r} is not in its trial.", "trial_end")
    elif begins_anew(before, document, params):
        row = restart(desk, customer, row, document, desk.second if at is None else at, params.get("proration_behavior") != "none")
    elif agrees_otherwise(before, document):
        row = _change_terms(desk, customer, row, params, at)
    row = _due_again(desk, plain.need(desk, SUBSCRIPTION, row.id, lock=True))
    if row.document != before:
        tell(desk, "customer.subscription.updated", row.document, before)
    return row


def changed_document(desk: Desk, row: Row, params: Mapping[str, Any]) -> Document:
    """The document of a subscription with the changes that are sent, before any of them is billed."""
    before = row.document
    document = {**before, **{name: params[name] for name in PLAIN if name in params}}
    if "metadata" in params:
        document["metadata"] = plain.merged_metadata(before["metadata"], params["metadata"])
    if "items" in params:
        items = changed_items(desk, before["items"]["data"], params["items"], row.id)
        check_currency(items, before["currency"])
        shown = before["items"]["data"][0]
        document["items"] = with_period(items, shown["current_period_start"], shown["current_period_end"])
    if "default_tax_rates" in params:
        document["default_tax_rates"] = tax_rates(desk, params["default_tax_rates"] or (), "default_tax_rates")
    if "discounts" in params:
        document["discounts"] = apply_discounts(desk, params["discounts"] or (), row)
    if "collection_method" in params or "days_until_due" in params:
        _collection(document, params)
    if "cancel_at" in params:
        _cancel_at(desk, document, params)
    if params.get("cancel_at_period_end") is not None:
        document["canceled_at"] = desk.second if params["cancel_at_period_end"] else None
    if "cancellation_details" in params:
        document["cancellation_details"] = {**before["cancellation_details"], **(params["cancellation_details"] or {})}
    return document


def _collection(document: Document, params: Mapping[str, Any]) -> None:
    method = params.get("collection_method", document["collection_method"])
    days = params.get("days_until_due", document["days_until_due"] if method == "send_invoice" else None)
    if (method == "send_invoice") != (days is not None):
        raise Refusal(INVOICE_DUE_DATE, f"collection_method is {method}.", "days_until_due")
    document |= {"collection_method": method, "days_until_due": days}


def _cancel_at(desk: Desk, document: Document, params: Mapping[str, Any]) -> None:
    at = begun.cancels_at(desk, params)
    document |= {"cancel_at": at, "canceled_at": None if at is None else desk.second}


def _former(row: Row, document: Document) -> list[Any]:
    """The items that the subscription had, so that lines about them can say what they were."""
    kept = {item["id"] for item in document["items"]["data"]}
    gone = [item for item in row.document["items"]["data"] if item["id"] not in kept]
    return [*row.hidden.get("former_items", ()), *gone]


def agrees_otherwise(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether what is billed changes."""
    return any(before[name] != after[name] for name in ("items", "default_tax_rates", "discounts"))


def begins_anew(before: Mapping[str, Any], after: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    """Whether billing periods are counted anew: another interval, or an anchor that is set to now."""
    same = begun.same_interval(before["items"]["data"], after["items"]["data"])
    return not same or (params.get("billing_cycle_anchor") or {}).get("type") == "now"


def _in_trial(desk: Desk, customer: Row, row: Row, params: Mapping[str, Any]) -> Row:
    end = params.get("trial_end")
    if end is None:
        return row
    if end == "now":
        document = {**row.document, "trial_end": desk.second, "billing_cycle_anchor": desk.second}
        row = plain.change(desk, SUBSCRIPTION, row, document, event=None)
        return begun.begin(desk, customer, row, desk.second, "subscription_update")
    if end <= desk.second:
        raise Refusal(SUBSCRIPTION_TIME_OUT_OF_RANGE, f"trial_end {end} is not after now, {desk.second}.", "trial_end")
    items = with_period(row.document["items"]["data"], row.document["trial_start"], end)
    return plain.change(desk, SUBSCRIPTION, row, {**row.document, "trial_end": end, "billing_cycle_anchor": end, "items": items}, event=None)


def _change_terms(desk: Desk, customer: Row, row: Row, params: Mapping[str, Any], at: int | None) -> Row:
    """Agree otherwise from `at` or the proration date on, and say what becomes of the difference."""
    at = _proration_date(desk, row, params) if at is None else at
    behavior = params.get("proration_behavior", "create_prorations")
    contract = standing(desk, row.hidden["contracts"][-1], customer.id)
    if behavior == "always_invoice":
        begun.settle(desk, customer.id, set(row.hidden["contracts"]))
    versions = agreed_versions(desk, row.document, at * MICROS)
    if behavior == "none" and at * MICROS < row.hidden["period"][1]:
        versions = unprorated(contract, Interval(at * MICROS, row.hidden["period"][1]), versions)
    desk.store.put_contract(amended(contract, at * MICROS, versions))
    if behavior == "always_invoice":
        begun.bill_now(desk, customer, row, [Bill(contract.id), *former(row)])
    return row


def _proration_date(desk: Desk, row: Row, params: Mapping[str, Any]) -> int:
    """From when on a change holds, in seconds. Errors: subscription_time_out_of_range."""
    at: int = params.get("proration_date") or desk.second
    start, end = (micros // MICROS for micros in row.hidden["period"])
    if not start <= at < end:
        raise Refusal(SUBSCRIPTION_TIME_OUT_OF_RANGE, f"{at} is not in the period from {start} to {end}.", "proration_date")
    return at


def restart(desk: Desk, customer: Row, row: Row, document: Mapping[str, Any], second: int, prorate: bool = True) -> Row:
    """Count billing periods anew from `second` on: nothing is agreed under the contract so far any more (without `prorate` what was billed in
    advance stays billed), its open period is billed, and another contract begins, whose first period is billed on the same invoice."""
    old = standing(desk, row.hidden["contracts"][-1], customer.id)
    begun.settle(desk, customer.id, set(row.hidden["contracts"]))
    at = second * MICROS
    rest = Interval(*row.hidden["period"]).overlap(Interval(at, FOREVER))
    nothing = [(at, NOTHING)]
    desk.store.put_contract(amended(old, at, nothing if prorate or rest is None else unprorated(old, rest, nothing)))
    closing, corrected = Bill(old.id, Due(Interval(*row.hidden["period"]))), former(row)
    row = plain.change(desk, SUBSCRIPTION, row, {**document, "billing_cycle_anchor": at // MICROS}, event=None)
    row, opening = begun.open_contract(desk, customer, row, at // MICROS)
    begun.bill_now(desk, customer, row, [closing, opening, *corrected])
    return row


def _due_again(desk: Desk, row: Row) -> Row:
    """The time at which the subscription is due next may have changed."""
    document = row.document
    if document["status"] in begun.ENDED:
        return row
    boundary = document["trial_end"] if document["status"] == "trialing" else row.hidden["period"][1] // MICROS
    if document["status"] == "incomplete":
        boundary = min(boundary, row.created + begun.INCOMPLETE_FOR)
    due_at = begun.earliest(document, boundary) * MICROS
    return row if row.due_at == due_at else plain.change(desk, SUBSCRIPTION, row, document, event=None, due_at=due_at)
