"""Products, coupons and tax rates."""

from __future__ import annotations

from typing import Any

from farthing.app.catalogue.coupons import create_coupon, redeemable, update_coupon
from farthing.app.catalogue.kinds import COUPON, PRODUCT, TAX_RATE
from farthing.app.catalogue.prices import create_product_with_price
from farthing.app.catalogue.products import delete_product, update_product
from farthing.app.catalogue.tax_rates import create_tax_rate, update_tax_rate
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Document
from farthing.edges.http import lists
from farthing.edges.http.expand import shown_as, shown_on_request
from farthing.edges.http.routes import Call, Listed, plain, route

_TAX_NAMES = ("active", "country", "description", "display_name", "jurisdiction", "metadata", "state", "tax_type")
_PRODUCT_NAMES = (
    *("active", "description", "images", "marketing_features", "metadata", "name", "package_dimensions", "shippable"),
    *("statement_descriptor", "tax_code", "tax_details[tax_code]", "unit_label", "url"),
)
_AMOUNTS = ("tax_behavior", "unit_amount", "unit_amount_decimal")
_DEFAULT_PRICE = (
    *(f"default_price_data[{name}]" for name in ("currency", "metadata", "recurring", *_AMOUNTS)),
    *(f"default_price_data[currency_options][*][{name}]" for name in ("tiers", *_AMOUNTS)),
)


def add_routes() -> None:
    """Serve the catalogue."""
    plain(
        COUPON,
        creates=create_coupon,
        takes=(
            *("amount_off", "applies_to", "currency", "currency_options", "duration", "duration_in_months"),
            *("id", "max_redemptions", "metadata", "name", "percent_off", "redeem_by"),
        ),
        updates=update_coupon,
        changes=("currency_options", "metadata", "name"),
        deletes=True,
    )
    shown_on_request("coupon", "applies_to")
    shown_on_request("coupon", "currency_options")
    shown_as("coupon", _coupon_now)
    plain(TAX_RATE, creates=create_tax_rate, takes=(*_TAX_NAMES, "inclusive", "percentage"), updates=update_tax_rate, changes=_TAX_NAMES)
    plain(
        PRODUCT,
        creates=create_product_with_price,
        takes=("id", "type", *_PRODUCT_NAMES, *_DEFAULT_PRICE),
        updates=update_product,
        changes=("default_price", *_PRODUCT_NAMES),
        lists=_products,
        lists_by=("ids",),
    )
    route("DELETE", "/v1/products/{id}", lambda call: delete_product(call.desk, call.id))


def _coupon_now(desk: Desk, document: Document) -> dict[str, Any]:
    return {**document, "valid": redeemable(document, desk.second)}


def _products(call: Call) -> Listed:
    params = dict(call.params)
    ids = params.pop("ids", None)
    conditions = lists.tests(params)
    if ids is None:
        return Listed(lists.page(call.desk, PRODUCT.name, params, conditions), PRODUCT.collection)
    return Listed(lists.page_of_ids(call.desk, PRODUCT.name, params, conditions, ids), PRODUCT.collection)
