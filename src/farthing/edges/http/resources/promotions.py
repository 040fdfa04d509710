"""Promotion codes."""

from __future__ import annotations

from typing import Any

from farthing.app.catalogue.kinds import PROMOTION_CODE
from farthing.app.catalogue.promotion_codes import active_now, codes_named, create_promotion_code, update_promotion_code
from farthing.app.resources.desk import Desk
from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Document, Page, Test
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELDS_CONFLICT
from farthing.edges.http import lists
from farthing.edges.http.expand import shown_as
from farthing.edges.http.routes import Call, Listed, plain

_RESTRICTIONS = ("currency_options", "first_time_transaction", "minimum_amount", "minimum_amount_currency")


def add_routes() -> None:
    """Serve promotion codes."""
    plain(
        PROMOTION_CODE,
        creates=create_promotion_code,
        takes=(
            *("active", "code", "customer", "expires_at", "max_redemptions", "metadata", "promotion[coupon]", "promotion[type]"),
            *(f"restrictions[{name}]" for name in _RESTRICTIONS),
        ),
        updates=update_promotion_code,
        changes=("active", "metadata", "restrictions"),
        lists=_promotion_codes,
        lists_by=("code", "coupon"),
    )
    shown_as("promotion_code", _code_now)


def _code_now(desk: Desk, document: Document) -> dict[str, Any]:
    return {**document, "active": active_now(desk, document)}


def _promotion_codes(call: Call) -> Listed:
    """Of active codes those whose time is over are left out."""
    params = dict(call.params)
    code = params.pop("code", None)
    conditions = lists.tests(params, {"coupon": "promotion.coupon"})
    if params.get("active"):
        conditions = (*conditions, Test("expires_at", "lte", call.desk.second, negated=True))
    if code is None:
        return Listed(lists.page(call.desk, PROMOTION_CODE.name, params, conditions), PROMOTION_CODE.collection)
    if params.get("ending_before") is not None:
        raise Refusal(FIELDS_CONFLICT, "code and ending_before are both sent.", "ending_before")
    rows, limit, after = codes_named(call.desk, code, conditions), lists.limit_of(params), params.get("starting_after")
    at = 0 if after is None else 1 + next((n for n, row in enumerate(rows) if row.id == after), len(rows))
    if at > len(rows):
        raise Refusal(RESOURCE_MISSING, f"{str(after)[:80]!r} has not this code.", "starting_after")
    return Listed(Page(tuple(rows[at : at + limit]), len(rows) > at + limit), PROMOTION_CODE.collection)
