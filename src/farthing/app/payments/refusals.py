"""Refusals of payments as the API keeps them."""

from farthing.core.base.refusal import refusal_kind

PROCESSOR_MISSING = refusal_kind(
    "payment_processor_missing",
    "There is no payment processor for this mode: the simulated one moves no money and works in test mode only.",
    "Use a key of test mode.",
)
METHOD_TYPE_UNSUPPORTED = refusal_kind(
    "payment_method_unsupported_type", "Payment methods of this type are not supported by the processor.", "Send a card."
)
METHOD_DETAILS = refusal_kind(
    "payment_method_invalid_parameter", "What is sent of a payment method does not fit its type, or is missing.", "Send the type and its own object."
)
METHOD_STATE = refusal_kind(
    "payment_method_unexpected_state",
    "The payment method is attached to a customer, or is not, or was detached and cannot be used again.",
    "Use a payment method that is in the state named.",
)
METHOD_OF_OTHER = refusal_kind(
    "payment_method_of_other_customer", "The payment method belongs to another customer than the payment.", "Send the customer that it belongs to."
)
METHOD_MISSING = refusal_kind("payment_method_missing", "An intent is to be confirmed and has no payment method.", "Send payment_method.")
NOTHING_TO_REFUND = refusal_kind(
    "charge_not_refundable", "A refund names no payment that received money.", "Send a charge or payment intent that did."
)
REFUND_STATE = refusal_kind(
    "refund_unexpected_state", "Only a refund that is pending can be cancelled.", "Retrieve it; its status says how it stands."
)
NOTHING_WAITS = refusal_kind(
    "simulator_nothing_waits", "Nothing waits for this to be decided.", "Retrieve the resource; its status says how it stands."
)
INTENT_PARAMETER = refusal_kind(
    "payment_intent_invalid_parameter", "A parameter of an intent makes no sense without another.", "Send both, or neither."
)
