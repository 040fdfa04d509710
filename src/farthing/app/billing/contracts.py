"""A subscription as contracts of the core: what it agrees, from when on, in which billing periods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from farthing.app.billing.refusals import SUBSCRIPTION_PRICE_CURRENCY
from farthing.app.catalogue.prices import lineage_of
from farthing.app.resources.desk import Desk
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import FOREVER, MICROS, Instant, Interval, Recurrence, to_datetime
from farthing.core.base.timeline import Version
from farthing.core.catalog.terms import Discount, TaxRate
from farthing.core.contract.contract import Agreement, Contract, Item

Document = Mapping[str, Any]


def recurrence(interval: Document, anchor: int, zone: str) -> Recurrence:
    """The billing periods of an `interval` (a price's `recurring`), counted from an anchor in seconds, in a time zone."""
    return Recurrence(interval["interval"], interval["interval_count"], to_datetime(anchor * MICROS, zone).replace(tzinfo=None), zone)


def item_of(item: Document, currency: str, product: str, field: str) -> Item:
    """A subscription item as the contract has it: metered ones in arrears, licensed ones in advance. `product` is what lines call it.

    Errors: subscription_price_currency.
    """
    price = item["price"]
    lineage = lineage_of(price, currency)
    if lineage is None:
        raise Refusal(SUBSCRIPTION_PRICE_CURRENCY, f"price {price['id']!r} is not offered in {currency}.", field)
    recurring = price["recurring"]
    if recurring["usage_type"] == "metered":
        return Item(item["id"], product, lineage, meter=recurring["meter"])
    return Item(item["id"], product, lineage, quantity=Fraction(item["quantity"]), in_advance=True)


def tax_rate_of(rate: Document) -> TaxRate:
    """A tax rate as agreements have it."""
    return TaxRate(rate["id"], rate["display_name"], Fraction(rate["percentage"]) / 100, rate["inclusive"], rate["jurisdiction"] or "")


def discount_of(discount: Document, coupon: Document, items: Sequence[Document], currency: str) -> Discount | None:
    """A coupon that was applied, as agreements have it: on the items of the products that it is for. None where it takes nothing off, as
    an amount in another currency."""
    products = (coupon.get("applies_to") or {}).get("products")
    covered = None if not products else tuple(item["id"] for item in items if item["price"]["product"] in products)
    if coupon["percent_off"] is not None:
        return Discount(discount["id"], Fraction(coupon["percent_off"]) / 100, None, covered)
    amounts = {coupon["currency"]: coupon["amount_off"], **{code: one["amount_off"] for code, one in (coupon.get("currency_options") or {}).items()}}
    return Discount(discount["id"], None, amounts[currency], covered) if currency in amounts else None


def opened(id_: str, customer: str, currency: str, billing: Recurrence, start: Instant, versions: Iterable[tuple[Instant, Agreement]]) -> Contract:
    """A new contract that runs on from `start`; each version holds from its instant on."""
    active = Interval(start, FOREVER)
    made = tuple(Version(Interval(at, FOREVER), 0, agreement) for at, agreement in versions)
    return Contract(id_, customer, currency, active, billing, made, below_zero="balance", billed_by="subscription")


def amended(contract: Contract, at: Instant, versions: Iterable[tuple[Instant, Agreement]]) -> Contract:
    """The contract with other agreements from `at` on, known from now on."""
    known = max((version.revision for version in contract.versions), default=0)
    made = tuple(Version(Interval(max(at, start), FOREVER), known + n, agreement) for n, (start, agreement) in enumerate(versions, 1))
    return replace(contract, versions=(*contract.versions, *made))


NOTHING = Agreement(())
"""Nothing is agreed any more."""


def standing(desk: Desk, id_: str, customer: str) -> Contract:
    """The contract of an id as the store has it. Errors: ValueError where there is none."""
    found = next((one for one in desk.store.contracts(customer) if one.id == id_), None)
    if found is None:
        raise ValueError(f"there is no contract {id_}")
    return found


def account_contract(desk: Desk, customer: str, currency: str, created: int) -> Contract:
    """The contract of what a customer is billed apart from subscriptions, in a currency; made when it is first needed."""
    id_ = f"{customer}/{currency}"
    found = next((one for one in desk.store.contracts(customer) if one.id == id_), None)
    if found is not None:
        return found
    start = created * MICROS
    made = opened(id_, customer, currency, recurrence({"interval": "month", "interval_count": 1}, created, "UTC"), start, [(start, NOTHING)])
    desk.store.put_contract(made)
    return made
