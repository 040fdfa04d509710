"""Prices."""

from __future__ import annotations

from farthing.app.catalogue.kinds import PRICE
from farthing.app.catalogue.prices import create_price, update_price
from farthing.app.resources.table import Test
from farthing.core.base.refusal import Refusal
from farthing.edges.http import lists
from farthing.edges.http.expand import shown_on_request
from farthing.edges.http.refusals import PARAMETER_TOO_MANY
from farthing.edges.http.routes import Call, Listed, plain

MOST_KEYS = 10
_OPTION = tuple(f"currency_options[*][{name}]" for name in ("tax_behavior", "tiers", "unit_amount", "unit_amount_decimal"))
_NAMES = ("active", "lookup_key", "metadata", "nickname", "tax_behavior", "transfer_lookup_key")
_AMOUNTS = ("billing_scheme", "currency", "ext", "tiers", "tiers_mode", "transform_quantity", "unit_amount", "unit_amount_decimal")
_PRODUCT = tuple(f"product_data[{name}]" for name in ("active", "id", "metadata", "name", "statement_descriptor", "tax_code", "unit_label"))


def add_routes() -> None:
    """Serve prices."""
    plain(
        PRICE,
        creates=create_price,
        takes=(*_NAMES, *_AMOUNTS, *_OPTION, "product", *_PRODUCT, "recurring"),
        updates=update_price,
        changes=(*_NAMES, *_OPTION),
        lists=_prices,
        lists_by=("lookup_keys", "recurring"),
    )
    shown_on_request("price", "currency_options")
    shown_on_request("price", "tiers")


def _prices(call: Call) -> Listed:
    params = dict(call.params)
    keys, recurring = params.pop("lookup_keys", None), params.pop("recurring", None) or {}
    conditions = (*lists.tests(params), *(Test(f"recurring.{name}", "eq", value) for name, value in recurring.items()))
    if keys is None:
        return Listed(lists.page(call.desk, PRICE.name, params, conditions), PRICE.collection)
    if len(keys) > MOST_KEYS:
        raise Refusal(PARAMETER_TOO_MANY, f"there are {len(keys)}, more than {MOST_KEYS}.", "lookup_keys")
    choices = [Test("lookup_key", "eq", key) for key in dict.fromkeys(keys)]
    return Listed(lists.page_of_any(call.desk, PRICE.name, params, conditions, choices), PRICE.collection)
