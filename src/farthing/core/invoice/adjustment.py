"""Adjustments: what is billed by decision and not by rating (goodwill, one-off items). A fact of its own, never clawed back by the rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from farthing.core.base.exact import read_shown, show
from farthing.core.base.time import Interval
from farthing.core.catalog.terms import ChargeKey, Discount, TaxRate
from farthing.core.contract.contract import Contract
from farthing.core.contract.parse import discount_document, tax_rate_document
from farthing.core.invoice.derivation import fixed_derivation
from farthing.core.invoice.invoice import Line


@dataclass(frozen=True, slots=True)
class Adjustment:
    """An amount in minor units (negative: in the customer's favour) for a service span, with the discounts and tax rates that apply to it.
    `id` names it; it stands on one bill only, which is for the caller to see to."""

    id: str
    description: str
    amount: int
    service: Interval
    quantity: Fraction = Fraction(1)
    discounts: tuple[Discount, ...] = ()
    tax_rates: tuple[TaxRate, ...] = ()


def adjustment_line(one: Adjustment, contract: Contract) -> Line:
    """The line of an adjustment. Its key has no price, by which it is told from what is rated."""
    key = ChargeKey(contract.customer, contract.id, one.id, "", one.service, (), contract.currency)
    return Line(
        kind="adjustment",
        key=key,
        description=one.description,
        service=one.service,
        quantity=one.quantity,
        exact=Fraction(one.amount),
        amount=one.amount,
        derivation=fixed_derivation(key, one.amount),
        discounts=one.discounts,
        tax_rates=one.tax_rates,
    )


def adjustment_document(one: Adjustment) -> dict[str, Any]:
    """An adjustment as bills pin it; `read_adjustment` is its inverse."""
    return {
        "id": one.id,
        "description": one.description,
        "amount": one.amount,
        "service": [one.service.start, one.service.end],
        "quantity": show(one.quantity),
        "discounts": [discount_document(discount) for discount in one.discounts],
        "tax_rates": [tax_rate_document(rate) for rate in one.tax_rates],
    }


def read_adjustment(document: Mapping[str, Any]) -> Adjustment:
    """The adjustment of a document that `adjustment_document` wrote."""
    return Adjustment(
        document["id"],
        document["description"],
        document["amount"],
        Interval(*document["service"]),
        read_shown(document["quantity"]),
        tuple(_discount(one) for one in document["discounts"]),
        tuple(_tax_rate(one) for one in document["tax_rates"]),
    )


def _discount(document: Mapping[str, Any]) -> Discount:
    percent, items = document.get("percent"), document.get("items")
    share = None if percent is None else read_shown(percent) / 100
    return Discount(document["id"], share, document.get("amount"), None if items is None else tuple(items))


def _tax_rate(document: Mapping[str, Any]) -> TaxRate:
    return TaxRate(document["id"], document["name"], read_shown(document["percent"]) / 100, document["inclusive"], document.get("jurisdiction", ""))
