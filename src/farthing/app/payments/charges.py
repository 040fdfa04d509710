"""Charges: one for each attempt that came as far as the card's bank, whether it succeeded or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farthing.app.payments.balance import book_receipt
from farthing.app.payments.kinds import CHARGE
from farthing.app.payments.processor import Outcome
from farthing.app.resources import plain
from farthing.app.resources.changes import tell
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Document, Row

_SHOWN = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "regulated_status", "wallet")
_FROM_INTENT = (
    *("amount", "application_fee_amount", "currency", "customer", "description", "livemode", "metadata", "on_behalf_of", "payment_method"),
    *("receipt_email", "shipping", "statement_descriptor", "statement_descriptor_suffix", "transfer_data", "transfer_group"),
)


def charge_for(desk: Desk, intent: Document, method: Document, outcome: Outcome, captured: bool) -> Row:
    """The charge of an attempt: `captured` received its money, else it is only held, or failed. What came in is booked."""
    failed = outcome.result == "declined"
    document = {
        **{name: intent[name] for name in _FROM_INTENT},
        **_OF_ALL,
        **_failure(outcome),
        "amount_captured": intent["amount"] if captured else 0,
        "billing_details": method["billing_details"],
        "captured": captured,
        "outcome": _bank(outcome),
        "paid": not failed,
        "payment_intent": intent["id"],
        "payment_method_details": _details(method, intent["amount"], outcome),
        "status": "failed" if failed else "succeeded",
    }
    row = plain.create(desk, CHARGE, document, event="failed" if failed else None)
    if failed:
        return row
    if captured:
        booked = book_receipt(desk, row.document, intent["amount"], outcome.at_once)
        row = plain.change(desk, CHARGE, row, {**row.document, "balance_transaction": booked.id}, None)
    told(desk, row, "succeeded")
    return row


def capture_charge(desk: Desk, charge: str, amount: int, at_once: bool) -> Row:
    """A charge whose held money is taken, all or a part, and booked."""
    row = plain.need(desk, CHARGE, charge, lock=True)
    booked = book_receipt(desk, row.document, amount, at_once)
    return plain.change(
        desk, CHARGE, row, {**row.document, "amount_captured": amount, "balance_transaction": booked.id, "captured": True}, "captured"
    )


def release_charge(desk: Desk, charge: str) -> Row:
    """A charge whose held money is let go: nothing was received, and nothing is given back."""
    row = plain.need(desk, CHARGE, charge, lock=True)
    return plain.change(desk, CHARGE, row, {**row.document, "refunded": True}, "refunded")


def refund_charge(desk: Desk, charge: str, amount: int) -> Row:
    """A charge of which `amount` more is given back; where less than zero, it came back."""
    row = plain.need(desk, CHARGE, charge, lock=True)
    total = row.document["amount_refunded"] + amount
    changed = {**row.document, "amount_refunded": total, "refunded": total == row.document["amount_captured"]}
    return plain.change(desk, CHARGE, row, changed, "refunded" if amount > 0 else "updated")


def told(desk: Desk, row: Row, event: str) -> None:
    """Tell of a charge that was just made."""
    tell(desk, f"{CHARGE.name}.{event}", row.document)


_OF_ALL: Mapping[str, Any] = {
    "amount_refunded": 0,
    "application": None,
    "application_fee": None,
    "balance_transaction": None,
    "calculated_statement_descriptor": None,
    "disputed": False,
    "failure_balance_transaction": None,
    "fraud_details": {},
    "receipt_number": None,
    "receipt_url": None,
    "refunded": False,
    "review": None,
    "source": None,
    "source_transfer": None,
}


def _failure(outcome: Outcome) -> dict[str, Any]:
    decline = outcome.decline
    return {"failure_code": decline and decline.code, "failure_message": decline and decline.message}


def _bank(outcome: Outcome) -> dict[str, Any]:
    """What the bank said."""
    if outcome.decline is None:
        said: dict[str, Any] = {"network_status": "approved_by_network", "reason": None, "seller_message": "Payment complete.", "type": "authorized"}
    else:
        said = {
            "network_status": "declined_by_network",
            "reason": outcome.decline.reason,
            "seller_message": f"The bank: {outcome.decline.message}",
            "type": "issuer_declined",
        }
    advice = outcome.decline and outcome.decline.advice
    return {**said, "advice_code": advice, "network_advice_code": None, "network_decline_code": None, "risk_level": "normal"}


def _details(method: Document, amount: int, outcome: Outcome) -> dict[str, Any]:
    type_ = method["type"]
    card = method[type_]
    acted = {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": None,
        "version": "2.2.0",
    }
    shown = {
        **{name: card[name] for name in _SHOWN},
        "amount_authorized": None if outcome.result == "declined" else amount,
        "authorization_code": None,
        "checks": card["checks"],
        "installments": None,
        "mandate": None,
        "network": card["brand"],
        "network_token": None,
        "network_transaction_id": None,
        "three_d_secure": acted if outcome.authenticated else None,
    }
    return {type_: shown, "type": type_}
