"""Collecting: an open invoice is charged, again after a while if that failed, and its subscription goes by what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from farthing.app.billing.changes import update_subscription
from farthing.app.billing.invoices import finalize, in_time, mark_paid, subscription_of, void
from farthing.app.billing.kinds import INVOICE, INVOICE_PAYMENT, SUBSCRIPTION
from farthing.app.billing.refusals import INVOICE_NO_PAYMENT_METHOD, INVOICE_NOT_OPEN, INVOICE_NOT_PAID
from farthing.app.billing.subscriptions import (
    DAY,
    ENDED,
    INCOMPLETE_FOR,
    create_subscription,
    end_subscription,
    has_ended,
    never_agreed,
    roll_subscription,
)
from farthing.app.clocks.desks import clock_of
from farthing.app.customers.kinds import CUSTOMER
from farthing.app.payments.chosen import processor_of
from farthing.app.payments.followers import followed_by
from farthing.app.payments.intents import create_intent
from farthing.app.payments.pay import Payment, pay
from farthing.app.payments.processor import Outcome
from farthing.app.resources import plain
from farthing.app.resources.changes import tell
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import MICROS
from farthing.core.payment.declines import Decline
from farthing.core.payment.refusals import CARD_CODES

RETRIES = (3, 5, 7)
"""Days after each failed charge at which it is tried again; behind the last the subscription is cancelled."""


@dataclass(frozen=True, slots=True)
class Collected:
    """An invoice after a charge was tried, and the payment, None where there was nothing to charge with."""

    invoice: Row
    payment: Payment | None


def advance_invoice(desk: Desk, row: Row) -> None:
    """Do what is due on an invoice: a draft becomes final, an open one is charged."""
    document = row.document
    if document["status"] == "draft":
        final = finalize(desk, row.id)
        if final.document["status"] == "open" and final.due_at is not None:
            _charge_by_itself(desk, final)
    elif document["status"] == "open" and document["next_payment_attempt"] is not None:
        _charge_by_itself(desk, row)
    else:
        plain.change(desk, INVOICE, row, document, event=None, due_at=None)


def _charge_by_itself(desk: Desk, row: Row) -> None:
    collect(desk, row, payment_method(desk, row), off_session=True)


def pay_invoice(desk: Desk, id_: str, params: Mapping[str, Any]) -> Collected:
    """Pay an open invoice (a draft becomes final first): with a payment method, or as paid elsewhere (`paid_out_of_band`).

    Errors: resource_missing, invoice_not_open, invoice_payment_method_missing. A charge that is declined is no error here.
    """
    row = plain.need(desk, INVOICE, id_, lock=True)
    customer = plain.need(desk, CUSTOMER, row.document["customer"], "customer", lock=True)
    desk = clock_of(desk, customer)
    if row.document["status"] == "draft":
        row = finalize(desk, id_)
    if row.document["status"] not in ("open", "uncollectible"):
        raise Refusal(INVOICE_NOT_OPEN, f"invoice {id_[:80]!r} is {row.document['status']}.", "invoice")
    if params.get("paid_out_of_band"):
        return Collected(_paid(desk, row, row.document["amount_remaining"], None), None)
    method = params.get("payment_method") or payment_method(desk, row)
    if method is None:
        raise Refusal(INVOICE_NO_PAYMENT_METHOD, f"invoice {id_[:80]!r} has none.", "payment_method")
    return collect(desk, row, method, off_session=params.get("off_session", True))


def payment_method(desk: Desk, row: Row) -> str | None:
    """What an invoice is charged with: its own payment method, its subscription's, or the customer's default."""
    subscription = subscription_of(desk, row.document)
    customer = plain.need(desk, CUSTOMER, row.document["customer"], "customer")
    held = None if subscription is None else subscription.document["default_payment_method"]
    method: str | None = row.document["default_payment_method"] or held or customer.document["invoice_settings"]["default_payment_method"]
    return method


def collect(desk: Desk, row: Row, method: str | None, *, off_session: bool) -> Collected:
    """Try to charge an open invoice once, and note what came of it, on its subscription too."""
    document = row.document
    amount, attempt = document["amount_remaining"], document["attempt_count"] + 1
    payment = None
    if method is not None:
        payment = pay(
            desk,
            processor_of(desk),
            customer=document["customer"],
            amount=amount,
            currency=document["currency"],
            payment_method=method,
            off_session=off_session,
            invoice=row.id,
            reference=f"{row.id}:{attempt}",
        )
    row = plain.change(desk, INVOICE, row, {**document, "attempt_count": attempt, "attempted": True}, event=None)
    if payment is not None and payment.paid:
        return Collected(_paid(desk, row, amount, payment), payment)
    return Collected(_failed(desk, row, payment), payment)


def _paid(desk: Desk, row: Row, amount: int, payment: Payment | None) -> Row:
    paid = mark_paid(desk, row, amount, out_of_band=payment is None)
    _record(desk, paid, amount, payment, "paid")
    tell(desk, "invoice.payment_succeeded", paid.document)
    _reactivate(desk, paid)
    return paid


def credited(desk: Desk, row: Row) -> Row:
    """An open invoice of which a credit note leaves nothing to pay is paid, and its subscription goes by it."""
    paid = mark_paid(desk, row)
    _reactivate(desk, paid)
    return paid


def _reactivate(desk: Desk, paid: Row) -> None:
    subscription = subscription_of(desk, paid.document)
    if subscription is not None and subscription.document["status"] in ("past_due", "incomplete", "unpaid"):
        _status(desk, subscription, "active")


def _record(desk: Desk, row: Row, amount: int, payment: Payment | None, status: str) -> None:
    """What was paid on an invoice by which payment."""
    by = {"type": "payment_intent", "payment_intent": payment.row.id} if payment is not None else {"type": "payment_record"}
    document = {
        "amount_paid": amount if status == "paid" else None,
        "amount_requested": amount,
        "created": desk.second,
        "currency": row.document["currency"],
        "invoice": row.id,
        "is_default": True,
        "payment": by,
        "status": status,
        "status_transitions": {"canceled_at": None, "paid_at": desk.second if status == "paid" else None},
    }
    plain.create(desk, INVOICE_PAYMENT, document, event="paid" if status == "paid" else None)


def _failed(desk: Desk, row: Row, payment: Payment | None) -> Row:
    """A charge failed: it is tried again by `RETRIES`, behind the last the subscription is cancelled; a first invoice is not tried again."""
    subscription, attempts = subscription_of(desk, row.document), row.document["attempt_count"]
    first = row.document["billing_reason"] == "subscription_create"
    days = RETRIES[attempts - 1] if attempts <= len(RETRIES) and row.document["auto_advance"] and not first else None
    next_ = None if days is None else desk.second + days * DAY
    document = {**row.document, "next_payment_attempt": next_}
    row = plain.change(desk, INVOICE, row, document, event=None, due_at=None if next_ is None else next_ * MICROS)
    acting = payment is not None and payment.row.document["status"] == "requires_action"
    tell(desk, "invoice.payment_action_required" if acting else "invoice.payment_failed", document)
    if subscription is not None and subscription.document["status"] not in ENDED:
        _goes_by(desk, subscription, first, exhausted=next_ is None and row.document["auto_advance"] and not first)
    return row


def _goes_by(desk: Desk, subscription: Row, first: bool, exhausted: bool) -> None:
    if first:
        if subscription.document["status"] == "active":
            _status(desk, subscription, "incomplete")
    elif exhausted:
        held = plain.need(desk, SUBSCRIPTION, subscription.id, lock=True)
        end_subscription(desk, held, desk.second, bill_usage=False, reason="payment_failed", prorate=False)
    elif subscription.document["status"] == "active":
        _status(desk, subscription, "past_due")


def _status(desk: Desk, subscription: Row, status: str) -> None:
    held = plain.need(desk, SUBSCRIPTION, subscription.id, lock=True)
    changed = plain.change(desk, SUBSCRIPTION, held, {**held.document, "status": status}, event=None)
    tell(desk, "customer.subscription.updated", changed.document, held.document)


def subscribe(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Begin a subscription and charge its first invoice, as `payment_behavior` says: `allow_incomplete` (the default) leaves the
    subscription incomplete where that fails, `error_if_incomplete` refuses it, `default_incomplete` waits for the customer to pay.

    Errors: as of `create_subscription`; card_declined or invoice_payment_method_missing with error_if_incomplete.
    """
    row = create_subscription(desk, params)
    customer = plain.need(desk, CUSTOMER, row.document["customer"], "customer")
    desk = clock_of(desk, customer)
    behavior = params.get("payment_behavior", "allow_incomplete")
    invoice = _to_charge(desk, row)
    if invoice is None:
        return row
    if behavior == "default_incomplete":
        _wait_for_customer(desk, invoice)
        _goes_by(desk, row, first=True, exhausted=False)
    else:
        made = collect(desk, invoice, payment_method(desk, invoice), off_session=params.get("off_session", False))
        if behavior == "error_if_incomplete" and made.invoice.document["status"] != "paid":
            raise _why(made)
    row = plain.need(desk, SUBSCRIPTION, row.id, lock=True)
    if row.document["status"] == "incomplete":
        expires = (row.created + INCOMPLETE_FOR) * MICROS
        row = plain.change(desk, SUBSCRIPTION, row, row.document, event=None, due_at=min(expires, row.due_at or expires))
    return row


