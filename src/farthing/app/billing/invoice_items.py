"""Invoice items: what is billed by decision, apart from subscriptions' prices, on the next invoice or on a certain one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from farthing.app.billing.agreements import tax_rates
from farthing.app.billing.items import customers_subscription
from farthing.app.billing.kinds import INVOICE, INVOICE_ITEM
from farthing.app.billing.refusals import INVOICE_CURRENCY_DIFFERS, INVOICE_ITEM_AMOUNT, INVOICE_ITEM_BILLED, INVOICE_NOT_DRAFT
from farthing.app.catalogue.kinds import PRICE, PRODUCT
from farthing.app.clocks.desks import clock_of
from farthing.app.customers.kinds import CUSTOMER
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.core.base.exact import show
from farthing.core.base.refusal import Refusal
from farthing.core.base.rounding import round_to_whole


def create_invoice_item(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Add an invoice item to a customer: it stands on the draft that is named, else on the next invoice in its currency.

    Errors: resource_missing, invoice_item_amount, invoice_currency_differs, invoice_not_editable.
    """
    with desk.store.transaction():
        customer = plain.need(desk, CUSTOMER, params["customer"], "customer")
        desk = clock_of(desk, customer)
        period = params.get("period") or {"start": desk.second, "end": desk.second}
        document = {
            "customer": customer.id,
            "customer_account": None,
            "date": desk.second,
            "description": params.get("description"),
            "discountable": params.get("discountable", True),
            "discounts": [],
            "invoice": params.get("invoice"),
            "invoicing_rules": None,
            "metadata": plain.merged_metadata({}, params.get("metadata")),
            "parent": _parent(desk, customer.id, params),
            "period": {"start": period["start"], "end": period["end"]},
            "proration": False,
            "tax_rates": tax_rates(desk, params.get("tax_rates") or (), "tax_rates"),
            "test_clock": customer.clock,
            **_amount(desk, params),
        }
        document["net_amount"] = document["amount"]
        if document["invoice"] is not None:
            _check_invoice(desk, document)
        return plain.create(desk, INVOICE_ITEM, document, clock=customer.clock, hidden={"amount": _way(params)})


