"""Which features a customer has at this moment, and what tells of a change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from farthing.app.billing.kinds import SUBSCRIPTION
from farthing.app.customers.kinds import CUSTOMER
from farthing.app.entitlements.features import attached_to
from farthing.app.entitlements.kinds import FEATURE
from farthing.app.resources import plain
from farthing.app.resources.changes import follow, tell
from farthing.app.resources.desk import Desk
from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Document, PageQuery, Row, Test
from farthing.core.base.refusal import Refusal

LIVE = ("active", "trialing", "past_due")
"""The states of a subscription in which its features may be used."""
MOST_SUBSCRIPTIONS = 500
NAME = "entitlements.active_entitlement"


def active_entitlements(desk: Desk, customer: str) -> list[dict[str, Any]]:
    """The features that a customer has, each once, the newest feature first. Errors: resource_missing."""
    plain.need(desk, CUSTOMER, customer, "customer")
    return _shown(desk, customer, (row.document for row in _subscriptions(desk, customer)))


def need_entitlement(desk: Desk, id_: str) -> dict[str, Any]:
    """The active entitlement of an id. Errors: resource_missing."""
    customer = "cus_" + id_.removeprefix("ent_").partition("_")[0]
    row = desk.store.find(CUSTOMER.name, customer)
    every = [] if row is None or row.deleted else active_entitlements(desk, customer)
    found = next((one for one in every if one["id"] == id_), None)
    if found is None:
        raise Refusal(RESOURCE_MISSING, f"there is no active entitlement {id_[:80]!r}.", "id")
    return found


def _subscriptions(desk: Desk, customer: str) -> tuple[Row, ...]:
    query = PageQuery(SUBSCRIPTION.name, MOST_SUBSCRIPTIONS, tests=(Test("customer", "eq", customer),))
    return plain.page(desk, query).rows


def _shown(desk: Desk, customer: str, subscriptions: Iterable[Document]) -> list[dict[str, Any]]:
    live = [document for document in subscriptions if document["status"] in LIVE]
    products = dict.fromkeys(item["price"]["product"] for document in live for item in document["items"]["data"])
    features = dict.fromkeys(one.document["entitlement_feature"] for product in products for one in attached_to(desk, product))
    rows = sorted((plain.need(desk, FEATURE, id_) for id_ in features), key=lambda row: (row.created, row.place), reverse=True)
    return [
        {
            "id": f"ent_{customer.removeprefix('cus_')}_{row.id.removeprefix('feat_')}",
            "object": NAME,
            "feature": row.id,
            "livemode": desk.live,
            "lookup_key": row.document["lookup_key"],
        }
        for row in rows
    ]


def summarize(desk: Desk, document: Document, before: Document | None) -> None:
    """A subscription has changed: tell of the customer's entitlements where they are others now."""
    customer, kept = document["customer"], [row.document for row in _subscriptions(desk, document["customer"]) if row.id != document["id"]]
    if before is None and document["status"] == "canceled":  # the event of its end does not say what it was before
        before = {**document, "status": "active"}
    then = _shown(desk, customer, kept if before is None else [*kept, before])
    now = _shown(desk, customer, [*kept, document])
    if then != now:
        tell(desk, f"{NAME}_summary.updated", _summary(desk, customer, now), _summary(desk, customer, then))


def _summary(desk: Desk, customer: str, entitlements: list[dict[str, Any]]) -> Mapping[str, Any]:
    url = f"/v1/customer/{customer}/entitlements"
    listed = {"object": "list", "data": entitlements, "has_more": False, "url": url}
    return {"object": f"{NAME}_summary", "customer": customer, "entitlements": listed, "livemode": desk.live}


def register() -> None:
    """Have changes of subscriptions followed."""
    for name in ("created", "updated", "deleted"):
        follow(f"customer.{SUBSCRIPTION.name}.{name}", summarize)
