"""Coupons: what is taken off, for how long, and how often it can be redeemed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from farthing.app.catalogue.chosen import chosen_id
from farthing.app.catalogue.kinds import COUPON, PRODUCT
from farthing.app.catalogue.refusals import (
    COUPON_CURRENCY_MISSING,
    COUPON_DISCOUNT_MISSING,
    COUPON_EXPIRED,
    COUPON_MONTHS_MISSING,
    PERCENTAGE_OUT_OF_RANGE,
    REDEEM_BY_OUT_OF_RANGE,
)
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.core.base.currency import parse_currency
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELDS_CONFLICT, NUMBER_NOT_POSITIVE, TEXT_EMPTY

_FARTHEST = int(timedelta(days=5 * 366).total_seconds())


def create_coupon(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Make a coupon. Without a `duration` it is for one bill.

    Errors: coupon_…, fields_conflict, percentage_out_of_range, number_not_positive, redeem_by_out_of_range, currency_unknown, id_unusable,
    resource_missing (a product), resource_already_exists."""
    document: dict[str, Any] = {
        "id": chosen_id(params) or desk.new_id("coupon").removeprefix("coupon_"),
        **_discount(params),
        "duration": params.get("duration", "once"),
        "duration_in_months": _months(params),
        "max_redemptions": _positive(params, "max_redemptions"),
        "metadata": plain.merged_metadata({}, params.get("metadata")),
        "name": params.get("name"),
        "redeem_by": _redeem_by(desk, params),
        "times_redeemed": 0,
        "valid": True,
    }
    if "applies_to" in params:
        document["applies_to"] = {"products": _products(desk, params["applies_to"])}
    return plain.create(desk, COUPON, document)


def update_coupon(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change a coupon's name, metadata, or its amounts in further currencies. Errors: resource_missing, fields_conflict, …"""
    with desk.store.transaction():
        row = plain.need(desk, COUPON, id_, lock=True)
        changes = {name: params[name] for name in ("name", "metadata") if name in params}
        if "currency_options" in params:
            added = _options(params, row.document["amount_off"])
            changes["currency_options"] = {**(row.document.get("currency_options") or {}), **added}
        return plain.update(desk, COUPON, id_, changes)


def redeemable(document: Mapping[str, Any], second: int) -> bool:
    """Whether a coupon can be redeemed at a time: `redeem_by` is the last second at which it can."""
    most, until = document["max_redemptions"], document["redeem_by"]
    return (most is None or document["times_redeemed"] < most) and (until is None or second <= until)


def redeem_coupon(desk: Desk, id_: str, field: str) -> Row:
    """Count that a coupon is applied to a customer or a contract. `field` is where its id was sent. Errors: resource_missing, coupon_expired."""
    with desk.store.transaction():
        row = plain.need(desk, COUPON, id_, field, lock=True)
        if not redeemable(row.document, desk.second):
            raise Refusal(COUPON_EXPIRED, f"coupon {id_[:80]!r} cannot be redeemed any more.", field)
        document = {**row.document, "times_redeemed": row.document["times_redeemed"] + 1}
        return plain.change(desk, COUPON, row, {**document, "valid": redeemable(document, desk.second)})


def _discount(params: Mapping[str, Any]) -> dict[str, Any]:
    percent, amount = params.get("percent_off"), _positive(params, "amount_off")
    if percent is None and amount is None:
        raise Refusal(COUPON_DISCOUNT_MISSING, "neither percent_off nor amount_off is sent.", "percent_off")
    if percent is not None:
        for name in ("amount_off", "currency", "currency_options"):
            if name in params:
                raise Refusal(FIELDS_CONFLICT, f"percent_off and {name} are both sent.", name)
        if not 0 < percent <= 100:
            raise Refusal(PERCENTAGE_OUT_OF_RANGE, f"{percent} is not above 0 and at most 100.", "percent_off")
        return {"amount_off": None, "currency": None, "percent_off": percent}
    if "currency" not in params:
        raise Refusal(COUPON_CURRENCY_MISSING, f"amount_off is {amount}, of no currency.", "currency")
    currency = params["currency"]
    options = {currency: {"amount_off": amount}, **_options(params, amount, currency)}
    return {"amount_off": amount, "currency": currency, "currency_options": options, "percent_off": None}


def _options(params: Mapping[str, Any], amount: int | Decimal | None, main: str | None = None) -> dict[str, Any]:
    """Amounts in further currencies, by code in lower case."""
    if "currency_options" not in params:
        return {}
    if amount is None:
        raise Refusal(FIELDS_CONFLICT, "the coupon takes off a percentage, which has no currency.", "currency_options")
    found: dict[str, Any] = {}
    for code, option in params["currency_options"].items():
        place = f"currency_options[{code}]"
        currency = parse_currency(code, place)
        if currency == main or currency in found:
            raise Refusal(FIELDS_CONFLICT, f"there are two amounts in {currency}.", place)
        found[currency] = {"amount_off": _positive(option, "amount_off", place)}
    return found


def _months(params: Mapping[str, Any]) -> int | None:
    months = _positive(params, "duration_in_months")
    repeats = params.get("duration") == "repeating"
    if repeats and months is None:
        raise Refusal(COUPON_MONTHS_MISSING, "duration is repeating, without duration_in_months.", "duration_in_months")
    if months is not None and not repeats:
        raise Refusal(FIELDS_CONFLICT, "duration_in_months is sent without duration=repeating.", "duration_in_months")
    return months


def _positive(params: Mapping[str, Any], name: str, within: str | None = None) -> int | None:
    value: int | None = params.get(name)
    if value is not None and value <= 0:
        raise Refusal(NUMBER_NOT_POSITIVE, f"{value} is not above zero.", name if within is None else f"{within}[{name}]")
    return value


def _redeem_by(desk: Desk, params: Mapping[str, Any]) -> int | None:
    until: int | None = params.get("redeem_by")
    if until is not None and not desk.second < until <= desk.second + _FARTHEST:
        raise Refusal(REDEEM_BY_OUT_OF_RANGE, f"{until} is not within five years from {desk.second} on.", "redeem_by")
    return until


def _products(desk: Desk, applies_to: Mapping[str, Any]) -> list[str]:
    products: list[str] = applies_to.get("products") or []
    if not products:
        raise Refusal(TEXT_EMPTY, "applies_to names no product.", "applies_to[products]")
    for n, product in enumerate(products):
        plain.need(desk, PRODUCT, product, f"applies_to[products][{n}]")
    return list(dict.fromkeys(products))
