"""Prices: what is asked for a product, in one or more currencies, once or again and again. Each is in the core's catalogue as well, one
lineage for each currency, checked there when it is made; what it comes to never changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from farthing.app.catalogue.kinds import PRICE, PRODUCT
from farthing.app.catalogue.price_documents import SHARED, UNIT, Amounts, at_parameter, interval_of, lineage_of, read_amounts
from farthing.app.catalogue.products import create_product, update_product
from farthing.app.catalogue.refusals import (
    LOOKUP_KEY_TAKEN,
    PRICE_CURRENCY_FIXED,
    PRICE_INTERVAL_TOO_LONG,
    PRICE_METER_INACTIVE,
    PRICE_METER_MISSING,
    PRICE_METER_NEEDED,
    PRICE_PRODUCT_MISSING,
    PRICE_TAX_BEHAVIOR_FIXED,
)
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Row
from farthing.core.base.currency import parse_currency
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELDS_CONFLICT, NUMBER_NOT_POSITIVE
from farthing.core.base.timeline import ALL_TIME
from farthing.core.catalog.terms import PriceVersion

__all__ = ["create_price", "create_product_with_price", "interval_of", "lineage_of", "update_price"]

LOOKUP_SCOPE = "price.lookup_key"
UNSPECIFIED = "unspecified"
LONGEST = {"day": 1095, "week": 156, "month": 36, "year": 3}
_AMOUNTS = (UNIT, f"{UNIT}_decimal", "tiers")


def create_price(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Make a price, of a product that there is or of a new one (`product_data`). `ext` is the core's extension object.

    Errors: price_…, lookup_key_taken, resource_missing (product, meter), fields_conflict, number_not_positive, currency_unknown, and every
    refusal of the core's price documents, at the parameter that it is about."""
    with desk.store.transaction():
        id_, currency = desk.new_id("price"), params["currency"]
        amounts = read_amounts(id_, currency, params)
        recurring = _recurring(desk, params.get("recurring"))
        _check_metered(amounts, recurring)
        document: dict[str, Any] = {
            "id": id_,
            "active": params.get("active", True),
            "billing_scheme": "tiered" if "tiers" in amounts.shown else "per_unit",
            "currency": currency,
            "custom_unit_amount": None,
            "lookup_key": params.get("lookup_key"),
            "metadata": plain.merged_metadata({}, params.get("metadata")),
            "nickname": params.get("nickname"),
            "product": _product(desk, params),
            "recurring": recurring,
            "tax_behavior": params.get("tax_behavior", UNSPECIFIED),
            "tiers_mode": params.get("tiers_mode"),
            "transform_quantity": params.get("transform_quantity"),
            "type": "one_time" if recurring is None else "recurring",
            **amounts.shown,
        }
        if "ext" in params:
            document["ext"] = params["ext"]
        versions, options = [amounts.version], {currency: _option(amounts, document["tax_behavior"])}
        for code, option in (params.get("currency_options") or {}).items():
            place = f"currency_options[{code}]"
            other = parse_currency(code, place)
            if other in options:
                raise Refusal(FIELDS_CONFLICT, f"there are two amounts in {other}.", place)
            options[other] = _further(document, other, option, place, versions)
        document["currency_options"] = options
        _take_lookup_key(desk, id_, params)
        row = plain.create(desk, PRICE, document)
        _put(desk, versions)
        return row


