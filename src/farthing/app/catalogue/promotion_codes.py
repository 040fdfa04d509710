"""Promotion codes: names under which customers redeem a coupon. Active ones differ, regardless of case."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from farthing.app.catalogue.coupons import redeem_coupon, redeemable
from farthing.app.catalogue.kinds import COUPON, PROMOTION_CODE
from farthing.app.catalogue.refusals import (
    COUPON_EXPIRED,
    PROMOTION_CODE_BEYOND_COUPON,
    PROMOTION_CODE_FIRST_TIME,
    PROMOTION_CODE_MALFORMED,
    PROMOTION_CODE_MINIMUM,
    PROMOTION_CODE_OTHER_CUSTOMER,
    PROMOTION_CODE_TAKEN,
    PROMOTION_CODE_UNUSABLE,
)
from farthing.app.customers.kinds import CUSTOMER
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Document, PageQuery, Row, Test
from farthing.app.resources.values import folded
from farthing.core.base.currency import parse_currency
from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_MISSING, FIELDS_CONFLICT, NUMBER_NOT_POSITIVE

SCOPE = "promotion_code.code"
_CODE = re.compile(r"[A-Za-z0-9-]{1,500}", re.ASCII)
_MINIMUM = "minimum_amount"


def create_promotion_code(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Make a promotion code for a coupon; without a `code` it is eight letters and digits.

    Errors: promotion_code_malformed, _taken, _beyond_coupon; resource_missing (coupon, customer), coupon_expired, field_missing,
    fields_conflict, number_not_positive, currency_unknown."""
    with desk.store.transaction():
        id_ = desk.new_id("promo")
        coupon = _coupon(desk, params["promotion"])
        customer = params.get("customer")
        if customer is not None:
            plain.need(desk, CUSTOMER, customer, "customer")
        document: dict[str, Any] = {
            "id": id_,
            "active": params.get("active", True),
            "code": _code(desk, params),
            "customer": customer,
            "customer_account": None,
            "expires_at": _expires_at(desk, params, coupon.document),
            "max_redemptions": _most(params, coupon.document),
            "metadata": plain.merged_metadata({}, params.get("metadata")),
            "promotion": {"coupon": coupon.id, "type": "coupon"},
            "restrictions": _restrictions(params.get("restrictions") or {}),
            "times_redeemed": 0,
        }
        if document["active"]:
            _take(desk, document)
        return plain.create(desk, PROMOTION_CODE, document)


