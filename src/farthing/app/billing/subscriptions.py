"""Subscriptions: begun, changed, cancelled, and rolled from one billing period into the next. Each becomes a contract of the core, or
one after the other; what is billed for it is the core's to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from farthing.app.billing.agreements import agreed_versions, tax_rates
from farthing.app.billing.contracts import NOTHING, account_contract, amended, opened, recurrence, standing
from farthing.app.billing.discounts import apply_coupons
from farthing.app.billing.drafts import Bill, former, free_of_charge, give_up, items_waiting
from farthing.app.billing.invoices import draft, drafts_of, finalize
from farthing.app.billing.items import check_currency, interval_of, new_items, with_period
from farthing.app.billing.kinds import SUBSCRIPTION
from farthing.app.billing.refusals import INVOICE_DUE_DATE, SUBSCRIPTION_ENDED, SUBSCRIPTION_TIME_OUT_OF_RANGE, SUBSCRIPTION_TIME_UNSUPPORTED
from farthing.app.billing.unprorated import unprorated
from farthing.app.clocks.desks import clock_of
from farthing.app.customers.kinds import CUSTOMER
from farthing.app.resources import plain
from farthing.app.resources.changes import tell
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELDS_CONFLICT
from farthing.core.base.time import FOREVER, MICROS, Interval
from farthing.core.contract.contract import Contract
from farthing.core.contract.resolve import Due

DAY = 86_400
INCOMPLETE_FOR = 23 * 3_600
"""Seconds after which a subscription whose first invoice was not paid expires."""
ENDED = ("canceled", "incomplete_expired")
Follow = Callable[[Desk, Row], None]
_BEFORE_ROLLING: list[Follow] = []
_WHEN_ENDED: list[Follow] = []


def before_rolling(follow: Follow) -> Follow:
    """Declare what is done first with a subscription on which something is due: it is called with its row. Returns it."""
    _BEFORE_ROLLING.append(follow)
    return follow


def when_ended(follow: Follow) -> Follow:
    """Declare what follows when a subscription has ended, in the same transaction: it is called with its row. Returns it."""
    _WHEN_ENDED.append(follow)
    return follow


def create_subscription(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Begin a subscription: its contract, its first period, its first invoice.

    Errors: subscription_…, resource_missing (customer, price, payment method, tax rate, coupon), fields_conflict.
    """
    with desk.store.transaction():
        customer = plain.need(desk, CUSTOMER, params["customer"], "customer", lock=True)
        desk = clock_of(desk, customer)
        id_ = desk.new_id("sub")
        items = new_items(desk, params.get("items") or (), id_)
        currency = params.get("currency") or items[0]["price"]["currency"]
        check_currency(items, currency)
        start = _start(desk, params)
        trial_end = _trial_end(desk, params)
        document = {
            **_blank(desk, customer, params, currency, start),
            "id": id_,
            "items": with_period(items, start, start),
            "trial_start": None if trial_end is None else start,
            "trial_end": trial_end,
            "billing_cycle_anchor": _anchor(params, start, trial_end, items),
            "default_tax_rates": tax_rates(desk, params.get("default_tax_rates") or (), "default_tax_rates"),
        }
        document["discounts"] = apply_coupons(desk, params.get("discounts") or (), customer=customer.id, subscription=id_, start=start)
        row = plain.create(desk, SUBSCRIPTION, document, clock=customer.clock, hidden=_beginning(params), event=None)
        row = _begin_trial(desk, customer, row) if trial_end is not None else begin(desk, customer, row, start)
        tell(desk, "customer.subscription.created", row.document)
        return row


def _beginning(params: Mapping[str, Any]) -> dict[str, Any]:
    """What a new subscription keeps to itself; `free_stub`: what is billed in advance costs nothing before the anchor."""
    return {"contracts": [], "zone": "UTC", "free_stub": params.get("proration_behavior") == "none"}


