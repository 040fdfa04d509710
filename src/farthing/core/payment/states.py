"""The states of a payment, and of the set-up of a payment method, with the transitions between them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Status(StrEnum):
    """What a payment waits for, or how it ended."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"  # of the customer: 3-D Secure
    PROCESSING = "processing"  # the processor has not decided yet
    REQUIRES_CAPTURE = "requires_capture"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


_S = Status
CONFIRMABLE = frozenset({_S.REQUIRES_CONFIRMATION, _S.REQUIRES_ACTION})
"""A new attempt may begin; one that waits for the customer is given up for it."""
UNDECIDED = frozenset({_S.REQUIRES_ACTION, _S.PROCESSING})
"""An attempt is under way."""
EDITABLE = frozenset({_S.REQUIRES_PAYMENT_METHOD, _S.REQUIRES_CONFIRMATION})
"""Amount, currency, customer and payment method may change."""
ENDED = frozenset({_S.SUCCEEDED, _S.CANCELED})

_DECIDED = frozenset({_S.REQUIRES_ACTION, _S.PROCESSING, _S.REQUIRES_CAPTURE, _S.SUCCEEDED, _S.REQUIRES_PAYMENT_METHOD})
TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    _S.REQUIRES_PAYMENT_METHOD: frozenset({_S.REQUIRES_CONFIRMATION, _S.CANCELED}),
    _S.REQUIRES_CONFIRMATION: _DECIDED | {_S.CANCELED},
    _S.REQUIRES_ACTION: _DECIDED | {_S.REQUIRES_CONFIRMATION, _S.CANCELED},
    _S.PROCESSING: _DECIDED,
    _S.REQUIRES_CAPTURE: frozenset({_S.SUCCEEDED, _S.CANCELED}),
    _S.SUCCEEDED: frozenset(),
    _S.CANCELED: frozenset(),
}
"""State → states that may follow. What is processing cannot be cancelled: nobody knows yet whether the money moved."""

CANCELABLE = frozenset(one for one, following in TRANSITIONS.items() if _S.CANCELED in following)


def allowed(before: Status, after: Status) -> bool:
    """Whether a payment may go from one state to another; staying is always allowed."""
    return before == after or after in TRANSITIONS[before]
