"""Features, and which of them come with which product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from farthing.app.catalogue.kinds import PRODUCT
from farthing.app.entitlements.kinds import FEATURE, PRODUCT_FEATURE
from farthing.app.entitlements.refusals import FEATURE_ARCHIVED, FEATURE_ATTACHED, FEATURE_KEY_TAKEN
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.kinds import Kind
from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Document, Row
from farthing.core.base.refusal import Refusal

MOST_FEATURES = 100
"""How many features one product has."""
_SCOPE, _FEATURES = "entitlements.feature.lookup_key", "features"


def create_feature(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Make a feature; its lookup key is its own for ever. Errors: feature_lookup_key_taken."""
    id_ = desk.new_id("feat")
    with desk.store.transaction():
        if desk.store.claim(_SCOPE, params["lookup_key"], id_) is not None:
            raise Refusal(FEATURE_KEY_TAKEN, f"{params['lookup_key'][:80]!r} is taken.", "lookup_key")
        metadata = plain.merged_metadata({}, params.get("metadata"))
        return _add(desk, FEATURE, {"id": id_, "active": True, "lookup_key": params["lookup_key"], "metadata": metadata, "name": params["name"]})


def update_feature(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change a feature's name or metadata, or archive it: it is attached to no further product, and stays where it is.
    Errors: resource_missing."""
    with desk.store.transaction():
        row = plain.need(desk, FEATURE, id_, lock=True)
        document = {**row.document, **params}
        if "metadata" in params:
            document["metadata"] = plain.merged_metadata(row.document["metadata"], params["metadata"])
        return plain.change(desk, FEATURE, row, document, event=None)


def attach_feature(desk: Desk, product: str, params: Mapping[str, Any]) -> Row:
    """A product comes with a feature from now on. Errors: resource_missing, feature_archived, feature_attached."""
    with desk.store.transaction():
        row = plain.need(desk, PRODUCT, product, "product", lock=True)
        feature = plain.need(desk, FEATURE, params["entitlement_feature"], "entitlement_feature")
        if not feature.document["active"]:
            raise Refusal(FEATURE_ARCHIVED, f"feature {feature.id!r} is archived.", "entitlement_feature")
        attached = attached_to(desk, product)
        if len(attached) >= MOST_FEATURES or any(one.document["entitlement_feature"] == feature.id for one in attached):
            raise Refusal(
                FEATURE_ATTACHED, f"product {product[:80]!r} has {len(attached)} features, {feature.id!r} among them.", "entitlement_feature"
            )
        made = _add(desk, PRODUCT_FEATURE, {"id": desk.new_id("prodft"), "entitlement_feature": feature.id})
        desk.store.put(replace(row, hidden={**row.hidden, _FEATURES: [made.id, *(one.id for one in attached)]}))
        return made


def detach_feature(desk: Desk, product: str, id_: str) -> Document:
    """A product does not come with a feature any more. Errors: resource_missing."""
    with desk.store.transaction():
        row = plain.need(desk, PRODUCT, product, "product", lock=True)
        made = need_attached(desk, product, id_)
        desk.store.put(replace(row, hidden={**row.hidden, _FEATURES: [one for one in row.hidden[_FEATURES] if one != id_]}))
        desk.store.put(replace(made, deleted=True))
        return {"id": id_, "object": PRODUCT_FEATURE.name, "deleted": True}


def need_attached(desk: Desk, product: str, id_: str) -> Row:
    """What attaches a feature to a product. Errors: resource_missing, also where it is another product's."""
    plain.need(desk, PRODUCT, product, "product")
    found = next((one for one in attached_to(desk, product) if one.id == id_), None)
    if found is None:
        raise Refusal(RESOURCE_MISSING, f"product {product[:80]!r} has no product_feature {id_[:80]!r}.", "id")
    return found


def attached_to(desk: Desk, product: str) -> list[Row]:
    """What attaches features to a product, newest first; nothing for a product that is gone."""
    row = desk.store.find(PRODUCT.name, product)
    return [] if row is None else [plain.need(desk, PRODUCT_FEATURE, id_) for id_ in row.hidden.get(_FEATURES, ())]


def with_feature(desk: Desk, document: Document) -> Document:
    """What attaches a feature, as the API shows it: with the feature as it is now."""
    return {**document, "entitlement_feature": plain.need(desk, FEATURE, document["entitlement_feature"]).document}


def _add(desk: Desk, kind: Kind, document: Mapping[str, Any]) -> Row:
    """Add what the API shows without a time, and no event tells of."""
    made = {**document, "object": kind.name, "livemode": desk.live}
    desk.store.add(kind.name, made["id"], desk.second, made)
    return plain.need(desk, kind, made["id"])