def _blank(desk: Desk, customer: Row, params: Mapping[str, Any], currency: str, start: int) -> dict[str, Any]:
    method = params.get("collection_method", "charge_automatically")
    if (method == "send_invoice") != (params.get("days_until_due") is not None):
        raise Refusal(INVOICE_DUE_DATE, f"collection_method is {method}.", "days_until_due")
    cancel_at = cancels_at(desk, params)
    return {
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor_config": None,
        "billing_mode": {"flexible": {"proration_discounts": "itemized"}, "type": "flexible"},
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": cancel_at,
        "cancel_at_period_end": params.get("cancel_at_period_end", False),
        "canceled_at": desk.second if cancel_at is not None or params.get("cancel_at_period_end") else None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": method,
        "created": desk.second,
        "currency": currency,
        "customer": customer.id,
        "customer_account": None,
        "days_until_due": params.get("days_until_due"),
        "default_payment_method": params.get("default_payment_method"),
        "default_source": None,
        "description": params.get("description"),
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "custom_fields": None, "description": None, "footer": None, "issuer": {"type": "self"}},
        "latest_invoice": None,
        "managed_payments": None,
        "metadata": plain.merged_metadata({}, params.get("metadata")),
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {"payment_method_options": None, "payment_method_types": None, "save_default_payment_method": "off"},
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": params.get("schedule"),
        "start_date": start,
        "status": "incomplete",
        "status_details": None,
        "test_clock": customer.clock,
        "transfer_data": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
    }


def cancels_at(desk: Desk, params: Mapping[str, Any]) -> int | None:
    """The `cancel_at` that is sent, in seconds. Errors: fields_conflict, subscription_time_unsupported, subscription_time_out_of_range."""
    at = params.get("cancel_at")
    if at is None:
        return None
    if params.get("cancel_at_period_end"):
        raise Refusal(FIELDS_CONFLICT, "cancel_at and cancel_at_period_end are both sent.", "cancel_at")
    if not isinstance(at, int):
        raise Refusal(SUBSCRIPTION_TIME_UNSUPPORTED, f"cancel_at {at} is not supported by this version.", "cancel_at")
    if at <= desk.second:
        raise Refusal(SUBSCRIPTION_TIME_OUT_OF_RANGE, f"cancel_at {at} is not after now, {desk.second}.", "cancel_at")
    return at


def _start(desk: Desk, params: Mapping[str, Any]) -> int:
    start: int = params.get("backdate_start_date") or desk.second
    if start > desk.second:
        raise Refusal(SUBSCRIPTION_TIME_OUT_OF_RANGE, f"{start} is after now, {desk.second}.", "backdate_start_date")
    return start


def _trial_end(desk: Desk, params: Mapping[str, Any]) -> int | None:
    days, end = params.get("trial_period_days"), params.get("trial_end")
    if days and end is not None:
        raise Refusal(FIELDS_CONFLICT, "trial_end and trial_period_days are both sent.", "trial_period_days")
    if days:
        return desk.second + int(days) * DAY
    if end is None or end == "now":
        return None
    if end <= desk.second:
        raise Refusal(SUBSCRIPTION_TIME_OUT_OF_RANGE, f"trial_end {end} is not after now, {desk.second}.", "trial_end")
    return int(end)


def _anchor(params: Mapping[str, Any], start: int, trial_end: int | None, items: Sequence[Mapping[str, Any]]) -> int:
    """From when on billing periods are counted: sent, the end of the trial, or the start. Errors: subscription_time_out_of_range."""
    anchor: int | None = params.get("billing_cycle_anchor")
    first = start if trial_end is None else trial_end
    if anchor is None:
        return first
    latest = recurrence(items[0]["price"]["recurring"], first, "UTC").boundary(1) // MICROS
    if not first <= anchor <= latest:
        message = f"billing_cycle_anchor {anchor} is not within the first period, from {first} to {latest}."
        raise Refusal(SUBSCRIPTION_TIME_OUT_OF_RANGE, message, "billing_cycle_anchor")
    return anchor


