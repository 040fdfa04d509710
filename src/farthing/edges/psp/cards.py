"""The usual test cards: what each looks like, and what becomes of payments with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Asks = Literal["never", "once", "always"]


@dataclass(frozen=True, slots=True)
class Card:
    """One test card. `name` is how `pm_card_…` and `tok_…` end. `declines` is the reason for which payments are declined, `keeps` whether
    it can be attached to a customer nevertheless. `asks` says when the customer must authenticate: never; once, when it is set up for
    payments without them; always. `ready` is one that was set up elsewhere. `refunds` of it succeed, stay pending, or fail."""

    name: str
    number: str
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    declines: str | None = None
    keeps: bool = False
    asks: Asks = "never"
    ready: bool = False
    at_once: bool = False
    refunds: Literal["succeeded", "processing"] = "succeeded"


_CARDS = (
    Card("visa", "4242424242424242"),
    Card("visa_debit", "4000056655665556", funding="debit"),
    Card("mastercard", "5555555555554444", "mastercard"),
    Card("mastercard_debit", "5200828282828210", "mastercard", "debit"),
    Card("mastercard_prepaid", "5105105105105100", "mastercard", "prepaid"),
    Card("amex", "378282246310005", "amex"),
    Card("discover", "6011111111111117", "discover"),
    Card("diners", "3056930009020004", "diners"),
    Card("jcb", "3566002020360505", "jcb", country="JP"),
    Card("unionpay", "6200000000000005", "unionpay", country="CN"),
    Card("gb", "4000008260000000", country="GB"),
    Card("de", "4000002760000016", country="DE"),
    Card("fr", "4000002500000003", country="FR"),
    Card("bypassPending", "4000000000000077", at_once=True),
    Card("pendingRefund", "4000000000007726", refunds="processing"),
    Card("chargeDeclined", "4000000000000002", declines="generic_decline"),
    Card("chargeDeclinedInsufficientFunds", "4000000000009995", declines="insufficient_funds"),
    Card("chargeDeclinedLostCard", "4000000000009987", declines="lost_card"),
    Card("chargeDeclinedStolenCard", "4000000000009979", declines="stolen_card"),
    Card("chargeDeclinedExpiredCard", "4000000000000069", declines="expired_card"),
    Card("chargeDeclinedIncorrectCvc", "4000000000000127", declines="incorrect_cvc"),
    Card("chargeDeclinedProcessingError", "4000000000000119", declines="processing_error"),
    Card("chargeDeclinedVelocityLimitExceeded", "4000000000006975", declines="card_velocity_exceeded"),
    Card("chargeDeclinedFraudulent", "4100000000000019", declines="fraudulent"),
    Card("chargeCustomerFail", "4000000000000341", declines="generic_decline", keeps=True),
    Card("threeDSecure2Required", "4000000000003220", asks="always"),
    Card("threeDSecureRequired", "4000000000003063", asks="always"),
    Card("threeDSecureRequiredChargeDeclined", "4000008400001629", declines="generic_decline", keeps=True, asks="always"),
    Card("threeDSecureOptional", "4000000000003055"),
    Card("authenticationRequired", "4000002760003184", country="DE", asks="always"),
    Card("authenticationRequiredOnSetup", "4000002500003155", country="FR", asks="once"),
    Card("authenticationRequiredSetupForOffSession", "4000003800000446", asks="once", ready=True),
    Card("authenticationRequiredChargeDeclinedInsufficientFunds", "4000008260003178", "visa", "credit", "GB", "insufficient_funds", True, "always"),
)
BY_NAME: Mapping[str, Card] = {card.name: card for card in _CARDS}
BY_NUMBER: Mapping[str, Card] = {card.number: card for card in _CARDS}
_PREFIXES = ("pm_card_", "tok_")


def card_named(name: str) -> Card | None:
    """The card of `pm_card_visa`, `tok_visa` and the like; declines are also known with the brand before them (`visa_chargeDeclined`)."""
    for prefix in _PREFIXES:
        if name.startswith(prefix):
            rest = name.removeprefix(prefix)
            return BY_NAME.get(rest) or BY_NAME.get(rest.removeprefix("visa_"))
    return None


def is_card_number(number: str) -> bool:
    """Whether digits can be a card's: 12 to 19 of them, with the right check digit."""
    if not (number.isascii() and number.isdigit() and 12 <= len(number) <= 19):
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0
