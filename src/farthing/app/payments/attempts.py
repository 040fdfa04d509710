"""Attempts to collect a payment: the processor is asked under a reference, and what it answers becomes the intent's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from farthing.app.payments.charges import charge_for
from farthing.app.payments.chosen import method_for, processor_of
from farthing.app.payments.followers import moved
from farthing.app.payments.kinds import PAYMENT_INTENT, PAYMENT_METHOD
from farthing.app.payments.methods import attached
from farthing.app.payments.processor import Order, Outcome
from farthing.app.payments.refusals import METHOD_MISSING
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Document, Row
from farthing.core.base.refusal import Refusal
from farthing.core.payment.declines import DECLINES, Decline
from farthing.core.payment.payment import Payment, acted, begun, concluded
from farthing.core.payment.states import UNDECIDED, Status

MANUAL = "manual"
_EVENTS: Mapping[Status, str] = {
    Status.SUCCEEDED: "succeeded",
    Status.REQUIRES_CAPTURE: "amount_capturable_updated",
    Status.REQUIRES_ACTION: "requires_action",
    Status.PROCESSING: "processing",
    Status.REQUIRES_PAYMENT_METHOD: "payment_failed",
}


@dataclass(frozen=True, slots=True)
class Attempted:
    """An intent after an attempt, and what became of the attempt. `decline` is set where it failed; the intent is kept all the same."""

    row: Row
    outcome: Outcome
    method: Row

    @property
    def decline(self) -> Decline | None:
        """Why it failed, None where it did not."""
        return self.outcome.decline


def chosen_method(desk: Desk, params: Mapping[str, Any], customer: str | None) -> Row | None:
    """The payment method that parameters name, None if they name none. Errors: resource_missing, payment_method_…"""
    return None if params.get("payment_method") is None else method_for(desk, params["payment_method"], customer)


def payment_of(row: Row) -> Payment:
    """The payment that an intent's row keeps."""
    shown = row.document
    return Payment(
        shown["amount"],
        Status(shown["status"]),
        shown["capture_method"] == MANUAL,
        shown["amount_capturable"],
        shown["amount_received"],
        row.hidden.get("reversed", 0),
    )


def with_payment(document: Document, payment: Payment) -> dict[str, Any]:
    """An intent's document with the state and the amounts of a payment."""
    return {
        **document,
        "amount": payment.amount,
        "amount_capturable": payment.held,
        "amount_received": payment.received,
        "status": str(payment.status),
    }


def attempt(desk: Desk, row: Row, *, off_session: bool, return_url: str | None = None, waits: bool = True, reference: str | None = None) -> Attempted:
    """Try to collect an intent whose row is locked. Without a `reference` it is the intent's id with the number of the attempt, so that
    it is the same one if the transaction is lost after the processor was asked. `waits`: an action of the customer is waited for, else
    the attempt is given up and counts as declined.

    Errors: payment_intent_unexpected_state, payment_method_missing."""
    processor, payment = processor_of(desk), payment_of(row)
    if payment.status is Status.REQUIRES_PAYMENT_METHOD:
        raise Refusal(METHOD_MISSING, f"payment intent {row.id} has no payment method.", "payment_method")
    payment = begun(payment)
    method = plain.need(desk, PAYMENT_METHOD, row.document["payment_method"], "payment_method", lock=True)
    if payment.status is Status.REQUIRES_ACTION:
        row = given_up(desk, row)
    elif row.hidden.get("acted"):
        reference = row.hidden["reference"]
    number = len(row.hidden.get("references", ())) + 1
    order = Order(
        reference or f"{row.id} {number}",
        row.id,
        method.hidden["token"],
        payment.amount,
        row.document["currency"],
        not payment.capture_later,
        off_session,
        bool(method.hidden.get("agreed")),
        return_url,
    )
    outcome = processor.authorise(desk, order)
    if outcome.result == "requires_action" and not waits:
        processor.cancel(desk, order.reference)
        outcome = Outcome("declined", DECLINES["authentication_required"])
    references = [*row.hidden.get("references", ()), order.reference]
    hidden = {**row.hidden, "acted": False, "reference": order.reference, "references": references, "return_url": return_url}
    return _concluded(desk, row, method, outcome, hidden)


