"""The kinds of payments. Charges are shown inside other resources and have no path of their own in the wire contract."""

from __future__ import annotations

from farthing.app.resources.kinds import kind

PAYMENT_METHOD = kind(
    "payment_method",
    "pm_",
    "/v1/payment_methods",
    filters=("allow_redisplay", "customer", "type"),
    events=("attached", "automatically_updated", "detached", "updated"),
)
PAYMENT_INTENT = kind(
    "payment_intent",
    "pi_",
    "/v1/payment_intents",
    filters=("customer",),
    search={"amount": "number", "created": "number", "currency": "token", "customer": "token", "metadata": "metadata", "status": "token"},
    events=("amount_capturable_updated", "canceled", "created", "payment_failed", "processing", "requires_action", "succeeded"),
)
SETUP_INTENT = kind(
    "setup_intent",
    "seti_",
    "/v1/setup_intents",
    filters=("attach_to_self", "customer", "payment_method"),
    events=("canceled", "created", "requires_action", "setup_failed", "succeeded"),
)
CHARGE = kind("charge", "ch_", "/v1/charges", events=("captured", "failed", "refunded", "succeeded", "updated"))
REFUND = kind("refund", "re_", "/v1/refunds", filters=("charge", "payment_intent"), events=("created", "failed", "updated"))
BALANCE_TRANSACTION = kind("balance_transaction", "txn_", "/v1/balance_transactions", filters=("currency", "payout", "source", "type"))
