"""Coupons and promotion codes that are applied to a subscription."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from farthing.app.billing.kinds import DISCOUNT
from farthing.app.catalogue.coupons import redeem_coupon
from farthing.app.catalogue.discounts import discount_document
from farthing.app.catalogue.promotion_codes import redeem_promotion_code
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELDS_CONFLICT

_WAYS = ("coupon", "promotion_code", "discount")


def apply_coupons(desk: Desk, sent: Sequence[Mapping[str, Any]], *, customer: str, subscription: str, start: int) -> list[str]:
    """Apply coupons and promotion codes to a subscription from `start` (seconds) on; the ids of the discounts, in the order sent.

    Errors: fields_conflict, resource_missing, coupon_expired, those of promotion codes.
    """
    found = []
    for n, one in enumerate(sent):
        place = f"discounts[{n}]"
        if len([way for way in _WAYS if one.get(way)]) != 1:
            raise Refusal(FIELDS_CONFLICT, "a discount is one of coupon, promotion_code and discount.", place)
        code = None
        if one.get("promotion_code"):
            code = one["promotion_code"]
            coupon = redeem_promotion_code(desk, code, customer, f"{place}[promotion_code]")
        elif one.get("coupon"):
            coupon = redeem_coupon(desk, one["coupon"], f"{place}[coupon]")
        else:
            raise Refusal(FIELDS_CONFLICT, "a new subscription has no discount to keep.", f"{place}[discount]")
        document = discount_document(desk, coupon, customer=customer, subscription=subscription, start=start, promotion_code=code)
        found.append(_keep(desk, document, coupon))
    return found


def apply_discounts(desk: Desk, sent: Sequence[Mapping[str, Any]], subscription: Row) -> list[str]:
    """The discounts of a subscription after an update: those that are named stay, new ones begin now, all others end.

    Errors: as of `apply_coupons`; resource_missing for a discount that the subscription does not have.
    """
    kept = {one["discount"] for one in sent if one.get("discount")}
    for n, one in enumerate(sent):
        if one.get("discount") and one["discount"] not in subscription.document["discounts"]:
            plain.need(desk, DISCOUNT, f"{one['discount']} of {subscription.id}", f"discounts[{n}][discount]")
    new = [one for one in sent if not one.get("discount")]
    made = apply_coupons(desk, new, customer=subscription.document["customer"], subscription=subscription.id, start=desk.second)
    return [*(id_ for id_ in subscription.document["discounts"] if id_ in kept), *made]


def _keep(desk: Desk, document: Mapping[str, Any], coupon: Row) -> str:
    """Store a discount with its coupon as it is now, so that it stays what was applied; no event tells of it but the subscription's."""
    desk.store.add(DISCOUNT.name, document["id"], desk.second, document, hidden={"coupon": dict(coupon.document)})
    return str(document["id"])
