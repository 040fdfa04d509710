"""Refusals of payments: steps that a payment cannot take, and the codes under which cards are declined."""

from collections.abc import Mapping

from farthing.core.base.refusal import RefusalKind, refusal_kind

PAYMENT_STATE = refusal_kind(
    "payment_intent_unexpected_state", "The payment is not in a state in which this can be done.", "Retrieve it; its status says what it waits for."
)
SETUP_STATE = refusal_kind(
    "setup_intent_unexpected_state", "The set-up is not in a state in which this can be done.", "Retrieve it; its status says what it waits for."
)
AMOUNT_TOO_LARGE = refusal_kind(
    "payment_amount_too_large", "An amount is more than can be charged, or than there is to capture or give back.", "Send a smaller amount."
)
AMOUNT_TOO_SMALL = refusal_kind("amount_too_small", "An amount of money to be moved is not above zero.", "Send at least one minor unit.")
ALREADY_REFUNDED = refusal_kind("charge_already_refunded", "All that was received has been given back.", "Nothing is left to do.")

CARD_CODES: Mapping[str, RefusalKind] = {
    code: refusal_kind(code, meaning, remedy)
    for code, meaning, remedy in (
        ("card_declined", "The card was declined; decline_code says why.", "Ask the customer for another payment method, or try later."),
        ("expired_card", "The card has expired.", "Ask the customer for another payment method."),
        ("incorrect_cvc", "The card's security code is wrong.", "Ask the customer to enter it again."),
        ("incorrect_number", "The card's number is wrong.", "Ask the customer to enter it again."),
        ("invalid_expiry_month", "The card's month of expiry is none.", "Send a month from 1 to 12."),
        ("invalid_expiry_year", "The card's year of expiry is past or no year.", "Send a year of four digits that is not past."),
        ("invalid_cvc", "The card's security code has not three or four digits.", "Send the digits that stand on the card."),
        ("processing_error", "The processor failed at this payment.", "Try again later."),
        ("authentication_required", "The customer's bank asks for authentication.", "Bring the customer back to confirm the payment."),
        ("payment_intent_authentication_failure", "The customer was not authenticated.", "Send a payment method to try again."),
        ("setup_intent_authentication_failure", "The customer was not authenticated.", "Send a payment method to try again."),
    )
}
"""The codes of failed attempts."""
