"""The items of a subscription as they are sent: checked, and as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from farthing.app.billing.kinds import SUBSCRIPTION
from farthing.app.billing.refusals import (
    SUBSCRIPTION_INTERVALS_DIFFER,
    SUBSCRIPTION_ITEM_TWICE,
    SUBSCRIPTION_ITEM_USAGE_TYPE,
    SUBSCRIPTION_ITEMS_MISSING,
    SUBSCRIPTION_PRICE_CURRENCY,
    SUBSCRIPTION_PRICE_INACTIVE,
    SUBSCRIPTION_PRICE_ONE_TIME,
    SUBSCRIPTION_QUANTITY_METERED,
)
from farthing.app.catalogue.kinds import PRICE, PRODUCT
from farthing.app.catalogue.prices import lineage_of
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Row
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_MISSING

Item = dict[str, Any]
PLACE = "subscription_item_place"
"""Rows of this kind say of which subscription an item is; the item itself stands in that one's document."""


def new_items(desk: Desk, sent: Sequence[Mapping[str, Any]], subscription: str) -> list[Item]:
    """The items of a new subscription. Errors: subscription_…, field_missing, resource_missing (a price)."""
    return checked([_new(desk, one, subscription, f"items[{n}]") for n, one in enumerate(sent)], [f"items[{n}]" for n in range(len(sent))])


def changed_items(desk: Desk, items: Sequence[Item], sent: Sequence[Mapping[str, Any]], subscription: str) -> list[Item]:
    """The items after an update: entries with an `id` change that item (or remove it, `deleted`), others are new.

    Errors: subscription_…, resource_missing (an item, a price).
    """
    found, places = {item["id"]: item for item in items}, {item["id"]: f"items[{n}]" for n, item in enumerate(items)}
    seen: set[str] = set()
    for n, one in enumerate(sent):
        place = f"items[{n}]"
        if (id_ := one.get("id")) is None:
            made = _new(desk, one, subscription, place)
            found[made["id"]], places[made["id"]] = made, place
            continue
        if id_ not in found or id_ in seen:
            kind = SUBSCRIPTION_ITEM_TWICE if id_ in seen else RESOURCE_MISSING
            raise Refusal(kind, f"item {id_[:80]!r} is {'changed twice' if id_ in seen else 'no item of the subscription'}.", f"{place}[id]")
        seen.add(id_)
        places[id_] = place
        if one.get("deleted"):
            del found[id_]
        else:
            found[id_] = _changed(desk, found[id_], one, place)
    return checked(list(found.values()), [places[id_] for id_ in found])


def planned_items(desk: Desk, sent: Sequence[Mapping[str, Any]], place: str) -> list[Item]:
    """Items of a later time, as far as they can be checked now: each with its price's document, and a quantity where it is licensed.
    `place` is the list's parameter. Errors: as of `new_items`."""
    places = [f"{place}[{n}]" for n in range(len(sent))]
    made = []
    for one, where in zip(sent, places, strict=True):
        if "price" not in one:
            raise Refusal(FIELD_MISSING, "an item needs a price.", f"{where}[price]")
        price = _price(desk, one["price"], f"{where}[price]")
        made.append({"price": price, "metadata": plain.merged_metadata({}, one.get("metadata")), **_quantity(price, one, 1, where)})
    return checked(made, places)


def checked(items: list[Item], places: Sequence[str]) -> list[Item]:
    """Items that can stand on one subscription together. Errors: subscription_items_missing, subscription_item_twice,
    subscription_intervals_differ."""
    if not items:
        raise Refusal(SUBSCRIPTION_ITEMS_MISSING, "no item is left.", "items")
    for n, (item, place) in enumerate(zip(items, places, strict=True)):
        if any(other["price"]["id"] == item["price"]["id"] for other in items[:n]):
            raise Refusal(SUBSCRIPTION_ITEM_TWICE, f"price {item['price']['id']!r} is there twice.", f"{place}[price]")
        if interval_of(item) != interval_of(items[0]):
            message = f"{item['price']['id']!r} recurs every {_words(item)}, {items[0]['price']['id']!r} every {_words(items[0])}."
            raise Refusal(SUBSCRIPTION_INTERVALS_DIFFER, message, f"{place}[price]")
    return items


