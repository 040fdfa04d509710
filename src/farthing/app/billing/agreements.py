"""What a subscription's document agrees, as agreements of its contract, one after the other where its discounts end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from farthing.app.billing.contracts import discount_of, item_of, recurrence, tax_rate_of
from farthing.app.billing.items import product_names
from farthing.app.billing.kinds import DISCOUNT
from farthing.app.catalogue.kinds import COUPON, TAX_RATE
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.core.base.time import MICROS, Instant
from farthing.core.contract.contract import Agreement

Document = Mapping[str, Any]


def agreed_versions(desk: Desk, document: Document, at: Instant) -> list[tuple[Instant, Agreement]]:
    """The agreements that a subscription's document comes to from an instant on: another one begins where a discount ends.

    A discount for one time ends with the billing period that it began in.
    """
    items, currency = document["items"]["data"], document["currency"]
    names = product_names(desk, items)
    agreed = tuple(item_of(item, currency, names[item["id"]], f"items[{n}][price]") for n, item in enumerate(items))
    rates = tuple(tax_rate_of(rate) for rate in document["default_tax_rates"] or ())
    discounts = [_ended(desk, document, plain.need(desk, DISCOUNT, id_)) for id_ in document["discounts"]]
    starts = sorted({at, *(end for _, _, end in discounts if end is not None and end > at)})
    found: list[tuple[Instant, Agreement]] = []
    for start in starts:
        holding = (discount_of(row.document, coupon, items, currency) for row, coupon, end in discounts if end is None or end > start)
        found.append((start, Agreement(agreed, tuple(one for one in holding if one is not None), rates)))
    return found


def _ended(desk: Desk, document: Document, row: Row) -> tuple[Row, Document, Instant | None]:
    """A discount, its coupon as it was when it was applied, and when it ends."""
    coupon: Document = row.hidden.get("coupon") or plain.need(desk, COUPON, row.document["source"]["coupon"]).document
    if coupon["duration"] != "once":
        end = row.document["end"]
        return row, coupon, None if end is None else end * MICROS
    billing = recurrence(document["items"]["data"][0]["price"]["recurring"], document["billing_cycle_anchor"], "UTC")
    begun = max(row.document["start"], document["trial_end"] or 0) * MICROS
    return row, coupon, billing.boundary(billing.index_at(begun) + 1)


def tax_rates(desk: Desk, ids: Sequence[str], field: str) -> list[Document]:
    """Tax rates by their ids, as documents show them. Errors: resource_missing."""
    return [plain.need(desk, TAX_RATE, id_, f"{field}[{n}]").document for n, id_ in enumerate(ids)]