def given_up(desk: Desk, row: Row) -> Row:
    """An intent that waited for the customer, or for its confirmation after they have acted, ready for another attempt: the processor does
    not wait any more."""
    processor_of(desk).cancel(desk, row.hidden["reference"])
    payment = payment_of(row)
    waits = payment.status is Status.REQUIRES_ACTION
    document = {**with_payment(row.document, acted(payment) if waits else payment), "next_action": None}
    return plain.change(desk, PAYMENT_INTENT, row, document, None, hidden={**row.hidden, "acted": False})


def settle_intent(desk: Desk, id_: str) -> Attempted | None:
    """Ask the processor how an attempt that is under way has ended, and let the intent follow: after the customer has acted, after the
    processor has called back, after a crash. None where nothing is under way, or the processor knows nothing of it. Errors: resource_missing."""
    with desk.store.transaction():
        row = plain.need(desk, PAYMENT_INTENT, id_, lock=True)
        reference = row.hidden.get("reference")
        if Status(row.document["status"]) not in UNDECIDED or reference is None:
            return None
        outcome = processor_of(desk).outcome(desk, reference)
        if outcome is None:
            return None
        method = plain.need(desk, PAYMENT_METHOD, row.document["payment_method"], lock=True)
        if outcome.result == "succeeded" and outcome.authenticated and row.document["confirmation_method"] == MANUAL:
            document = {**with_payment(row.document, acted(payment_of(row))), "next_action": None}
            return Attempted(plain.change(desk, PAYMENT_INTENT, row, document, None, hidden={**row.hidden, "acted": True}), outcome, method)
        settled = _concluded(desk, row, method, outcome, dict(row.hidden))
        moved(desk, settled.row)
        return settled


def _concluded(desk: Desk, row: Row, method: Row, outcome: Outcome, hidden: dict[str, Any]) -> Attempted:
    before = payment_of(row)
    payment = concluded(before, outcome.result)
    document = with_payment(row.document, payment)
    document["next_action"] = next_action(outcome, hidden.get("return_url"))
    charge = None
    if outcome.result == "succeeded" or (outcome.decline is not None and outcome.decline.charged):
        charge = charge_for(desk, row.document, method.document, outcome, payment.status is Status.SUCCEEDED)
        document["latest_charge"] = charge.id
    if outcome.decline is not None:
        document["payment_method"] = None
        document["last_payment_error"] = error_document(outcome.decline, method.document, charge.id if charge else None)
    elif outcome.result == "succeeded":
        document["last_payment_error"] = None
        method = _kept_for_later(desk, row.document, method)
    if payment.status is Status.PROCESSING:
        document["processing"] = {"type": "card"}
    elif document["processing"] is not None:
        document["processing"] = None
    event = _EVENTS[payment.status] if document != dict(row.document) else None
    return Attempted(plain.change(desk, PAYMENT_INTENT, row, document, event, hidden=hidden), outcome, method)


def _kept_for_later(desk: Desk, intent: Document, method: Row) -> Row:
    """The payment method after a payment that is also to make it ready for later ones."""
    usage, customer = intent["setup_future_usage"], intent["customer"]
    if usage is None or customer is None:
        return method
    return attached(desk, method, customer, agreed=usage == "off_session")


def next_action(outcome: Outcome, return_url: str | None) -> dict[str, Any] | None:
    """What the customer has to do, as an intent shows it; None where there is nothing."""
    if outcome.result != "requires_action":
        return None
    return {"redirect_to_url": {"return_url": return_url, "url": outcome.url}, "type": "redirect_to_url"}


def error_document(decline: Decline, method: Document, charge: str | None = None) -> dict[str, Any]:
    """The last error of an intent, as it shows it."""
    made: dict[str, Any] = {"code": decline.code, "message": decline.message, "payment_method": dict(method)}
    made["type"] = "card_error" if decline.charged else "invalid_request_error"
    if decline.charged:
        made["decline_code"] = decline.reason
    if decline.advice is not None:
        made["advice_code"] = decline.advice
    if charge is not None:
        made["charge"] = charge
    return made