def update_invoice_item(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change an invoice item that is on no final invoice. Errors: resource_missing, invoice_item_billed, invoice_item_amount."""
    with desk.store.transaction():
        row = _open(desk, id_)
        document = {**row.document, **{name: params[name] for name in ("description", "discountable", "period") if name in params}}
        if "metadata" in params:
            document["metadata"] = plain.merged_metadata(row.document["metadata"], params["metadata"])
        if "tax_rates" in params:
            document["tax_rates"] = tax_rates(desk, params["tax_rates"] or (), "tax_rates")
        way = row.hidden["amount"]
        if any(name in params for name in (*_WAYS, *_QUANTITIES)):
            sent = _way({**params, "currency": row.document["currency"]})
            again = any(name in params for name in _WAYS)
            kept = {name: value for name, value in way.items() if name not in (_WAYS if again else ()) and name not in _given(params)}
            way = {**kept, **sent}
            document |= _amount(desk, way)
        document["net_amount"] = document["amount"]
        return plain.change(desk, INVOICE_ITEM, row, document, event=None, hidden={**row.hidden, "amount": way})


def delete_invoice_item(desk: Desk, id_: str) -> Mapping[str, Any]:
    """Delete an invoice item that is on no final invoice. Errors: resource_missing, invoice_item_billed."""
    with desk.store.transaction():
        _open(desk, id_)
        return plain.delete(desk, INVOICE_ITEM, id_)


def _open(desk: Desk, id_: str) -> Row:
    row = plain.need(desk, INVOICE_ITEM, id_, lock=True)
    invoice = row.document["invoice"]
    if invoice is not None and plain.need(desk, INVOICE, invoice, lock=True).document["status"] != "draft":
        raise Refusal(INVOICE_ITEM_BILLED, f"invoice item {id_[:80]!r} is on invoice {invoice}.", "invoiceitem")
    return row


_WAYS, _QUANTITIES = ("amount", "pricing", "unit_amount_decimal"), ("quantity", "quantity_decimal")


def _way(params: Mapping[str, Any]) -> dict[str, Any]:
    """What an amount was sent as, so that a change of the quantity alone can go by it."""
    return {name: params[name] for name in (*_WAYS, *_QUANTITIES, "currency") if params.get(name) is not None}


def _given(params: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that a quantity, where one is sent, is sent in place of."""
    return _QUANTITIES if any(name in params for name in _QUANTITIES) else ()


def _amount(desk: Desk, params: Mapping[str, Any]) -> dict[str, Any]:
    """What an item comes to: an amount that is sent, a unit amount or a price for one time × the quantity, rounded once, half away from
    zero."""
    price = (params.get("pricing") or {}).get("price")
    ways = [name for name in ("amount", "unit_amount_decimal") if params.get(name) is not None] + (["pricing"] if price is not None else [])
    if len(ways) != 1:
        raise Refusal(INVOICE_ITEM_AMOUNT, f"there are {len(ways)} of amount, unit_amount_decimal and pricing[price].", "amount")
    quantity = Fraction(1) if ways == ["amount"] else _quantity(params)
    pricing, currency = None, params.get("currency")
    if price is not None:
        found = plain.need(desk, PRICE, price, "pricing[price]").document
        if found["recurring"] is not None or found["unit_amount_decimal"] is None:
            raise Refusal(INVOICE_ITEM_AMOUNT, f"price {price!r} recurs, or has no amount by the unit.", "pricing[price]")
        if currency not in (None, found["currency"]):
            raise Refusal(INVOICE_CURRENCY_DIFFERS, f"price {price!r} is in {found['currency']}, not {currency}.", "currency")
        currency, unit = found["currency"], Fraction(found["unit_amount_decimal"])
        pricing = _pricing(found["unit_amount_decimal"], price, plain.need(desk, PRODUCT, found["product"]).id)
    elif ways == ["amount"]:
        unit = Fraction(params["amount"])
    else:
        unit = Fraction(params["unit_amount_decimal"])
    if currency is None:
        raise Refusal(INVOICE_ITEM_AMOUNT, "an amount needs a currency.", "currency")
    if pricing is None:
        pricing = _pricing(show(unit), None, None)
    whole = int(quantity) if quantity.denominator == 1 else 1
    shown = {"quantity": whole, "quantity_decimal": show(quantity), "pricing": pricing}
    return {"amount": round_to_whole(unit * quantity), "currency": currency, **shown}


def _quantity(params: Mapping[str, Any]) -> Fraction:
    given = params.get("quantity_decimal")
    return Fraction(given if given is not None else Decimal(params.get("quantity", 1)))


def _pricing(unit: str, price: str | None, product: str | None) -> dict[str, Any] | None:
    if price is None:
        return None
    return {"price_details": {"price": price, "product": product}, "type": "price_details", "unit_amount_decimal": unit}


def _parent(desk: Desk, customer: str, params: Mapping[str, Any]) -> dict[str, Any] | None:
    id_ = params.get("subscription")
    if id_ is None:
        return None
    row = customers_subscription(desk, customer, id_)
    return {"subscription_details": {"subscription": row.id}, "type": "subscription_details"}


def _check_invoice(desk: Desk, document: Mapping[str, Any]) -> None:
    invoice = plain.need(desk, INVOICE, document["invoice"], "invoice", lock=True).document
    if invoice["status"] != "draft" or invoice["customer"] != document["customer"]:
        raise Refusal(INVOICE_NOT_DRAFT, f"invoice {document['invoice']!r} is {invoice['status']}, or another customer's.", "invoice")
    if invoice["currency"] != document["currency"]:
        raise Refusal(INVOICE_CURRENCY_DIFFERS, f"the invoice is in {invoice['currency']}, the item in {document['currency']}.", "currency")
