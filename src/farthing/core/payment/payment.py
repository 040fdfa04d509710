"""A payment: its state and its amounts, and every step that it may take. All amounts are whole minor units of one currency."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from farthing.core.base.refusal import Refusal
from farthing.core.payment.refusals import ALREADY_REFUNDED, AMOUNT_TOO_LARGE, AMOUNT_TOO_SMALL, PAYMENT_STATE
from farthing.core.payment.states import CANCELABLE, CONFIRMABLE, EDITABLE, UNDECIDED, Status

Result = Literal["succeeded", "declined", "requires_action", "processing"]
LARGEST = 999_999_999_999
"""The largest amount of one payment, in minor units."""


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment. `held` is authorised and waits for its capture, `received` came in, `reversed` of it was given back. With
    `capture_later` money is only held when the payment is confirmed."""

    amount: int
    status: Status = Status.REQUIRES_PAYMENT_METHOD
    capture_later: bool = False
    held: int = 0
    received: int = 0
    reversed: int = 0

    @property
    def refundable(self) -> int:
        """What can still be given back."""
        return self.received - self.reversed


def checked_amount(amount: int, field: str = "amount") -> int:
    """An amount that can be paid. Errors: amount_too_small (zero or less), payment_amount_too_large."""
    if amount <= 0:
        raise Refusal(AMOUNT_TOO_SMALL, f"{amount} is not above zero.", field)
    if amount > LARGEST:
        raise Refusal(AMOUNT_TOO_LARGE, f"{amount} is more than {LARGEST}.", field)
    return amount


def edited(payment: Payment, amount: int, has_method: bool) -> Payment:
    """With another amount, and with or without a payment method. Errors: payment_intent_unexpected_state once an attempt is under way
    or was made with success, amount_too_small, payment_amount_too_large."""
    _in(payment, EDITABLE, "changed")
    status = Status.REQUIRES_CONFIRMATION if has_method else Status.REQUIRES_PAYMENT_METHOD
    return replace(payment, amount=checked_amount(amount), status=status)


def begun(payment: Payment) -> Payment:
    """Refuse an attempt where none may begin; the payment as it is. Errors: payment_intent_unexpected_state."""
    _in(payment, CONFIRMABLE, "confirmed")
    return payment


def concluded(payment: Payment, result: Result) -> Payment:
    """After an attempt, or after asking how one that is under way has ended. A declined payment waits for another payment method.

    Errors: payment_intent_unexpected_state."""
    _in(payment, CONFIRMABLE | UNDECIDED, "concluded")
    match result:
        case "succeeded" if payment.capture_later:
            return replace(payment, status=Status.REQUIRES_CAPTURE, held=payment.amount)
        case "succeeded":
            return replace(payment, status=Status.SUCCEEDED, received=payment.amount)
        case "declined":
            return replace(payment, status=Status.REQUIRES_PAYMENT_METHOD)
    return replace(payment, status=Status(result))


def acted(payment: Payment) -> Payment:
    """After the customer has acted, where the payment is to be confirmed once more before money moves. Errors:
    payment_intent_unexpected_state."""
    _in(payment, frozenset({Status.REQUIRES_ACTION}), "confirmed again")
    return replace(payment, status=Status.REQUIRES_CONFIRMATION)


def captured(payment: Payment, amount: int | None = None) -> Payment:
    """With what was held received: all, or `amount` of it; the rest is let go. Errors: payment_intent_unexpected_state,
    amount_too_small, payment_amount_too_large."""
    _in(payment, frozenset({Status.REQUIRES_CAPTURE}), "captured")
    taken = payment.held if amount is None else checked_amount(amount, "amount_to_capture")
    if taken > payment.held:
        raise Refusal(AMOUNT_TOO_LARGE, f"{taken} is more than the {payment.held} that are held.", "amount_to_capture")
    return replace(payment, status=Status.SUCCEEDED, held=0, received=taken)


def canceled(payment: Payment) -> Payment:
    """Given up; what was held is let go. Errors: payment_intent_unexpected_state."""
    _in(payment, CANCELABLE, "canceled")
    return replace(payment, status=Status.CANCELED, held=0)


def given_back(payment: Payment, amount: int | None = None) -> Payment:
    """With `amount` of what was received given back, or all that is left. Errors: payment_intent_unexpected_state when nothing was
    received, charge_already_refunded, amount_too_small, payment_amount_too_large."""
    _in(payment, frozenset({Status.SUCCEEDED}), "refunded")
    if payment.refundable == 0:
        raise Refusal(ALREADY_REFUNDED, f"all {payment.received} were given back.", "amount")
    units = payment.refundable if amount is None else checked_amount(amount)
    if units > payment.refundable:
        raise Refusal(AMOUNT_TOO_LARGE, f"{units} is more than the {payment.refundable} that can be given back.", "amount")
    return replace(payment, reversed=payment.reversed + units)


def came_back(payment: Payment, amount: int) -> Payment:
    """After a reversal of `amount` that failed, or was cancelled: the money is here again. Errors: ValueError beyond what was given back."""
    if not 0 < amount <= payment.reversed:
        raise ValueError(f"{amount} of {payment.reversed} cannot come back")
    return replace(payment, reversed=payment.reversed - amount)


def _in(payment: Payment, states: frozenset[Status], done: str) -> None:
    if payment.status not in states:
        raise Refusal(PAYMENT_STATE, f"a payment that is {payment.status} cannot be {done}.", None)
