"""A document of the core as the API shows it: lines of an invoice, and its sums."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from farthing.core.base.exact import show
from farthing.core.base.time import MICROS, Interval, to_datetime
from farthing.core.invoice.document import key_text
from farthing.core.invoice.invoice import Document, Line

Shown = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sources:
    """What lines are shown with: their invoice, its subscription, and items and invoice items by id, as the API shows them."""

    invoice: str
    subscription: str | None
    items: Mapping[str, Shown]
    invoice_items: Mapping[str, Shown]
    livemode: bool


def seconds(span: Interval) -> dict[str, int]:
    """A half-open span as the API shows it: whole seconds."""
    return {"start": span.start // MICROS, "end": span.end // MICROS}


def line_item(line: Line, sources: Sources) -> dict[str, Any]:
    """One line as the API shows it. Its id is that of the invoice and of what it is for, so that a draft's line keeps it."""
    item = sources.items.get(line.key.item)
    taxes = [tax_shown(line, rate, taxable, tax) for rate, taxable, tax in line.taxes]
    whole = line.quantity.denominator == 1 and line.quantity >= 0
    own = line_id(line, sources.invoice)
    return {
        "id": own,
        "object": "line_item",
        "amount": line.amount,
        "currency": line.key.currency,
        "description": description(line, item),
        "discount_amounts": [{"amount": units, "discount": id_} for id_, units in line.discount_parts],
        "discountable": True,
        "discounts": [id_ for id_, _ in line.discount_parts],
        "invoice": sources.invoice,
        "livemode": sources.livemode,
        "metadata": dict(_metadata(line, sources)),
        "parent": _parent(line, sources),
        "period": seconds(line.service),
        "pretax_credit_amounts": [
            *({"amount": units, "discount": id_, "type": "discount"} for id_, units in line.discount_parts),
            *(
                {"amount": units, "credit_balance_transaction": credit_id(own, id_), "type": "credit_balance_transaction"}
                for id_, units in line.credit_parts
            ),
        ],
        "pricing": None if item is None else _pricing(item),
        "quantity": int(line.quantity) if whole else None,
        "quantity_decimal": show(line.quantity),
        "subscription": sources.subscription,
        "subtotal": line.amount,
        "taxes": taxes,
    }


def line_id(line: Line, invoice: str) -> str:
    """The id of a line: of its invoice, its charge key and its kind."""
    return "il_" + hashlib.sha256(f"{invoice} {line.kind} {key_text(line.key)}".encode()).hexdigest()[:24]


def credit_id(line: str, grant: str) -> str:
    """The id of the transaction by which a grant pays for a line; a draft names it before it is there."""
    return "cbtxn_" + hashlib.sha256(f"{line} {grant}".encode()).hexdigest()[:24]


def is_proration(line: Line) -> bool:
    """Whether a line corrects what was billed, or bills the rest of a period that was billed in advance."""
    return line.kind == "correction"


def description(line: Line, item: Shown | None) -> str:
    """What a line is called: with the date where it is about a part of a period that was billed in advance already."""
    if not is_proration(line):
        return line.description
    if item is not None and item["price"]["recurring"]["usage_type"] == "metered":
        return f"{line.description} (correction)"
    if line.amount < 0:
        return f"Unused part of {line.description} from {to_datetime(line.service.end).date().isoformat()}"
    return f"Rest of {line.description} from {to_datetime(line.service.start).date().isoformat()}"


def _metadata(line: Line, sources: Sources) -> Mapping[str, str]:
    if line.kind == "adjustment":
        return (sources.invoice_items.get(line.key.item) or {}).get("metadata") or {}
    return (sources.items.get(line.key.item) or {}).get("metadata") or {}


def _pricing(item: Shown) -> dict[str, Any]:
    price = item["price"]
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


def _parent(line: Line, sources: Sources) -> dict[str, Any] | None:
    details = {"credited_items": None}
    if line.kind == "adjustment":
        return {
            "invoice_item_details": {
                "invoice_item": line.key.item,
                "proration": False,
                "proration_details": details,
                "subscription": sources.subscription,
            },
            "subscription_item_details": None,
            "type": "invoice_item_details",
        }
    return {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": is_proration(line),
            "proration_details": details,
            "subscription": sources.subscription,
            "subscription_item": line.key.item,
        },
        "type": "subscription_item_details",
    }


def tax_shown(line: Line, rate: str, taxable: int, tax: int) -> dict[str, Any]:
    """A line's tax at one of its rates as the API shows it, in minor units."""
    inclusive = any(one.id == rate and one.inclusive for one in line.tax_rates)
    return {
        "amount": tax,
        "tax_behavior": "inclusive" if inclusive else "exclusive",
        "tax_rate_details": {"tax_rate": rate},
        "taxability_reason": "standard_rated",
        "taxable_amount": taxable,
        "type": "tax_rate_details",
    }


def sums(documents: Sequence[Document], items: Sequence[Shown]) -> dict[str, Any]:
    """The sums of an invoice from the documents that it consists of and their lines as shown, in minor units. An invoice that bills nothing
    has none of them above zero."""
    before_tax = sum(one.subtotal - one.discount - one.credit_before_tax - one.tax_included for one in documents)
    discounts = _summed(amount for item in items for amount in ((one["discount"], one["amount"]) for one in item["discount_amounts"]))
    taxes: dict[str, dict[str, Any]] = {}
    for one in (tax for item in items for tax in item["taxes"]):
        rate = one["tax_rate_details"]["tax_rate"]
        known = taxes.setdefault(rate, {**one, "amount": 0, "taxable_amount": 0})
        known["amount"] += one["amount"]
        known["taxable_amount"] += one["taxable_amount"]
    credits_ = _summed(
        (one["credit_balance_transaction"], one["amount"])
        for item in items
        for one in item["pretax_credit_amounts"]
        if one["type"] == "credit_balance_transaction"
    )
    return {
        "subtotal": sum(one.subtotal for one in documents),
        "subtotal_excluding_tax": sum(one.subtotal for one in documents) - sum(one.tax_included for one in documents),
        "total": sum(one.total for one in documents),
        "total_excluding_tax": before_tax,
        "total_discount_amounts": [{"amount": units, "discount": id_} for id_, units in discounts.items()],
        "total_pretax_credit_amounts": [
            *({"amount": units, "discount": id_, "type": "discount"} for id_, units in discounts.items()),
            *({"amount": units, "credit_balance_transaction": id_, "type": "credit_balance_transaction"} for id_, units in credits_.items()),
        ],
        "total_taxes": list(taxes.values()),
    }


def _summed(parts: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for id_, units in parts:
        found[id_] = found.get(id_, 0) + units
    return found
