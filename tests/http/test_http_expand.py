"""Expansion: ids replaced by what they stand for, nested and in lists, and what is shown on request alone."""

from __future__ import annotations

from typing import Any

import pytest
from http_service import Api, error_of

from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.kinds import KINDS, Kind
from farthing.core.base.refusal import Refusal
from farthing.edges.http import expand
from farthing.edges.http.wire.contract import operation
from farthing.main import new_id
from farthing.testing.memory import MemoryStore

KNOWN = ("product", "price", "customer", "subscription", "invoice", "coupon", "test_helpers.test_clock")


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kinds of the documents below, also where no stage serves them."""
    for name in KNOWN:
        if name not in KINDS:
            monkeypatch.setitem(KINDS, name, Kind(name, "", f"/v1/{name}s"))


@pytest.fixture
def desk() -> Desk:
    store = MemoryStore()

    def keep(object_: str, id_: str, **fields: Any) -> None:
        store.add(object_, id_, 1, {"id": id_, "object": object_, **fields})

    keep("product", "prod", name="Pro", default_price="price")
    keep("price", "price", product="prod")
    keep("customer", "cus", name="Acme")
    keep("subscription", "sub", customer="cus", latest_invoice="in")
    keep("invoice", "in", customer="cus", discounts=["di_1"], lines={"object": "list", "data": [{"object": "line_item", "subscription": "sub"}]})
    keep("coupon", "co", applies_to={"products": ["prod"]}, times_redeemed=0, max_redemptions=None, redeem_by=None, valid=True)
    return Desk(store, 1_000_000, new_id)


def show(desk: Desk, id_: str, kind: str, *paths: str) -> dict[str, Any]:
    row = desk.store.find(kind, id_)
    assert row is not None
    return expand.expanded(desk, row.document, paths)


def test_an_id_becomes_what_it_stands_for(desk: Desk) -> None:
    assert show(desk, "prod", "product")["default_price"] == "price"
    assert show(desk, "prod", "product", "default_price")["default_price"] == {"id": "price", "object": "price", "product": "prod"}
    nested = show(desk, "prod", "product", "default_price.product")["default_price"]["product"]
    assert (nested["name"], nested["default_price"]) == ("Pro", "price")


def test_paths_may_share_their_beginning_and_come_twice(desk: Desk) -> None:
    shown = show(desk, "sub", "subscription", "latest_invoice", "latest_invoice.customer", "customer", "customer")
    assert (shown["customer"]["name"], shown["latest_invoice"]["customer"]["name"]) == ("Acme", "Acme")
    assert show(desk, "sub", "subscription", "latest_invoice")["latest_invoice"]["customer"] == "cus"


def test_paths_lead_through_lists_inside(desk: Desk) -> None:
    entry = show(desk, "in", "invoice", "lines.data.subscription")["lines"]["data"][0]
    assert entry["subscription"]["id"] == "sub"


def test_what_was_deleted_is_shown_as_that(desk: Desk) -> None:
    plain.delete(desk, KINDS["customer"], "cus")
    assert show(desk, "sub", "subscription", "customer")["customer"] == {"id": "cus", "object": "customer", "deleted": True}


def test_what_is_not_there_stays_an_id_and_null_stays_null(desk: Desk) -> None:
    desk.store.add("product", "p2", 1, {"id": "p2", "object": "product", "default_price": "price_gone"})
    desk.store.add("product", "p3", 1, {"id": "p3", "object": "product", "default_price": None})
    assert show(desk, "p2", "product", "default_price")["default_price"] == "price_gone"
    assert show(desk, "p3", "product", "default_price.product")["default_price"] is None


def test_the_stored_document_is_not_changed(desk: Desk) -> None:
    show(desk, "sub", "subscription", "latest_invoice.customer")
    row = desk.store.find("subscription", "sub")
    assert row is not None and row.document["latest_invoice"] == "in"


def test_a_field_may_be_made_on_request(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def subscriptions(desk: Desk, document: Any) -> Any:
        assert document["id"] == "cus"
        row = desk.store.find("subscription", "sub")
        assert row is not None
        return {"object": "list", "data": [row.document], "has_more": False, "url": "/v1/subscriptions"}

    monkeypatch.setitem(expand._HIDDEN, "customer", {"subscriptions": subscriptions})
    assert "subscriptions" not in show(desk, "cus", "customer")
    made = show(desk, "cus", "customer", "subscriptions.data.latest_invoice")["subscriptions"]["data"][0]
    assert made["latest_invoice"]["id"] == "in"


def test_what_is_shown_on_request_is_left_out_wherever_it_is(desk: Desk) -> None:
    desk.store.add("invoice", "in_2", 1, {"id": "in_2", "object": "invoice", "discount": dict(desk.store.find("coupon", "co").document)})
    assert "applies_to" not in show(desk, "in_2", "invoice")["discount"]


@pytest.mark.parametrize(
    ("method", "path", "paths"),
    [
        ("GET", "/v1/products/{id}", ["default_price"]),
        ("GET", "/v1/products/{id}", ["default_price.product.default_price.product"]),
        ("GET", "/v1/products", ["data.default_price.product"]),
        ("GET", "/v1/products/search", ["data.default_price"]),
        ("POST", "/v1/coupons", ["applies_to", "currency_options"]),
        ("GET", "/v1/subscriptions/{subscription_exposed_id}", ["latest_invoice.customer", "customer"]),
    ],
)
def test_paths_of_fields_that_expand_are_taken(method: str, path: str, paths: list[str]) -> None:
    found = operation(method, path)
    assert found is not None and expand.read_paths(found, paths) == tuple(paths)


@pytest.mark.parametrize(
    ("path", "paths", "at"),
    [
        ("/v1/products/{id}", ["name"], 0),
        ("/v1/products/{id}", ["default_price", "nonsense"], 1),
        ("/v1/products/{id}", [""], 0),
        ("/v1/products/{id}", ["default_price."], 0),
        ("/v1/products/{id}", ["data.default_price"], 0),
        ("/v1/products/{id}", ["tax_code"], 0),
        ("/v1/products/{id}", ["default_price.product.default_price.product.default_price"], 0),
        ("/v1/products", ["default_price"], 0),
        ("/v1/products", ["data"], 0),
        ("/v1/products", ["data."], 0),
        ("/v1/events", ["data.data.object.customer"], 0),
    ],
)
def test_other_paths_are_refused_by_place(path: str, paths: list[str], at: int) -> None:
    found = operation("GET", path)
    assert found is not None
    with pytest.raises(Refusal) as caught:
        expand.read_paths(found, paths)
    assert (caught.value.code, caught.value.field) == ("expand_invalid", f"expand[{at}]")


def test_there_are_at_most_twenty_paths(api: Api) -> None:
    query = "&".join("expand[]=applies_to" for _ in range(21))
    assert error_of(api.get(f"/v1/coupons/x?{query}")) == (400, "expand_invalid", "expand")


def test_a_refused_path_leaves_nothing_behind(both: Api) -> None:
    assert error_of(both.post("/v1/coupons", {"percent_off": "5", "expand[0]": "customer"})) == (400, "expand_invalid", "expand[0]")
    assert both.stripe.v1.coupons.list().data == []
