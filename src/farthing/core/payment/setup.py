"""The set-up of a payment method for later payments: the states of a payment without its money."""

from __future__ import annotations

from farthing.core.base.refusal import Refusal
from farthing.core.payment.payment import Result
from farthing.core.payment.refusals import SETUP_STATE
from farthing.core.payment.states import CANCELABLE, CONFIRMABLE, EDITABLE, UNDECIDED, Status


def setup_edited(status: Status, has_method: bool) -> Status:
    """The state with or without a payment method. Errors: setup_intent_unexpected_state once an attempt is under way or succeeded."""
    _in(status, EDITABLE, "changed")
    return Status.REQUIRES_CONFIRMATION if has_method else Status.REQUIRES_PAYMENT_METHOD


def setup_begun(status: Status) -> Status:
    """Refuse an attempt where none may begin. Errors: setup_intent_unexpected_state."""
    _in(status, CONFIRMABLE, "confirmed")
    return status


def setup_concluded(status: Status, result: Result) -> Status:
    """The state after an attempt. Errors: setup_intent_unexpected_state."""
    _in(status, CONFIRMABLE | UNDECIDED, "concluded")
    return Status.REQUIRES_PAYMENT_METHOD if result == "declined" else Status(result)


def setup_canceled(status: Status) -> Status:
    """Given up. Errors: setup_intent_unexpected_state."""
    _in(status, CANCELABLE, "canceled")
    return Status.CANCELED


def _in(status: Status, states: frozenset[Status], done: str) -> None:
    if status not in states:
        raise Refusal(SETUP_STATE, f"a set-up that is {status} cannot be {done}.", None)
