"""A new invoice as the API shows it, before anything stands on it."""

from __future__ import annotations

from typing import Any

from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row

_UNSET = (
    *("account_country", "account_name", "account_tax_ids", "application", "automatically_finalizes_at", "confirmation_secret"),
    *("custom_fields", "customer_account", "default_payment_method", "default_source", "effective_at", "ending_balance"),
    *("from_invoice", "hosted_invoice_url", "invoice_pdf", "last_finalization_error", "latest_revision", "next_payment_attempt"),
    *("number", "on_behalf_of", "receipt_number", "rendering", "shipping_cost", "shipping_details", "statement_descriptor"),
    *("status_details", "webhooks_delivered_at"),
)
_ZERO = (
    *("amount_due", "amount_overpaid", "amount_paid", "amount_paid_off_stripe", "amount_remaining", "amount_shipping"),
    *("attempt_count", "post_payment_credit_notes_amount", "pre_payment_credit_notes_amount", "starting_balance"),
)


def blank_invoice(desk: Desk, customer: Row, currency: str, reason: str, subscription: Row | None) -> dict[str, Any]:
    """A draft before anything stands on it: what it has of its customer, and of its subscription if it is for one."""
    who, held = customer.document, None if subscription is None else subscription.document
    sent = held is not None and held["collection_method"] == "send_invoice"
    due_date = desk.second + held["days_until_due"] * 86_400 if held is not None and sent else None
    parent = None
    if held is not None:
        parent = {
            "quote_details": None,
            "subscription_details": {"metadata": dict(held["metadata"]), "subscription": held["id"]},
            "type": "subscription_details",
        }
    return {
        **dict.fromkeys(_UNSET),
        **dict.fromkeys(_ZERO, 0),
        "object": "invoice",
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None},
        "billing_reason": reason,
        "collection_method": "charge_automatically" if held is None else held["collection_method"],
        "created": desk.second,
        "currency": currency,
        "customer": customer.id,
        "customer_address": who["address"],
        "customer_email": who["email"],
        "customer_name": who["name"],
        "customer_phone": who["phone"],
        "customer_shipping": who["shipping"],
        "customer_tax_exempt": who["tax_exempt"],
        "customer_tax_ids": [],
        "default_tax_rates": [] if held is None else list(held["default_tax_rates"] or ()),
        "description": None if held is None else held["description"],
        "discounts": [] if held is None else list(held["discounts"]),
        "due_date": due_date,
        "footer": (who["invoice_settings"] or {}).get("footer"),
        "issuer": {"type": "self"},
        "livemode": desk.live,
        "metadata": {},
        "parent": parent,
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "period_end": desk.second,
        "period_start": desk.second,
        "status": "draft",
        "status_transitions": {"finalized_at": None, "marked_uncollectible_at": None, "paid_at": None, "voided_at": None},
        "test_clock": customer.clock,
    }
