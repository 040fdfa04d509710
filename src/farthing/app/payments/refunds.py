"""Refunds: what was received is given back, all or in parts, never more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farthing.app.payments.attempts import payment_of
from farthing.app.payments.balance import book_reversal
from farthing.app.payments.charges import refund_charge
from farthing.app.payments.chosen import add_without_mode, processor_of, reference_for
from farthing.app.payments.kinds import CHARGE, PAYMENT_INTENT, REFUND
from farthing.app.payments.processor import Outcome
from farthing.app.payments.refusals import NOTHING_TO_REFUND, REFUND_STATE
from farthing.app.resources import plain
from farthing.app.resources.changes import tell
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.core.base.refusal import Refusal
from farthing.core.payment.payment import came_back, given_back

PENDING = "pending"
_STATUS = {"succeeded": "succeeded", "processing": PENDING, "declined": "failed"}


def create_refund(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Give back `amount` of what a `payment_intent` or `charge` received, or all that is left of it. If the processor fails at it, the
    refund is there as failed, and the money as well.

    Errors: charge_not_refundable, resource_missing, charge_already_refunded, amount_too_small, payment_amount_too_large,
    payment_intent_unexpected_state."""
    with desk.store.transaction():
        intent = _intent(desk, params)
        charge, before = intent.document["latest_charge"], payment_of(intent)
        if before.received == 0:
            raise Refusal(NOTHING_TO_REFUND, f"payment intent {intent.id} has received nothing.", "payment_intent")
        payment = given_back(before, params.get("amount"))
        amount = payment.reversed - before.reversed
        id_ = desk.new_id(REFUND.prefix.rstrip("_"))
        reference = reference_for(desk, "refund", id_)
        outcome = processor_of(desk).refund(desk, reference, intent.hidden["reference"], amount)
        document: dict[str, Any] = {
            "id": id_,
            "object": REFUND.name,
            "amount": amount,
            "balance_transaction": None,
            "charge": charge,
            "created": desk.second,
            "currency": intent.document["currency"],
            "customer": intent.document["customer"],
            "customer_account": None,
            "destination_details": {"card": {"reference_status": "pending", "type": "refund"}, "type": "card"},
            "metadata": plain.merged_metadata({}, params.get("metadata")),
            "payment_intent": intent.id,
            "payment_method": None,
            "reason": params.get("reason"),
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": _STATUS[outcome.result],
            "transfer_reversal": None,
        }
        if outcome.result == "processing":
            document["pending_reason"] = "processing"
        return _made(desk, intent, document, {"reference": reference}, outcome)


def update_refund(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change a refund's metadata. Errors: resource_missing."""
    return plain.update(desk, REFUND, id_, params)


def cancel_refund(desk: Desk, id_: str) -> Row:
    """Stop a refund that is pending; the money is here again. Errors: resource_missing, refund_unexpected_state."""
    with desk.store.transaction():
        intent, row = _pending(desk, id_)
        if row.document["status"] != PENDING:
            raise Refusal(REFUND_STATE, f"refund {id_[:80]!r} is {row.document['status']}.", None)
        processor_of(desk).cancel(desk, row.hidden["reference"])
        return _undone(desk, intent, row, "canceled", "updated")


def settle_refund(desk: Desk, id_: str) -> Row:
    """Ask the processor how a refund that is pending has ended, and let it follow. Errors: resource_missing."""
    with desk.store.transaction():
        intent, row = _pending(desk, id_)
        outcome = processor_of(desk).outcome(desk, row.hidden["reference"])
        if row.document["status"] != PENDING or outcome is None or outcome.result not in ("succeeded", "declined"):
            return row
        if outcome.result == "declined":
            return _undone(desk, intent, row, "failed", "failed")
        document = {name: value for name, value in row.document.items() if name != "pending_reason"}
        return plain.change(desk, REFUND, row, {**document, "status": "succeeded"})


def _made(desk: Desk, intent: Row, document: dict[str, Any], hidden: dict[str, Any], outcome: Outcome) -> Row:
    """The refund with all that follows from it: the charge, the balance, and what is left to be given back."""
    if outcome.result == "declined":
        document["failure_reason"] = "unknown"
    else:
        document["balance_transaction"] = book_reversal(desk, document).id
        refund_charge(desk, document["charge"], document["amount"])
        _reverse(desk, intent, document["amount"])
    row = add_without_mode(desk, REFUND, document, hidden)
    tell(desk, "refund.created", document)
    if outcome.result == "declined":
        tell(desk, "refund.failed", document)
    return row


def _undone(desk: Desk, intent: Row, row: Row, status: str, event: str) -> Row:
    document = {name: value for name, value in row.document.items() if name != "pending_reason"}
    document["status"] = status
    document["failure_balance_transaction"] = book_reversal(desk, document, failed=True).id
    if status == "failed":
        document["failure_reason"] = "unknown"
    refund_charge(desk, document["charge"], -document["amount"])
    _reverse(desk, intent, -document["amount"])
    return plain.change(desk, REFUND, row, document, event)


def _reverse(desk: Desk, intent: Row, amount: int) -> None:
    before = payment_of(intent)
    after = given_back(before, amount) if amount > 0 else came_back(before, -amount)
    plain.change(desk, PAYMENT_INTENT, intent, intent.document, None, hidden={**intent.hidden, "reversed": after.reversed})


def _pending(desk: Desk, id_: str) -> tuple[Row, Row]:
    """The intent and the refund, locked in this order, as everywhere."""
    intent = plain.need(desk, REFUND, id_).document["payment_intent"]
    return plain.need(desk, PAYMENT_INTENT, intent, lock=True), plain.need(desk, REFUND, id_, lock=True)


def _intent(desk: Desk, params: Mapping[str, Any]) -> Row:
    """The intent whose payment is to be given back, locked."""
    named, charge = params.get("payment_intent"), params.get("charge")
    if named is None and charge is None:
        raise Refusal(NOTHING_TO_REFUND, "neither a charge nor a payment intent is sent.", "payment_intent")
    intent: str = _paid_by(desk, charge) if named is None and charge is not None else named or ""
    row = plain.need(desk, PAYMENT_INTENT, intent, "payment_intent", lock=True)
    if charge is not None and charge != row.document["latest_charge"]:
        raise Refusal(NOTHING_TO_REFUND, f"charge {charge[:80]!r} is not what payment intent {intent[:80]!r} was paid by.", "charge")
    return row


def _paid_by(desk: Desk, charge: str) -> str:
    found = plain.need(desk, CHARGE, charge, "charge").document
    if not found["paid"]:
        raise Refusal(NOTHING_TO_REFUND, f"charge {charge[:80]!r} failed.", "charge")
    intent: str = found["payment_intent"]
    return intent
