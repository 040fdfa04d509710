"""Features over the wire: which products have them, and which customers through their subscriptions."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from billing_world import Shop, at
from http_service import Api, error_of, told


def feature(api: Api, key: str) -> stripe.entitlements.Feature:
    return api.stripe.v1.entitlements.features.create({"lookup_key": key, "name": key.title(), "metadata": {"k": key}})


def sold_with(shop: Shop, name: str, *features: stripe.entitlements.Feature, **more: Any) -> str:
    """A price of a product that has these features."""
    price = shop.price(name, unit_amount=1000, **more)
    product = str(shop.v1.prices.retrieve(price).product)
    for one in features:
        shop.v1.products.features.create(product, {"entitlement_feature": one.id})
    return price


def keys(shop: Shop) -> list[str]:
    listed = shop.v1.entitlements.active_entitlements.list({"customer": shop.customer, "limit": 1})
    return [one.lookup_key for one in listed.auto_paging_iter()]


def test_features_are_made_changed_and_listed(both: Api) -> None:
    features = both.stripe.v1.entitlements.features
    first, second = feature(both, "sso"), feature(both, "audit")
    assert (first.active, first.name, first.metadata["k"]) == (True, "Sso", "sso")
    assert features.update(first.id, {"name": "Single sign-on", "active": False}).name == "Single sign-on"
    assert not features.retrieve(first.id).active
    assert [one.id for one in features.list().data] == [second.id, first.id]
    assert [one.id for one in features.list({"archived": True}).data] == [first.id]
    assert [one.id for one in features.list({"archived": False}).data] == [second.id]
    assert [one.id for one in features.list({"lookup_key": "sso"}).data] == [first.id]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        feature(both, "sso")
    assert told(refused.value) == (400, "feature_lookup_key_taken", "lookup_key")


def test_features_are_attached_to_products(both: Api) -> None:
    products = both.stripe.v1.products
    product, other = (products.create({"name": name}).id for name in ("Pro", "Other"))
    first, second, old = feature(both, "sso"), feature(both, "audit"), feature(both, "old")
    both.stripe.v1.entitlements.features.update(old.id, {"active": False})
    made = [products.features.create(product, {"entitlement_feature": one.id}) for one in (first, second)]
    assert made[0].entitlement_feature.lookup_key == "sso"
    both.stripe.v1.entitlements.features.update(first.id, {"name": "New"})
    assert products.features.retrieve(product, made[0].id).entitlement_feature.name == "New"
    assert [one.id for one in products.features.list(product, {"limit": 1}).auto_paging_iter()] == [made[1].id, made[0].id]
    for id_, code in ((first.id, "feature_attached"), (old.id, "feature_archived"), ("feat_none", "resource_missing")):
        answer = both.post(f"/v1/products/{product}/features", {"entitlement_feature": id_})
        assert error_of(answer) == (400, code, "entitlement_feature")
    assert error_of(both.get(f"/v1/products/{other}/features/{made[0].id}"))[:2] == (404, "resource_missing")
    assert error_of(both.get("/v1/products/prod_none/features"))[:2] == (404, "resource_missing")
    assert products.features.delete(product, made[0].id).deleted
    assert [one.id for one in products.features.list(product).data] == [made[1].id]
    assert products.update(product, {"name": "Pro 2"}).name == "Pro 2"
    assert [one.id for one in products.features.list(product).data] == [made[1].id]


def test_a_customer_has_the_features_of_live_subscriptions(both: Api) -> None:
    shop = Shop(both, "2026-04-01")
    sso, audit, export = feature(both, "sso"), feature(both, "audit"), feature(both, "export")
    pro, extra = sold_with(shop, "Pro", sso, audit), sold_with(shop, "Extra", audit, export)
    assert keys(shop) == []
    first = shop.subscribe({"price": pro})
    assert keys(shop) == ["audit", "sso"]
    second = shop.subscribe({"price": extra}, trial_end=at("2026-04-20"))
    assert keys(shop) == ["export", "audit", "sso"]  # each once, also in a trial
    one = shop.v1.entitlements.active_entitlements.list({"customer": shop.customer}).data[0]
    assert shop.v1.entitlements.active_entitlements.retrieve(one.id).feature == export.id
    shop.v1.subscriptions.cancel(first.id)
    assert keys(shop) == ["export", "audit"]
    shop.v1.subscriptions.cancel(second.id)
    assert keys(shop) == []
    assert error_of(both.get(f"/v1/entitlements/active_entitlements/{one.id}"))[:2] == (404, "resource_missing")
    updates = both.events("entitlements.active_entitlement_summary.updated")
    assert [[one["lookup_key"] for one in event["data"]["object"]["entitlements"]["data"]] for event in updates] == [
        ["audit", "sso"],
        ["export", "audit", "sso"],
        ["export", "audit"],
        [],
    ]
    assert [one["lookup_key"] for one in updates[2]["data"]["previous_attributes"]["entitlements"]["data"]] == ["export", "audit", "sso"]


def test_a_subscription_that_is_not_paid_for_has_no_features(api: Api) -> None:
    shop = Shop(api, "2026-04-01", payment_method=None)
    pro = sold_with(shop, "Pro", feature(api, "sso"))
    made = shop.subscribe({"price": pro}, payment_behavior="default_incomplete")
    assert (made.status, keys(shop)) == ("incomplete", [])
    shop.pays_with("pm_card_visa")
    shop.v1.invoices.pay(str(made.latest_invoice))
    assert keys(shop) == ["sso"]


@pytest.mark.parametrize(
    ("path", "params", "code", "param"),
    [
        ("/v1/entitlements/features", {"name": "x"}, "parameter_missing", "lookup_key"),
        ("/v1/entitlements/features", {"lookup_key": "x"}, "parameter_missing", "name"),
        ("/v1/entitlements/features", {"lookup_key": "x", "name": "x", "color": "red"}, "parameter_unknown", "color"),
    ],
)
def test_what_makes_no_feature(api: Api, path: str, params: dict[str, str], code: str, param: str) -> None:
    assert error_of(api.post(path, params)) == (400, code, param)


def test_entitlements_of_nobody(api: Api) -> None:
    assert error_of(api.get("/v1/entitlements/active_entitlements", params={"customer": "cus_none"})) == (400, "resource_missing", "customer")
    for id_ in ("ent_none", "ent_", "x"):
        assert error_of(api.get(f"/v1/entitlements/active_entitlements/{id_}"))[:2] == (404, "resource_missing")