def _wait_for_customer(desk: Desk, invoice: Row) -> None:
    """An open invoice that the customer pays by confirming a payment: it is made ready, and the invoice says by which secret."""
    document = invoice.document
    params = {"amount": document["amount_remaining"], "currency": document["currency"], "customer": document["customer"]}
    made = create_intent(desk, params, hidden={"invoice": invoice.id})
    intent = made if isinstance(made, Row) else made.row
    secret = {"client_secret": intent.document["client_secret"], "type": "payment_intent"}
    waiting = {**document, "next_payment_attempt": None, "confirmation_secret": secret}
    plain.change(desk, INVOICE, invoice, waiting, event=None, due_at=None)


@followed_by
def follow_payment(desk: Desk, intent: Row) -> None:
    """A payment that moved on by itself, after the customer has acted: the open invoice that it is for is paid by it."""
    id_ = intent.hidden.get("invoice")
    row = None if id_ is None or intent.document["status"] != "succeeded" else desk.store.find(INVOICE.name, id_, lock=True)
    if row is None or row.document["status"] not in ("open", "uncollectible"):
        return
    _paid(in_time(desk, row), row, intent.document["amount_received"], Payment(intent, Outcome("succeeded")))


def change_subscription(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change a subscription, and charge at once what is billed at once for it. Errors: as of `update_subscription`; with
    `error_if_incomplete` those of the charge."""
    before = plain.need(desk, SUBSCRIPTION, id_).document["latest_invoice"]
    row = update_subscription(desk, id_, params)
    if row.document["latest_invoice"] == before:
        return row
    customer = plain.need(desk, CUSTOMER, row.document["customer"], "customer")
    desk = clock_of(desk, customer)
    invoice = _to_charge(desk, row)
    if invoice is not None:
        made = collect(desk, invoice, payment_method(desk, invoice), off_session=params.get("off_session", False))
        if params.get("payment_behavior") == "error_if_incomplete" and made.invoice.document["status"] != "paid":
            raise _why(made)
    return plain.need(desk, SUBSCRIPTION, id_)


def _to_charge(desk: Desk, row: Row) -> Row | None:
    """The latest invoice of a subscription, where it is open and charged automatically."""
    latest = row.document["latest_invoice"]
    invoice = None if latest is None else plain.need(desk, INVOICE, latest, lock=True)
    waits = invoice is not None and invoice.document["status"] == "open" and invoice.document["collection_method"] == "charge_automatically"
    return invoice if waits else None


def _why(made: Collected) -> Refusal:
    if made.payment is None:
        return Refusal(INVOICE_NO_PAYMENT_METHOD, "there is nothing to charge the first invoice with.", "default_payment_method")
    if made.payment.decline is None:
        return Refusal(INVOICE_NOT_PAID, f"payment {made.payment.row.id} is {made.payment.row.document['status']}.", "payment_behavior")
    return declined(made.payment.decline)


def declined(decline: Decline) -> Refusal:
    """A decline as a refusal."""
    return Refusal(CARD_CODES[decline.code], decline.message, None)


def roll(desk: Desk, row: Row) -> None:
    """Do what is due on a subscription; one whose first invoice was never paid expires."""
    document = row.document
    if document["status"] == "incomplete" and desk.second >= row.created + INCOMPLETE_FOR:
        invoice = _to_charge(desk, row)
        if invoice is not None:
            void(desk, invoice.id)
        held = plain.need(desk, SUBSCRIPTION, row.id, lock=True)
        expired = {**held.document, "status": "incomplete_expired", "ended_at": desk.second}
        plain.change(desk, SUBSCRIPTION, held, expired, event=None, due_at=None)
        never_agreed(desk, held)
        tell(desk, "customer.subscription.updated", has_ended(desk, held).document, held.document)
        return
    roll_subscription(desk, row)