def update_price(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change what a price is called, whether it can be used anew, or add amounts in further currencies. A tax behavior that was not
    specified can be, once.

    Errors: resource_missing, price_currency_fixed, price_tax_behavior_fixed, lookup_key_taken, and those of amounts."""
    with desk.store.transaction():
        row = plain.need(desk, PRICE, id_, lock=True)
        before = row.document
        document = {**before, **{name: params[name] for name in ("active", "lookup_key", "nickname") if name in params}}
        if "metadata" in params:
            document["metadata"] = plain.merged_metadata(before["metadata"], params["metadata"])
        versions: list[PriceVersion] = []
        options = dict(before["currency_options"])
        if "tax_behavior" in params:
            document["tax_behavior"] = _settled(before["tax_behavior"], params["tax_behavior"], "tax_behavior")
            options[before["currency"]] = {**options[before["currency"]], "tax_behavior": document["tax_behavior"]}
        if "currency_options" in params:
            options = _more_options(before, options, params["currency_options"], versions)
            document["tax_behavior"] = options[before["currency"]]["tax_behavior"]
        document["currency_options"] = options
        if document["lookup_key"] != before["lookup_key"]:
            _take_lookup_key(desk, id_, params)
            if before["lookup_key"] is not None:
                desk.store.release(LOOKUP_SCOPE, before["lookup_key"], id_)
        changed = plain.change(desk, PRICE, row, document)
        _put(desk, versions)
        return changed


def create_product_with_price(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Make a product, with `default_price_data` also its default price. Errors: those of both, the price's within that parameter."""
    if params.get("default_price_data") is None:
        return create_product(desk, params)
    with desk.store.transaction():
        product = create_product(desk, {name: value for name, value in params.items() if name != "default_price_data"})
        try:
            price = create_price(desk, {**params["default_price_data"], "product": product.id})
        except Refusal as refusal:
            raise at_parameter(refusal, "default_price_data") from refusal
        return update_product(desk, product.id, {"default_price": price.id})


def _product(desk: Desk, params: Mapping[str, Any]) -> str:
    """The product of a new price, locked, so that it is not deleted meanwhile."""
    product: str | None = params.get("product")
    data = params.get("product_data")
    if product is not None and data is not None:
        raise Refusal(FIELDS_CONFLICT, "product and product_data are both sent.", "product_data")
    if product is not None:
        return plain.need(desk, PRODUCT, product, "product", lock=True).id
    if data is None:
        raise Refusal(PRICE_PRODUCT_MISSING, "neither product nor product_data is sent.", "product")
    try:
        return create_product(desk, data).id
    except Refusal as refusal:
        raise at_parameter(refusal, "product_data") from refusal


def _recurring(desk: Desk, sent: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if sent is None:
        return None
    interval, count, trial = sent["interval"], sent.get("interval_count", 1), sent.get("trial_period_days")
    for name, number in (("interval_count", count), ("trial_period_days", trial)):
        if number is not None and number <= 0:
            raise Refusal(NUMBER_NOT_POSITIVE, f"{number} is not above zero.", f"recurring[{name}]")
    if count > LONGEST[interval]:
        raise Refusal(PRICE_INTERVAL_TOO_LONG, f"{count} {interval}s are more than {LONGEST[interval]}.", "recurring[interval_count]")
    usage, meter = sent.get("usage_type", "licensed"), sent.get("meter")
    if usage == "metered":
        _check_meter(desk, meter)
    elif meter is not None:
        raise Refusal(FIELDS_CONFLICT, "a meter is named, and usage_type is not metered.", "recurring[meter]")
    return {"interval": interval, "interval_count": count, "meter": meter, "trial_period_days": trial, "usage_type": usage}


def _check_meter(desk: Desk, meter: str | None) -> None:
    place = "recurring[meter]"
    if meter is None:
        raise Refusal(PRICE_METER_MISSING, "usage_type is metered, without a meter.", place)
    row = desk.store.find("billing.meter", meter)
    if row is None or row.deleted:
        raise Refusal(RESOURCE_MISSING, f"there is no billing.meter {meter[:80]!r}.", place)
    if row.document.get("status") != "active":
        raise Refusal(PRICE_METER_INACTIVE, f"meter {meter[:80]!r} is {row.document.get('status')}.", place)


def _check_metered(amounts: Amounts, recurring: Mapping[str, Any] | None) -> None:
    if amounts.compiled.program.needs_events and (recurring is None or recurring["meter"] is None):
        raise Refusal(PRICE_METER_NEEDED, f"a price of model {amounts.compiled.model} looks at single events.", "recurring[meter]")


def _option(amounts: Amounts, tax_behavior: str) -> dict[str, Any]:
    return {"custom_unit_amount": None, "tax_behavior": tax_behavior, **amounts.shown}


def _put(desk: Desk, versions: Sequence[PriceVersion]) -> None:
    """Give the core's catalogue what a price is in its currencies. It is the last of the work: it locks the catalogue of the account."""
    for version in versions:
        desk.store.put_price(version, ALL_TIME)


def _further(price: Mapping[str, Any], currency: str, option: Mapping[str, Any], place: str, versions: list[PriceVersion]) -> dict[str, Any]:
    """A price's amounts in a further currency; `versions` gets what the core's catalogue is to get."""
    if "ext" in price:
        raise Refusal(FIELDS_CONFLICT, "amounts in ext are in the price's own currency; make a price for each.", place)
    shared = {name: price[name] for name in SHARED}
    amounts = read_amounts(f"{price['id']}/{currency}", currency, {**option, **shared}, place)
    versions.append(amounts.version)
    return _option(amounts, option.get("tax_behavior", UNSPECIFIED))


def _more_options(price: Mapping[str, Any], options: dict[str, Any], sent: Mapping[str, Any] | None, versions: list[PriceVersion]) -> dict[str, Any]:
    """The amounts by currency after an update: new currencies come (as in `_further`), and no amount that is there changes."""
    if sent is None:
        raise Refusal(PRICE_CURRENCY_FIXED, "amounts in further currencies stay.", "currency_options")
    found = dict(options)
    for code, option in sent.items():
        place = f"currency_options[{code}]"
        currency = parse_currency(code, place)
        if currency not in options:
            found[currency] = _further(price, currency, option, place, versions)
            continue
        before = options[currency]
        if any(name in option for name in _AMOUNTS):
            shared = {name: price[name] for name in SHARED}
            amounts = read_amounts(str(price["id"]), currency, {**option, **shared}, place)
            if amounts.shown != {name: before[name] for name in _AMOUNTS if name in before}:
                raise Refusal(PRICE_CURRENCY_FIXED, f"the price has another amount in {currency}.", place)
        behavior = _settled(before["tax_behavior"], option.get("tax_behavior", before["tax_behavior"]), f"{place}[tax_behavior]")
        found[currency] = {**before, "tax_behavior": behavior}
    return found


def _settled(before: str, sent: str, place: str) -> str:
    """The tax behavior after an update. Errors: price_tax_behavior_fixed."""
    if before not in (UNSPECIFIED, sent):
        raise Refusal(PRICE_TAX_BEHAVIOR_FIXED, f"it is {before} and not {sent}.", place)
    return sent


def _take_lookup_key(desk: Desk, id_: str, params: Mapping[str, Any]) -> None:
    """Make a lookup key the price's own; the price that has it loses it if it is to be transferred. Errors: lookup_key_taken."""
    key = params.get("lookup_key")
    if key is None:
        return
    holder = desk.store.claim(LOOKUP_SCOPE, key, id_)
    if holder is not None and params.get("transfer_lookup_key"):
        other = plain.need(desk, PRICE, holder, lock=True)
        desk.store.release(LOOKUP_SCOPE, key, holder)
        if other.document["lookup_key"] == key:
            plain.change(desk, PRICE, other, {**other.document, "lookup_key": None})
        holder = desk.store.claim(LOOKUP_SCOPE, key, id_)
    if holder is not None:
        raise Refusal(LOOKUP_KEY_TAKEN, f"price {holder} has the lookup key {key[:80]!r}.", "lookup_key")
