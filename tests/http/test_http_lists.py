"""Lists: cursors both ways, ties, auto-paging, filters, and the events of an account."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from http_service import Api, error_of, told

from farthing.edges.http.keys import account_id


def make(api: Api, number: int, every: int = 3) -> list[str]:
    """Coupons, newest first; `every` of them share a second."""
    made = []
    for n in range(number):
        if n and n % every == 0:
            api.clock.forward(1)
        made.append(api.stripe.v1.coupons.create({"percent_off": 5, "id": f"c{n}"}).id)
    return made[::-1]


def ids(found: Any) -> list[str]:
    return [one.id for one in found.data]


def test_pages_tile_in_both_directions_over_ties(both: Api) -> None:
    every = make(both, 8)
    listing = both.stripe.v1.coupons.list
    for limit in (1, 2, 3, 7):
        walked: list[str] = []
        page = listing({"limit": limit})
        while True:
            walked += ids(page)
            if not page.has_more:
                break
            page = listing({"limit": limit, "starting_after": walked[-1]})
        assert walked == every
        walked = []
        page = listing({"limit": limit, "ending_before": every[-1]})
        while True:
            walked = ids(page) + walked
            if not page.has_more:
                break
            page = listing({"limit": limit, "ending_before": walked[0]})
        assert walked == every[:-1]


def test_the_sdk_pages_by_itself(both: Api) -> None:
    every = make(both, 7)
    assert [one.id for one in both.stripe.v1.coupons.list({"limit": 2}).auto_paging_iter()] == every
    backwards = both.stripe.v1.coupons.list({"limit": 2, "ending_before": every[-1]})
    assert [one.id for one in backwards.auto_paging_iter()] == every[:-1][::-1]


def test_a_page_has_ten_entries_unless_it_is_said(api: Api) -> None:
    every = make(api, 11)
    page = api.stripe.v1.coupons.list()
    assert (ids(page), page.has_more, page.url) == (every[:10], True, "/v1/coupons")
    assert ids(api.stripe.v1.coupons.list({"limit": 100})) == every


def test_a_deleted_cursor_still_marks_its_place(both: Api) -> None:
    every = make(both, 4)
    both.stripe.v1.coupons.delete(every[1])
    assert ids(both.stripe.v1.coupons.list({"starting_after": every[1]})) == every[2:]
    assert ids(both.stripe.v1.coupons.list()) == [every[0], *every[2:]]


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("limit=0", "limit_out_of_range", "limit"),
        ("limit=101", "limit_out_of_range", "limit"),
        ("limit=-1", "limit_out_of_range", "limit"),
        ("limit=ten", "parameter_invalid_integer", "limit"),
        ("starting_after=none", "resource_missing", "starting_after"),
        ("ending_before=none", "resource_missing", "ending_before"),
        ("starting_after=a&ending_before=b", "fields_conflict", "ending_before"),
        ("created[gte]=soon", "parameter_invalid_integer", "created[gte]"),
        ("created[since]=5", "parameter_unknown", "created[since]"),
        ("active=true", "parameter_unknown", "active"),
    ],
)
def test_what_a_list_does_not_take_is_refused(both: Api, query: str, code: str, param: str) -> None:
    assert error_of(both.get(f"/v1/coupons?{query}"))[1:] == (code, param)


def test_lists_are_filtered_by_when_it_was_created(both: Api) -> None:
    every = make(both, 6, every=2)  # two each at t, t + 1, t + 2
    at = both.clock.at // 1_000_000 - 2
    found = both.stripe.v1.coupons.list
    assert ids(found({"created": at})) == every[4:]
    assert ids(found({"created": {"gt": at}})) == every[:4]
    assert ids(found({"created": {"gte": at + 1, "lt": at + 2}})) == every[2:4]
    assert ids(found({"created": {"lte": at}})) == every[4:]
    assert ids(found({"created": {"lte": at + 1}, "limit": 2, "starting_after": every[3]})) == every[4:]


def test_products_are_filtered(both: Api) -> None:
    products = both.stripe.v1.products
    a = products.create({"name": "a", "shippable": True, "url": "https://a.example/x"}).id
    b = products.create({"name": "b", "active": False}).id
    c = products.create({"name": "c", "shippable": False}).id
    assert ids(products.list({"active": True})) == [c, a] and ids(products.list({"active": False})) == [b]
    assert ids(products.list({"shippable": True})) == [a] and ids(products.list({"shippable": False})) == [c]
    assert ids(products.list({"url": "https://a.example/x"})) == [a]
    assert ids(products.list({"ids": [a, b, "prod_none", a]})) == [b, a]
    assert ids(products.list({"ids": [a, b], "active": False})) == [b]
    page = products.list({"ids": [a, b, c], "limit": 2})
    assert (ids(page), page.has_more) == ([c, b], True)
    assert error_of(both.get(f"/v1/products?ids[]={a}&starting_after={b}"))[1:] == ("fields_conflict", "starting_after")


def test_tax_rates_are_filtered(both: Api) -> None:
    rates = both.stripe.v1.tax_rates
    a = rates.create({"display_name": "a", "inclusive": True, "percentage": 19}).id
    b = rates.create({"display_name": "b", "inclusive": False, "percentage": 7, "active": False}).id
    assert (ids(rates.list({"inclusive": True})), ids(rates.list({"active": False}))) == ([a], [b])


def test_each_change_is_an_event_with_what_was(both: Api) -> None:
    made = both.stripe.v1.products.create({"name": "Old", "metadata": {"a": "1", "b": "2"}})
    both.clock.forward(5)
    both.stripe.v1.products.update(made.id, {"name": "New", "metadata": {"a": "", "c": "3"}})
    request = both.last.headers["Request-Id"]
    both.stripe.v1.products.delete(made.id)
    created, updated, deleted = (both.stripe.v1.events.list({"type": f"product.{name}"}).data for name in ("created", "updated", "deleted"))
    assert [len(created), len(updated), len(deleted)] == [1, 1, 1]
    event = both.stripe.v1.events.retrieve(updated[0].id).to_dict()
    assert event["data"]["object"]["name"] == "New" and event["data"]["object"]["metadata"] == {"b": "2", "c": "3"}
    assert event["data"]["previous_attributes"] == {"name": "Old", "metadata": {"a": "1", "c": None}, "updated": made.updated}
    assert (event["type"], event["api_version"], event["request"]["id"]) == ("product.updated", "2026-10-28.endive", request)
    both.stripe.v1.products.create({"name": "Same"})
    both.stripe.v1.products.update(both.last.body["id"], {"name": "Same"})
    assert len(both.events("product.updated")) == 1


def test_events_are_listed_by_types_and_time(both: Api) -> None:
    coupon = both.stripe.v1.coupons.create({"percent_off": 5}).id
    both.clock.forward(10)
    product = both.stripe.v1.products.create({"name": "x"}).id
    both.stripe.v1.products.update(product, {"name": "y"})
    both.clock.forward(10)
    both.stripe.v1.coupons.delete(coupon)

    def types(**params: Any) -> list[str]:
        return [one.type for one in both.stripe.v1.events.list(params).auto_paging_iter()]

    assert types() == ["coupon.deleted", "product.updated", "product.created", "coupon.created"]
    assert types(types=["coupon.created", "product.updated"]) == ["product.updated", "coupon.created"]
    assert types(types=["coupon.created", "product.updated", "coupon.deleted"], limit=1) == ["coupon.deleted", "product.updated", "coupon.created"]
    assert types(type="product.*") == ["product.updated", "product.created"] == types(type="product.*", limit=1)
    assert types(type="*") == types()
    at = both.clock.at // 1_000_000
    assert types(types=["coupon.created", "coupon.deleted"], created={"gte": at}) == ["coupon.deleted"]
    first = both.stripe.v1.events.list({"types": ["product.created", "product.updated", "coupon.created"]}).data
    page = both.stripe.v1.events.list({"types": ["product.created", "product.updated", "coupon.created"], "ending_before": first[-1].id, "limit": 1})
    assert (ids(page), page.has_more) == ([first[1].id], True)


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("type=a&types[]=b", "fields_conflict", "types"),
        ("type=none.*", "event_types_invalid", "type"),
        ("type=prod*", "event_types_invalid", "type"),
        ("&".join(f"types[]=t{n}" for n in range(21)), "event_types_invalid", "types"),
    ],
)
def test_types_that_are_none_are_refused(api: Api, query: str, code: str, param: str) -> None:
    assert error_of(api.get(f"/v1/events?{query}")) == (400, code, param)


def test_the_account_says_whose_key_it_is(both: Api) -> None:
    account = both.stripe.v1.accounts.retrieve_current()
    assert account.id == account_id(both.account)
    assert account.business_profile is not None and account.business_profile.name == both.account


def test_cursors_are_ids_of_the_same_kind(api: Api) -> None:
    product = api.stripe.v1.products.create({"name": "x"}).id
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.stripe.v1.coupons.list({"starting_after": product})
    assert told(caught.value) == (400, "resource_missing", "starting_after")
