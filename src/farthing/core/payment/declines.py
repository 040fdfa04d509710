"""Why an attempt is declined, as data: what the payer and the seller are told, and whether trying again makes sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Advice = Literal["try_again_later", "do_not_try_again", "confirm_card_data"]


@dataclass(frozen=True, slots=True)
class Decline:
    """One reason. `code` is the error's, `reason` the finer one. `advice` says what may help: retries of a payment leave out those that
    only another payment method can help. `charged` tells whether the attempt came as far as the card's bank, so that it is a failed
    charge; else it ended before."""

    reason: str
    code: str
    message: str
    advice: Advice | None
    charged: bool = True

    @property
    def retryable(self) -> bool:
        """Whether the same payment method may work later."""
        return self.advice in ("try_again_later", None)


_DECLINED = "card_declined"
_ALL = (
    Decline("generic_decline", _DECLINED, "the card was declined, without a reason.", "try_again_later"),
    Decline("insufficient_funds", _DECLINED, "the card has not enough money.", "try_again_later"),
    Decline("lost_card", _DECLINED, "the card was declined.", "do_not_try_again"),
    Decline("stolen_card", _DECLINED, "the card was declined.", "do_not_try_again"),
    Decline("fraudulent", _DECLINED, "the card was declined.", "do_not_try_again"),
    Decline("card_velocity_exceeded", _DECLINED, "the card was used more often, or for more, than it may be.", "try_again_later"),
    Decline("test_mode_live_card", _DECLINED, "in test mode only test cards can be used.", "confirm_card_data"),
    Decline("expired_card", "expired_card", "the card has expired.", "do_not_try_again"),
    Decline("incorrect_cvc", "incorrect_cvc", "the card's security code is wrong.", "confirm_card_data"),
    Decline("incorrect_number", "incorrect_number", "the card's number is wrong.", "confirm_card_data"),
    Decline("processing_error", "processing_error", "the processor failed.", "try_again_later"),
    Decline("authentication_required", "authentication_required", "the card's bank asks the customer to authenticate.", "confirm_card_data"),
    Decline("authentication_failure", "payment_intent_authentication_failure", "the customer was not authenticated.", None, charged=False),
)
DECLINES: Mapping[str, Decline] = {decline.reason: decline for decline in _ALL}
"""Declines by reason."""


def decline_for(reason: str) -> Decline:
    """The decline of a reason; one that is not known here is a plain decline under its own name: processors may have more reasons."""
    known = DECLINES.get(reason)
    return Decline(reason, _DECLINED, "the card was declined.", "try_again_later") if known is None else known
