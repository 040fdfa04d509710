"""The kinds of resources of billing."""

from __future__ import annotations

from farthing.app.resources.kinds import kind

SUBSCRIPTION = kind(
    "subscription",
    "sub_",
    "/v1/subscriptions",
    filters=("customer", "collection_method"),
    search={"created": "number", "metadata": "metadata", "status": "token"},
    events=("created", "updated", "deleted", "trial_will_end", "paused", "resumed"),
)
SCHEDULE = kind(
    "subscription_schedule",
    "sub_sched_",
    "/v1/subscription_schedules",
    filters=("customer", "canceled_at", "completed_at", "released_at"),
    events=("created", "updated", "released", "canceled", "completed", "aborted"),
)
INVOICE = kind(
    "invoice",
    "in_",
    "/v1/invoices",
    filters=("customer", "status", "collection_method"),
    search={
        "created": "number",
        "currency": "token",
        "customer": "token",
        "metadata": "metadata",
        "number": "text",
        "receipt_number": "text",
        "status": "token",
        "subscription": "token",
        "total": "number",
    },
    events=(
        *("created", "updated", "deleted", "finalized", "sent", "voided", "marked_uncollectible"),
        *("paid", "payment_succeeded", "payment_failed", "payment_action_required"),
    ),
)
INVOICE_ITEM = kind("invoiceitem", "ii_", "/v1/invoiceitems", filters=("customer", "invoice"), events=("created", "deleted"), dated="date")
"""Changes are told by the invoice's events: the contract has none for them."""
DISCOUNT = kind("discount", "di_", "/v1/discounts", events=("created", "updated", "deleted"))
"""A coupon that was applied. It has no list of its own: documents name it."""
INVOICE_PAYMENT = kind("invoice_payment", "inpay_", "/v1/invoice_payments", filters=("invoice", "status"), events=("paid",))
