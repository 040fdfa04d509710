"""Discounts: a coupon as it is applied to a customer or a subscription, for a time."""

from __future__ import annotations

from typing import Any

from farthing.app.customers.kinds import CUSTOMER
from farthing.app.resources import plain
from farthing.app.resources.changes import tell
from farthing.app.resources.desk import Desk
from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Row
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import MICROS, add_calendar, to_datetime, to_instant


def discount_document(
    desk: Desk, coupon: Row, *, customer: str, start: int, subscription: str | None = None, promotion_code: str | None = None
) -> dict[str, Any]:
    """A new discount, from `start` on, both in whole seconds. Its `end` (exclusive) is null for a coupon that is for ever, and for one
    that is for one bill, which ends with it."""
    return {
        "id": desk.new_id("di"),
        "object": "discount",
        "checkout_session": None,
        "customer": customer,
        "customer_account": None,
        "end": end_of(coupon, start),
        "invoice": None,
        "invoice_item": None,
        "promotion_code": promotion_code,
        "source": {"coupon": coupon.id, "type": "coupon"},
        "start": start,
        "subscription": subscription,
        "subscription_item": None,
    }


def end_of(coupon: Row, start: int) -> int | None:
    """When a coupon that is applied at `start` ends, in whole seconds; None where it is not for a number of months. Months are the
    calendar's, in UTC: from January 31 one month leads to the last day of February."""
    months = coupon.document["duration_in_months"]
    if months is None:
        return None
    return to_instant(add_calendar(to_datetime(start * MICROS), "month", months)) // MICROS


def customers_discount(desk: Desk, customer_id: str) -> dict[str, Any]:
    """The discount that a customer has. Errors: resource_missing, also where there is none."""
    return _discount_of(plain.need(desk, CUSTOMER, customer_id, "customer"))


def delete_customers_discount(desk: Desk, customer_id: str) -> dict[str, Any]:
    """End the discount that a customer has; subscriptions keep theirs. Errors: as `customers_discount`."""
    with desk.store.transaction():
        row = plain.need(desk, CUSTOMER, customer_id, "customer", lock=True)
        discount = _discount_of(row)
        tell(desk, "customer.discount.deleted", discount)
        plain.change(desk, CUSTOMER, row, {**row.document, "discount": None})
        return {name: value for name, value in {**discount, "deleted": True}.items() if name != "end"}


def _discount_of(customer: Row) -> dict[str, Any]:
    discount: dict[str, Any] | None = customer.document["discount"]
    if discount is None:
        raise Refusal(RESOURCE_MISSING, f"customer {customer.id} has no discount.", "customer")
    return discount
