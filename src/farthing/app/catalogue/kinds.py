"""The kinds of the catalogue."""

from __future__ import annotations

from farthing.app.resources.kinds import kind

COUPON = kind("coupon", "", "/v1/coupons", events=("created", "updated", "deleted"))
TAX_RATE = kind("tax_rate", "txr_", "/v1/tax_rates", filters=("active", "inclusive"), events=("created", "updated"))
PRODUCT = kind(
    "product",
    "prod_",
    "/v1/products",
    filters=("active", "shippable", "type", "url"),
    search={"active": "boolean", "description": "text", "metadata": "metadata", "name": "text", "shippable": "boolean", "url": "text"},
    events=("created", "updated", "deleted"),
)
PRICE = kind(
    "price",
    "price_",
    "/v1/prices",
    filters=("active", "currency", "product", "type"),
    search={
        "active": "boolean",
        "currency": "token",
        "lookup_key": "text",
        "metadata": "metadata",
        "product": "token",
        "type": "token",
    },
    events=("created", "updated"),
)
PROMOTION_CODE = kind("promotion_code", "promo_", "/v1/promotion_codes", filters=("active", "customer"), events=("created", "updated"))
