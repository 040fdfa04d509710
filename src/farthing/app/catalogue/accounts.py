"""What an account shows of itself."""

from __future__ import annotations

from typing import Any

DEFAULT_CURRENCY = "usd"
"""What amounts are in where a request has no place to say it: a customer's first balance."""


def account_document(id_: str, name: str) -> dict[str, Any]:
    """The account of a name: what clients read of it to learn whose key they have."""
    return {
        "id": id_,
        "object": "account",
        "business_profile": {
            "annual_revenue": None,
            "mcc": None,
            "name": name,
            "support_address": None,
            "support_email": None,
            "support_phone": None,
            "support_url": None,
            "url": None,
        },
        "business_type": None,
        "charges_enabled": True,
        "default_currency": DEFAULT_CURRENCY,
        "details_submitted": True,
        "email": None,
        "metadata": {},
        "payouts_enabled": False,
        "settings": None,
        "type": "standard",
    }