def interval_of(item: Mapping[str, Any]) -> tuple[str, int]:
    """How often an item's price recurs: the unit, and how many of them."""
    recurring = item["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def _words(item: Mapping[str, Any]) -> str:
    unit, count = interval_of(item)
    return f"{count} {unit}s" if count > 1 else unit


def check_currency(items: Sequence[Mapping[str, Any]], currency: str) -> None:
    """Whether all prices are offered in a currency. Errors: subscription_price_currency."""
    for n, item in enumerate(items):
        if lineage_of(item["price"], currency) is None:
            raise Refusal(SUBSCRIPTION_PRICE_CURRENCY, f"price {item['price']['id']!r} is not offered in {currency}.", f"items[{n}][price]")


def product_names(desk: Desk, items: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What lines call each item: its product's name."""
    rows = {item["id"]: desk.store.find(PRODUCT.name, item["price"]["product"]) for item in items}
    return {id_: row.document["name"] if row is not None else id_ for id_, row in rows.items()}


def customers_subscription(desk: Desk, customer: str, id_: str) -> Row:
    """A subscription of a customer, locked. Errors: resource_missing, also where it is another customer's."""
    row = plain.need(desk, SUBSCRIPTION, id_, "subscription", lock=True)
    if row.document["customer"] != customer:
        raise Refusal(RESOURCE_MISSING, f"customer {customer!r} has no subscription {id_[:80]!r}.", "subscription")
    return row


def find_item(desk: Desk, id_: str) -> tuple[Row, Mapping[str, Any]]:
    """The subscription that has an item, and the item. Errors: resource_missing."""
    place = desk.store.find(PLACE, id_)
    row = None if place is None else desk.store.find(SUBSCRIPTION.name, place.document["subscription"])
    found = None if row is None else next((item for item in row.document["items"]["data"] if item["id"] == id_), None)
    if row is None or found is None:
        raise Refusal(RESOURCE_MISSING, f"there is no subscription_item {id_[:80]!r}.", "item")
    return row, found


def _new(desk: Desk, sent: Mapping[str, Any], subscription: str, place: str) -> Item:
    if "price" not in sent:
        raise Refusal(FIELD_MISSING, "an item needs a price.", f"{place}[price]")
    price = _price(desk, sent["price"], f"{place}[price]")
    id_ = desk.new_id("si")
    desk.store.add(PLACE, id_, desk.second, {"subscription": subscription})
    return {
        "id": id_,
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": desk.second,
        "current_trial": None,
        "discounts": [],
        "metadata": plain.merged_metadata({}, sent.get("metadata")),
        "plan": plan_of(price),
        "price": price,
        "subscription": subscription,
        "tax_rates": [],
        **_quantity(price, sent, 1, place),
    }


def _changed(desk: Desk, item: Item, sent: Mapping[str, Any], place: str) -> Item:
    price = _price(desk, sent["price"], f"{place}[price]") if "price" in sent else item["price"]
    if price["recurring"]["usage_type"] != item["price"]["recurring"]["usage_type"]:
        message = f"item {item['id']!r} is {item['price']['recurring']['usage_type']}, and price {price['id']!r} is not."
        raise Refusal(SUBSCRIPTION_ITEM_USAGE_TYPE, message, f"{place}[price]")
    kept = {name: value for name, value in item.items() if name != "quantity"}
    metadata = plain.merged_metadata(item["metadata"], sent["metadata"]) if "metadata" in sent else item["metadata"]
    return {**kept, "plan": plan_of(price), "price": price, "metadata": metadata, **_quantity(price, sent, item.get("quantity", 1), place)}


def _price(desk: Desk, id_: str, field: str) -> Mapping[str, Any]:
    price = plain.need(desk, PRICE, id_, field).document
    if not price["active"]:
        raise Refusal(SUBSCRIPTION_PRICE_INACTIVE, f"price {id_[:80]!r} is not active.", field)
    if price["recurring"] is None:
        raise Refusal(SUBSCRIPTION_PRICE_ONE_TIME, f"price {id_[:80]!r} is for one time.", field)
    return price


def plan_of(price: Mapping[str, Any]) -> dict[str, Any]:
    """A recurring price as older clients know it."""
    recurring, transform = price["recurring"], price["transform_quantity"]
    same = ("active", "billing_scheme", "created", "currency", "id", "livemode", "metadata", "nickname", "product", "tiers_mode")
    return {
        **{name: price[name] for name in same},
        "object": "plan",
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "meter": recurring["meter"],
        "transform_usage": transform,
        "trial_period_days": recurring["trial_period_days"],
        "usage_type": recurring["usage_type"],
    }


def _quantity(price: Mapping[str, Any], sent: Mapping[str, Any], before: int, place: str) -> dict[str, int]:
    if price["recurring"]["usage_type"] == "metered":
        if "quantity" in sent:
            raise Refusal(SUBSCRIPTION_QUANTITY_METERED, f"price {price['id']!r} is metered.", f"{place}[quantity]")
        return {}
    return {"quantity": sent.get("quantity", before)}


def with_period(items: Sequence[Mapping[str, Any]], start: int, end: int) -> dict[str, Any]:
    """The items as a subscription shows them, in the period [start, end) in seconds."""
    data = [{**item, "current_period_start": start, "current_period_end": end} for item in items]
    return {"object": "list", "data": data, "has_more": False, "url": f"/v1/subscription_items?{SUBSCRIPTION.name}="}