def update_promotion_code(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Switch a promotion code on or off, change its metadata, or its minimum amounts in further currencies.

    Errors: resource_missing, promotion_code_unusable (one whose time or coupon is over is not switched on again), promotion_code_taken,
    and those of the restrictions."""
    with desk.store.transaction():
        row = plain.need(desk, PROMOTION_CODE, id_, lock=True)
        document: dict[str, Any] = {**row.document, **({"active": params["active"]} if "active" in params else {})}
        if "metadata" in params:
            document["metadata"] = plain.merged_metadata(row.document["metadata"], params["metadata"])
        if "restrictions" in params:
            document["restrictions"] = _more_restrictions(row.document["restrictions"], params["restrictions"])
        if document["active"] and not row.document["active"]:
            if not active_now(desk, document):
                raise Refusal(PROMOTION_CODE_UNUSABLE, f"code {document['code']!r} cannot be redeemed any more.", "active")
            _take(desk, document)
        return plain.change(desk, PROMOTION_CODE, row, document)


def redeem_promotion_code(desk: Desk, id_: str, customer: str, field: str, *, subtotal: int | None = None, currency: str | None = None) -> Row:
    """Count that a customer redeems a promotion code, and its coupon; returns the coupon. `field` is where the code's id was sent.
    `subtotal` (minor units of `currency`, before discounts) is what is bought, None where that is not known: a code that asks for a
    minimum is refused then.

    Errors: resource_missing, promotion_code_unusable, _other_customer, _first_time, _minimum, coupon_expired."""
    with desk.store.transaction():
        row = plain.need(desk, PROMOTION_CODE, id_, field, lock=True)
        document = row.document
        if not active_now(desk, document):
            raise Refusal(PROMOTION_CODE_UNUSABLE, f"code {document['code']!r} is not active.", field)
        if document["customer"] not in (None, customer):
            raise Refusal(PROMOTION_CODE_OTHER_CUSTOMER, f"code {document['code']!r} is not for {customer[:80]!r}.", field)
        if document["restrictions"]["first_time_transaction"] and _has_bought(desk, customer):
            raise Refusal(PROMOTION_CODE_FIRST_TIME, f"{customer[:80]!r} has bought before.", field)
        _check_minimum(document, subtotal, currency, field)
        coupon = redeem_coupon(desk, document["promotion"]["coupon"], field)
        used = {**document, "times_redeemed": document["times_redeemed"] + 1}
        if used["times_redeemed"] == used["max_redemptions"]:
            used["active"] = False
        plain.change(desk, PROMOTION_CODE, row, used)
        return coupon


def active_now(desk: Desk, document: Document) -> bool:
    """Whether a promotion code can be redeemed now: it is switched on, and neither its time, its redemptions nor its coupon are over."""
    most, until = document["max_redemptions"], document["expires_at"]
    if not document["active"] or (until is not None and until <= desk.second) or (most is not None and document["times_redeemed"] >= most):
        return False
    coupon = plain.find(desk, COUPON, document["promotion"]["coupon"])
    return coupon is not None and not coupon.deleted and redeemable(coupon.document, desk.second)


def codes_named(desk: Desk, code: str, conditions: tuple[Test, ...]) -> list[Row]:
    """The promotion codes of a name, regardless of case, that pass the conditions, the newest first."""
    found: list[Row] = []
    after = None
    while True:
        page = desk.store.page(PageQuery(PROMOTION_CODE.name, 100, after, tests=(Test("code", "has", code), *conditions)))
        found += [row for row in page.rows if folded(row.document["code"]) == folded(code)]
        if not page.more:
            return found
        after = page.rows[-1].id


def _coupon(desk: Desk, promotion: Mapping[str, Any]) -> Row:
    if "coupon" not in promotion:
        raise Refusal(FIELD_MISSING, "the promotion names no coupon.", "promotion[coupon]")
    row = plain.need(desk, COUPON, promotion["coupon"], "promotion[coupon]")
    if not redeemable(row.document, desk.second):
        raise Refusal(COUPON_EXPIRED, f"coupon {row.id[:80]!r} cannot be redeemed any more.", "promotion[coupon]")
    return row


def _code(desk: Desk, params: Mapping[str, Any]) -> str:
    code: str | None = params.get("code")
    if code is None:
        return desk.new_id("")[-8:].upper()
    if _CODE.fullmatch(code) is None:
        raise Refusal(PROMOTION_CODE_MALFORMED, f"{shown(code)} is no code.", "code")
    return code


def _expires_at(desk: Desk, params: Mapping[str, Any], coupon: Document) -> int | None:
    until: int | None = params.get("expires_at")
    last = coupon["redeem_by"]
    if until is not None and (until <= desk.second or (last is not None and until > last)):
        raise Refusal(PROMOTION_CODE_BEYOND_COUPON, f"{until} is not behind {desk.second} and up to {last or 'any time'}.", "expires_at")
    return until


def _most(params: Mapping[str, Any], coupon: Document) -> int | None:
    most: int | None = params.get("max_redemptions")
    if most is None:
        return None
    if most <= 0:
        raise Refusal(NUMBER_NOT_POSITIVE, f"{most} is not above zero.", "max_redemptions")
    if coupon["max_redemptions"] is not None and most > coupon["max_redemptions"]:
        message = f"{most} is more than the coupon's {coupon['max_redemptions']}."
        raise Refusal(PROMOTION_CODE_BEYOND_COUPON, message, "max_redemptions")
    return most


def _restrictions(sent: Mapping[str, Any]) -> dict[str, Any]:
    amount, currency = sent.get(_MINIMUM), sent.get(f"{_MINIMUM}_currency")
    for name, value, other in ((_MINIMUM, amount, currency), (f"{_MINIMUM}_currency", currency, amount)):
        if value is None and other is not None:
            raise Refusal(FIELD_MISSING, "a minimum is an amount and its currency.", f"restrictions[{name}]")
    made = {"first_time_transaction": sent.get("first_time_transaction", False), _MINIMUM: amount, f"{_MINIMUM}_currency": currency}
    if amount is None:
        if "currency_options" in sent:
            raise Refusal(FIELDS_CONFLICT, "further currencies need a minimum amount.", "restrictions[currency_options]")
        return made
    _positive(amount, f"restrictions[{_MINIMUM}]")
    own = {currency: {_MINIMUM: amount}}
    return _more_restrictions({**made, "currency_options": own}, {name: value for name, value in sent.items() if name == "currency_options"})


def _more_restrictions(before: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Restrictions with the minimum amounts in further currencies that are sent."""
    if "currency_options" not in sent:
        return dict(before)
    if before[_MINIMUM] is None:
        raise Refusal(FIELDS_CONFLICT, "the code has no minimum amount.", "restrictions[currency_options]")
    options = dict(before["currency_options"])
    for code, option in sent["currency_options"].items():
        place = f"restrictions[currency_options][{code}]"
        currency = parse_currency(code, place)
        if currency == before[f"{_MINIMUM}_currency"]:
            raise Refusal(FIELDS_CONFLICT, f"there are two amounts in {currency}.", place)
        if _MINIMUM not in option:
            raise Refusal(FIELD_MISSING, "the minimum amount is missing.", f"{place}[{_MINIMUM}]")
        options[currency] = {_MINIMUM: _positive(option[_MINIMUM], f"{place}[{_MINIMUM}]")}
    return {**before, "currency_options": options}


def _positive(number: int, place: str) -> int:
    if number <= 0:
        raise Refusal(NUMBER_NOT_POSITIVE, f"{number} is not above zero.", place)
    return number


def _take(desk: Desk, document: Document) -> None:
    """Make the code this one's; from one that cannot be redeemed any more it is taken. Errors: promotion_code_taken."""
    name = folded(document["code"])
    holder = desk.store.claim(SCOPE, name, document["id"])
    if holder is not None:
        row = plain.need(desk, PROMOTION_CODE, holder, lock=True)
        if not active_now(desk, row.document):
            desk.store.release(SCOPE, name, holder)
            plain.change(desk, PROMOTION_CODE, row, {**row.document, "active": False})
            holder = desk.store.claim(SCOPE, name, document["id"])
    if holder is not None:
        raise Refusal(PROMOTION_CODE_TAKEN, f"promotion code {holder} is {document['code']!r}.", "code")


def _has_bought(desk: Desk, customer: str) -> bool:
    """Whether a customer has an invoice that is not void, or a payment that succeeded."""
    own = Test("customer", "eq", customer)
    invoices = PageQuery("invoice", 1, tests=(own, Test("status", "eq", "void", negated=True)))
    payments = PageQuery("charge", 1, tests=(own, Test("status", "eq", "succeeded")))
    return any(desk.store.page(query).rows for query in (invoices, payments))


def _check_minimum(document: Document, subtotal: int | None, currency: str | None, field: str) -> None:
    restrictions = document["restrictions"]
    if restrictions[_MINIMUM] is None:
        return
    options = restrictions["currency_options"]
    if subtotal is None or currency not in options or subtotal < options[currency][_MINIMUM]:
        least = options[currency][_MINIMUM] if currency in options else f"an amount in {', '.join(options)}"
        raise Refusal(PROMOTION_CODE_MINIMUM, f"{subtotal} {currency} is not known to reach {least}.", field)