def _begin_trial(desk: Desk, customer: Row, row: Row) -> Row:
    """A subscription in its trial has no contract yet: what is used is not billed. Its first invoice says so, at nothing."""
    document = {**row.document, "status": "trialing"}
    start, end = document["trial_start"], document["trial_end"]
    document["items"] = with_period(document["items"]["data"], start, end)
    row = plain.change(desk, SUBSCRIPTION, row, document, event=None, due_at=earliest(document, end) * MICROS)
    free = free_of_charge(document["items"]["data"], "Trial period", Interval(start * MICROS, end * MICROS))
    contract = account_contract(desk, customer.id, document["currency"], customer.document["created"])
    made = draft(desk, customer, document["currency"], [Bill(contract.id)], "subscription_create", subscription=row, extra=free)
    finalize(desk, made.id)
    return plain.need(desk, SUBSCRIPTION, row.id, lock=True)


def begin(desk: Desk, customer: Row, row: Row, start: int, reason: str = "subscription_create") -> Row:
    """The contract begins, and its first period is billed: at once on the subscription's first invoice, after the time for late facts on
    one that follows a trial."""
    row, bill = open_contract(desk, customer, row, start)
    return _first_invoice(desk, customer, row, bill, reason)


def open_contract(desk: Desk, customer: Row, row: Row, start: int) -> tuple[Row, Bill]:
    """A contract for the subscription from `start` (seconds) on; and the bill of what it bills in advance then."""
    document = row.document
    billing = recurrence(document["items"]["data"][0]["price"]["recurring"], document["billing_cycle_anchor"], row.hidden["zone"])
    number = len(row.hidden["contracts"]) + 1
    id_ = row.id if number == 1 else f"{row.id}/{number}"
    versions = agreed_versions(desk, document, start * MICROS)
    contract = opened(id_, customer.id, document["currency"], billing, start * MICROS, versions)
    first = period_at(contract, start * MICROS)
    if row.hidden.get("free_stub") and first != billing.period(billing.index_at(start * MICROS)):
        versions = unprorated(replace(contract, versions=()), first, versions)
        contract = opened(id_, customer.id, document["currency"], billing, start * MICROS, versions)
    desk.store.put_contract(contract)
    shown = {**document, "status": "active", "items": with_period(document["items"]["data"], first.start // MICROS, first.end // MICROS)}
    hidden = {**row.hidden, "contracts": [*row.hidden["contracts"], id_], "period": [first.start, first.end]}
    row = plain.change(desk, SUBSCRIPTION, row, shown, event=None, hidden=hidden, due_at=earliest(shown, first.end // MICROS) * MICROS)
    return row, Bill(id_, Due(None, first))


def _first_invoice(desk: Desk, customer: Row, row: Row, bill: Bill, reason: str) -> Row:
    waiting = items_waiting(desk, customer.id, row.document["currency"], row.id)
    made = draft(desk, customer, row.document["currency"], [bill], reason, subscription=row, items=waiting)
    if not made.document["lines"]["data"]:
        drop_empty(desk, made, row)
    elif reason != "subscription_cycle" and row.document["collection_method"] == "charge_automatically":
        finalize(desk, made.id)
    return plain.need(desk, SUBSCRIPTION, row.id, lock=True)


def drop_empty(desk: Desk, invoice: Row, subscription: Row) -> None:
    """A draft on which nothing stands is none: nobody has seen it yet."""
    desk.store.put(replace(invoice, deleted=True, due_at=None))
    held = plain.need(desk, SUBSCRIPTION, subscription.id, lock=True)
    plain.change(desk, SUBSCRIPTION, held, {**held.document, "latest_invoice": subscription.document["latest_invoice"]}, event=None)


def period_at(contract: Contract, at: int) -> Interval:
    """The billing period of a contract that an instant is in, as long as the contract is active. Errors: ValueError outside."""
    period = contract.billing.period(contract.billing.index_at(at)).overlap(contract.active)
    if period is None:
        raise ValueError(f"{contract.id} is not active at {at}")
    return period


def earliest(document: Mapping[str, Any], boundary: int) -> int:
    """When something is due next, in seconds: the end of the period (or trial), or the end of the subscription."""
    return min(boundary, document["cancel_at"] or boundary)


def roll_subscription(desk: Desk, row: Row) -> None:
    """Do what is due on a subscription: end its trial, begin its next period and bill the last, or end it."""
    for follow in _BEFORE_ROLLING:
        follow(desk, row)
    held = plain.need(desk, SUBSCRIPTION, row.id, lock=True)
    if held.due_at != row.due_at and (held.due_at is None or held.due_at > desk.at):
        return  # what came first has moved it on
    row, document = held, held.document
    if document["status"] in ENDED:
        plain.change(desk, SUBSCRIPTION, row, document, event=None, due_at=None)
        return
    customer = plain.need(desk, CUSTOMER, document["customer"], "customer", lock=True)
    if document["cancel_at"] is not None and document["cancel_at"] <= desk.second:
        end_subscription(desk, row, document["cancel_at"], bill_usage=True, reason="cancellation_requested")
    elif document["status"] == "trialing":
        _end_trial(desk, customer, row)
    else:
        _next_period(desk, customer, row)


def _end_trial(desk: Desk, customer: Row, row: Row) -> None:
    before = row.document
    if before["cancel_at_period_end"]:
        end_subscription(desk, row, before["trial_end"], bill_usage=False, reason="cancellation_requested")
        return
    begun = begin(desk, customer, row, before["trial_end"], "subscription_cycle")
    tell(desk, "customer.subscription.updated", begun.document, before)


def _next_period(desk: Desk, customer: Row, row: Row) -> None:
    """The period that has ended is billed together with what is billed in advance of the next."""
    contract = standing(desk, row.hidden["contracts"][-1], customer.id)
    ended, before = Interval(*row.hidden["period"]), row.document
    if before["cancel_at_period_end"]:
        end_subscription(desk, row, ended.end // MICROS, bill_usage=True, reason="cancellation_requested")
        return
    settle(desk, customer.id, set(row.hidden["contracts"]))
    following = period_at(contract, ended.end)
    document = {**before, "items": with_period(before["items"]["data"], following.start // MICROS, following.end // MICROS)}
    hidden = {**row.hidden, "period": [following.start, following.end]}
    changed = plain.change(desk, SUBSCRIPTION, row, document, None, hidden=hidden, due_at=earliest(document, following.end // MICROS) * MICROS)
    ahead = following if contract.in_advance else None
    waiting = items_waiting(desk, customer.id, document["currency"], row.id)
    bills = [Bill(contract.id, Due(ended, ahead)), *former(row)]
    draft(desk, customer, document["currency"], bills, "subscription_cycle", subscription=changed, items=waiting)
    tell(desk, "customer.subscription.updated", plain.need(desk, SUBSCRIPTION, row.id).document, before)


def settle(desk: Desk, customer: str, contracts: Set[str]) -> None:
    """Drafts that wait under contracts become final before something else is billed under them: what they bill is not billed again."""
    for waiting in drafts_of(desk, customer, contracts):
        finalize(desk, waiting.id)


def end_subscription(desk: Desk, row: Row, at: int, *, bill_usage: bool, reason: str, prorate: bool = True) -> Row:
    """End a subscription at a time in seconds: nothing is agreed from then on, but without `prorate` what is billed in advance up to the
    end of the period. With `bill_usage` what was used up to then, and what was changed, is billed on a last invoice."""
    document = row.document
    customer = plain.need(desk, CUSTOMER, document["customer"], "customer", lock=True)
    details = {**document["cancellation_details"], "reason": document["cancellation_details"]["reason"] or reason}
    ended = {
        **document,
        "status": "canceled",
        "canceled_at": document["canceled_at"] or desk.second,
        "ended_at": at,
        "cancel_at_period_end": document["cancel_at_period_end"],
        "cancellation_details": details,
    }
    row = plain.change(desk, SUBSCRIPTION, row, ended, event=None, due_at=None)
    if row.hidden["contracts"]:
        contract = standing(desk, row.hidden["contracts"][-1], customer.id)
        if bill_usage:
            settle(desk, customer.id, set(row.hidden["contracts"]))
        nothing = [(at * MICROS, NOTHING)]
        rest = Interval(*row.hidden["period"]).overlap(Interval(at * MICROS, FOREVER))
        desk.store.put_contract(amended(contract, at * MICROS, nothing if prorate or rest is None else unprorated(contract, rest, nothing)))
        if bill_usage:
            waiting = items_waiting(desk, customer.id, document["currency"], row.id)
            bills = [Bill(contract.id, Due(Interval(*row.hidden["period"]))), *former(row)]
            draft(desk, customer, document["currency"], bills, "subscription_cycle", subscription=row, items=waiting)
    row = has_ended(desk, plain.need(desk, SUBSCRIPTION, row.id, lock=True))
    tell(desk, "customer.subscription.deleted", row.document)
    return row


def never_agreed(desk: Desk, row: Row) -> None:
    """Nothing is agreed under the contract of a subscription that never came to be, nor ever was."""
    contract = standing(desk, row.hidden["contracts"][-1], row.document["customer"])
    desk.store.put_contract(amended(contract, contract.active.start, [(contract.active.start, NOTHING)]))


def has_ended(desk: Desk, row: Row) -> Row:
    """Do what follows from the end of a subscription, and return it as it is then."""
    for follow in _WHEN_ENDED:
        follow(desk, row)
    return plain.need(desk, SUBSCRIPTION, row.id, lock=True)


def cancel_subscription(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """End a subscription now. `invoice_now` bills what was used in the period that is open, `prorate` gives back what was billed in advance
    for the rest of it; without them that is given up and stays billed.

    Errors: resource_missing, subscription_ended.
    """
    with desk.store.transaction():
        row = plain.need(desk, SUBSCRIPTION, id_, lock=True)
        customer = plain.need(desk, CUSTOMER, row.document["customer"], "customer", lock=True)
        desk = clock_of(desk, customer)
        row = caught_up(desk, row)
        details = params.get("cancellation_details") or {}
        document = {**row.document, "cancellation_details": {"comment": details.get("comment"), "feedback": details.get("feedback"), "reason": None}}
        row = plain.change(desk, SUBSCRIPTION, row, document, event=None)
        if params.get("invoice_now"):
            settle(desk, customer.id, set(row.hidden["contracts"]))
        prorate = bool(params.get("prorate"))
        ended = end_subscription(desk, row, desk.second, bill_usage=False, reason="cancellation_requested", prorate=prorate)
        if not ended.hidden["contracts"]:
            return ended
        contract = standing(desk, ended.hidden["contracts"][-1], customer.id)
        if not prorate and not drafts_of(desk, customer.id, {contract.id}):  # which would bill earlier changes of the period that has ended
            give_up(desk, contract)
        if params.get("invoice_now"):
            bill_now(desk, customer, ended, [Bill(contract.id, Due(Interval(*ended.hidden["period"]))), *former(ended)])
        return plain.need(desk, SUBSCRIPTION, id_)


def bill_now(desk: Desk, customer: Row, row: Row, bills: Sequence[Bill]) -> None:
    """An invoice of these bills, final at once where there is anything on it."""
    settle(desk, customer.id, {bill.contract for bill in bills})
    currency = row.document["currency"]
    items = items_waiting(desk, customer.id, currency, row.id)
    made = draft(desk, customer, currency, bills, "subscription_update", subscription=row, items=items)
    if made.document["lines"]["data"]:
        finalize(desk, made.id)
    else:
        drop_empty(desk, made, row)


def caught_up(desk: Desk, row: Row) -> Row:
    """A subscription on which all is done that is due by now, so that it is in the period that is now. Errors: subscription_ended."""
    while row.due_at is not None and row.due_at <= desk.at and row.document["status"] != "incomplete":
        roll_subscription(desk, row)
        row = plain.need(desk, SUBSCRIPTION, row.id, lock=True)
    check_alive(row)
    return row


def check_alive(row: Row) -> None:
    """Check that a subscription has not ended. Errors: subscription_ended."""
    if row.document["status"] in ENDED:
        raise Refusal(SUBSCRIPTION_ENDED, f"subscription {row.id!r} has ended.", "subscription")


def same_interval(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> bool:
    """Whether items recur as often as others do."""
    return interval_of(before[0]) == interval_of(after[0])
