"""Features, those of products, and active entitlements."""

from __future__ import annotations

from farthing.app.catalogue.kinds import PRODUCT
from farthing.app.entitlements import active
from farthing.app.entitlements.features import (
    attach_feature,
    attached_to,
    create_feature,
    detach_feature,
    need_attached,
    update_feature,
    with_feature,
)
from farthing.app.entitlements.kinds import FEATURE
from farthing.app.resources import plain as verbs
from farthing.app.resources.table import Test
from farthing.edges.http import lists
from farthing.edges.http.expand import shown_as
from farthing.edges.http.resources.parts import part_of
from farthing.edges.http.routes import Answer, Call, Items, Listed, plain, route

_OF_PRODUCT, _ACTIVE = "/v1/products/{product}/features", "/v1/entitlements/active_entitlements"


def add_routes() -> None:
    """Serve entitlements."""
    active.register()
    plain(
        FEATURE,
        creates=create_feature,
        takes=("lookup_key", "metadata", "name"),
        updates=update_feature,
        changes=("active", "metadata", "name"),
        lists=_features,
        lists_by=("archived",),
    )
    shown_as("product_feature", with_feature)
    route("GET", _OF_PRODUCT, _attached, lists.CURSORS)
    route("POST", _OF_PRODUCT, lambda call: attach_feature(call.desk, call.ids["product"], call.params), ("entitlement_feature",))
    route("GET", f"{_OF_PRODUCT}/{{id}}", lambda call: need_attached(call.desk, call.ids["product"], call.ids["id"]))
    route("DELETE", f"{_OF_PRODUCT}/{{id}}", lambda call: detach_feature(call.desk, call.ids["product"], call.ids["id"]))
    route("GET", _ACTIVE, _active, (*lists.CURSORS, "customer"))
    route("GET", f"{_ACTIVE}/{{id}}", lambda call: active.need_entitlement(call.desk, call.id))


def _features(call: Call) -> Answer:
    params = dict(call.params)
    archived = params.pop("archived", None)
    conditions = list(lists.tests(params))
    if archived is not None:
        conditions.append(Test("active", "eq", not archived))
    return Listed(lists.page(call.desk, FEATURE.name, params, conditions), FEATURE.collection)


def _attached(call: Call) -> Answer:
    product = verbs.need(call.desk, PRODUCT, call.ids["product"], "product").id
    found, more = part_of(call, [row.document for row in attached_to(call.desk, product)])
    return Items(found, f"/v1/products/{product}/features", more)


def _active(call: Call) -> Answer:
    found, more = part_of(call, active.active_entitlements(call.desk, call.params["customer"]))
    return Items(found, _ACTIVE, more)
