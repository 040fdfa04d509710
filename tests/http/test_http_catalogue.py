"""Coupons, tax rates and products, through the official SDK."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
import stripe
from http_service import Api, error_of, told

from farthing.app.catalogue.coupons import redeem_coupon
from farthing.app.resources.desk import Desk
from farthing.core.base.refusal import Refusal
from farthing.core.events.exact_json import decode_json
from farthing.main import new_id


def refused(api: Api, path: str, form: dict[str, str]) -> tuple[str | None, str | None]:
    status, code, param = error_of(api.post(path, form))
    assert status == 400
    return code, param


def test_a_coupon_of_a_percentage(both: Api) -> None:
    made = both.stripe.v1.coupons.create({"percent_off": 12.5, "metadata": {"a": "b"}, "name": "Summer"})
    assert both.last.body == {
        "id": made.id,
        "object": "coupon",
        "amount_off": None,
        "created": both.clock.at // 1_000_000,
        "currency": None,
        "duration": "once",
        "duration_in_months": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {"a": "b"},
        "name": "Summer",
        "percent_off": 12.5,
        "redeem_by": None,
        "times_redeemed": 0,
        "valid": True,
    }
    assert both.stripe.v1.coupons.retrieve(made.id).to_dict() == both.stripe.v1.coupons.list().data[0].to_dict()


@pytest.mark.parametrize("percent", ["33.333333333333333333", "0.000000000000000001", "100", "7.10"])
def test_percentages_are_kept_exactly(both: Api, percent: str) -> None:
    for answer in (both.post("/v1/coupons", {"percent_off": percent, "id": "EXACT"}), both.get("/v1/coupons/EXACT")):
        assert decode_json(answer.content)["percent_off"] == Decimal(percent)


def test_a_coupon_of_an_amount_with_further_currencies(both: Api) -> None:
    made = both.stripe.v1.coupons.create(
        {"amount_off": 500, "currency": "USD", "currency_options": {"eur": {"amount_off": 450}}, "duration": "repeating", "duration_in_months": 3}
    )
    assert (made.amount_off, made.currency, made.duration, made.duration_in_months) == (500, "usd", "repeating", 3)
    assert "currency_options" not in both.last.body
    both.stripe.v1.coupons.update(made.id, {"currency_options": {"jpy": {"amount_off": 700}, "eur": {"amount_off": 460}}})
    shown = both.stripe.v1.coupons.retrieve(made.id, {"expand": ["currency_options"]})
    assert json.loads(str(shown.currency_options)) == {"usd": {"amount_off": 500}, "eur": {"amount_off": 460}, "jpy": {"amount_off": 700}}


def test_a_coupon_for_products(both: Api) -> None:
    products = [both.stripe.v1.products.create({"name": name}).id for name in "ab"]
    made = both.stripe.v1.coupons.create({"percent_off": 5, "applies_to": {"products": [*products, products[0]]}})
    assert "applies_to" not in both.last.body
    assert both.stripe.v1.coupons.retrieve(made.id, {"expand": ["applies_to"]}).applies_to.to_dict() == {"products": products}
    listed = both.stripe.v1.coupons.list({"expand": ["data.applies_to"]})
    assert listed.data[0].applies_to is not None


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({}, "coupon_discount_missing", "percent_off"),
        ({"percent_off": "5", "amount_off": "5", "currency": "usd"}, "fields_conflict", "amount_off"),
        ({"percent_off": "5", "currency": "usd"}, "fields_conflict", "currency"),
        ({"percent_off": "5", "currency_options[eur][amount_off]": "5"}, "fields_conflict", "currency_options"),
        ({"amount_off": "5"}, "coupon_currency_missing", "currency"),
        ({"currency": "usd"}, "coupon_discount_missing", "percent_off"),
        ({"amount_off": "0", "currency": "usd"}, "number_not_positive", "amount_off"),
        ({"amount_off": "5", "currency": "usd", "currency_options[usd][amount_off]": "5"}, "fields_conflict", "currency_options[usd]"),
        ({"amount_off": "5", "currency": "usd", "currency_options[xxx][amount_off]": "5"}, "currency_unknown", "currency_options[xxx]"),
        (
            {"amount_off": "5", "currency": "usd", "currency_options[eur][amount_off]": "0"},
            "number_not_positive",
            "currency_options[eur][amount_off]",
        ),
        ({"percent_off": "0"}, "percentage_out_of_range", "percent_off"),
        ({"percent_off": "100.01"}, "percentage_out_of_range", "percent_off"),
        ({"percent_off": "5", "duration": "repeating"}, "coupon_months_missing", "duration_in_months"),
        ({"percent_off": "5", "duration": "forever", "duration_in_months": "2"}, "fields_conflict", "duration_in_months"),
        ({"percent_off": "5", "duration": "repeating", "duration_in_months": "0"}, "number_not_positive", "duration_in_months"),
        ({"percent_off": "5", "max_redemptions": "0"}, "number_not_positive", "max_redemptions"),
        ({"percent_off": "5", "redeem_by": "1767225600"}, "redeem_by_out_of_range", "redeem_by"),
        ({"percent_off": "5", "redeem_by": "1967225600"}, "redeem_by_out_of_range", "redeem_by"),
        ({"percent_off": "5", "applies_to[products][0]": "prod_none"}, "resource_missing", "applies_to[products][0]"),
        ({"percent_off": "5", "name": "x" * 41}, "parameter_too_long", "name"),
        ({"percent_off": "5", "id": "a b"}, "id_unusable", "id"),
        ({"percent_off": "5", "id": "search"}, "id_unusable", "id"),
        ({"percent_off": "5", "id": "x" * 201}, "id_unusable", "id"),
    ],
)
def test_a_coupon_that_makes_no_sense_is_refused(api: Api, form: dict[str, str], code: str, param: str) -> None:
    assert refused(api, "/v1/coupons", form) == (code, param)
    assert api.stripe.v1.coupons.list().data == []


def test_an_id_of_ones_own_is_taken_once(both: Api) -> None:
    assert both.stripe.v1.coupons.create({"percent_off": 5, "id": "SUMMER-26"}).id == "SUMMER-26"
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            both.stripe.v1.coupons.create({"percent_off": 6, "id": "SUMMER-26"})
        assert told(caught.value) == (400, "resource_already_exists", "id")
        if _ == 0:
            both.stripe.v1.coupons.delete("SUMMER-26")  # what is deleted keeps its id: bills name it
    assert both.stripe.v1.products.create({"name": "x", "id": "pro"}).id == "pro"
    assert refused(both, "/v1/products", {"name": "x", "id": "pro"}) == ("resource_already_exists", "id")


def test_a_coupon_changes_in_name_and_metadata_only(both: Api) -> None:
    made = both.stripe.v1.coupons.create({"percent_off": 5, "metadata": {"a": "1"}})
    changed = both.stripe.v1.coupons.update(made.id, {"name": "New", "metadata": {"b": "2"}})
    assert (changed.name, changed.metadata.to_dict() if changed.metadata else None) == ("New", {"a": "1", "b": "2"})
    assert refused(both, f"/v1/coupons/{made.id}", {"percent_off": "6"}) == ("parameter_unknown", "percent_off")
    assert refused(both, f"/v1/coupons/{made.id}", {"currency_options[eur][amount_off]": "6"}) == ("fields_conflict", "currency_options")


def test_a_deleted_coupon_is_gone(both: Api) -> None:
    made = both.stripe.v1.coupons.create({"percent_off": 5})
    both.stripe.v1.coupons.delete(made.id)
    assert both.last.body == {"id": made.id, "object": "coupon", "deleted": True}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        both.stripe.v1.coupons.retrieve(made.id)
    assert told(caught.value) == (404, "resource_missing", "id")


def desk(api: Api) -> Desk:
    return Desk(api.store(), api.clock.at, new_id)


def test_a_coupon_is_redeemed_as_often_as_it_may_be(both: Api) -> None:
    made = both.stripe.v1.coupons.create({"percent_off": 5, "max_redemptions": 2})
    redeem_coupon(desk(both), made.id, "coupon")
    now = both.stripe.v1.coupons.retrieve(made.id)
    assert (now.times_redeemed, now.valid) == (1, True)
    redeem_coupon(desk(both), made.id, "coupon")
    now = both.stripe.v1.coupons.retrieve(made.id)
    assert (now.times_redeemed, now.valid) == (2, False)
    with pytest.raises(Refusal) as caught:
        redeem_coupon(desk(both), made.id, "discounts[0][coupon]")
    assert (caught.value.code, caught.value.field) == ("coupon_expired", "discounts[0][coupon]")


def test_a_coupon_is_valid_up_to_its_last_second(both: Api) -> None:
    made = both.stripe.v1.coupons.create({"percent_off": 5, "redeem_by": both.clock.at // 1_000_000 + 60})
    both.clock.forward(60)
    assert both.stripe.v1.coupons.retrieve(made.id).valid is True
    both.clock.forward(1)
    assert both.stripe.v1.coupons.retrieve(made.id).valid is False
    assert both.stripe.v1.coupons.list().data[0].valid is False
    with pytest.raises(Refusal) as caught:
        redeem_coupon(desk(both), made.id, "coupon")
    assert caught.value.code == "coupon_expired"
    assert both.events("coupon.created")[0]["data"]["object"]["valid"] is True  # an event shows what was


def test_a_tax_rate(both: Api) -> None:
    made = both.post(
        "/v1/tax_rates",
        {"display_name": "Sales tax", "inclusive": "false", "percentage": "8.8750", "country": "us", "state": "NY", "tax_type": "sales_tax"},
    )
    assert b'"percentage":8.875' in made.content
    assert made.json() == {
        "id": made.json()["id"],
        "object": "tax_rate",
        "active": True,
        "country": "US",
        "created": both.clock.at // 1_000_000,
        "description": None,
        "display_name": "Sales tax",
        "effective_percentage": None,
        "flat_amount": None,
        "inclusive": False,
        "jurisdiction": None,
        "jurisdiction_level": None,
        "livemode": False,
        "metadata": {},
        "percentage": 8.875,
        "rate_type": "percentage",
        "state": "NY",
        "tax_type": "sales_tax",
    }
    id_ = made.json()["id"]
    assert id_.startswith("txr_")
    changed = both.stripe.v1.tax_rates.update(id_, {"active": False, "jurisdiction": "New York", "country": "ca", "metadata": {"x": "y"}})
    assert (changed.active, changed.jurisdiction, changed.country) == (False, "New York", "CA")
    assert both.stripe.v1.tax_rates.retrieve(id_).to_dict() == changed.to_dict()
    assert refused(both, f"/v1/tax_rates/{id_}", {"percentage": "9"}) == ("parameter_unknown", "percentage")


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({"display_name": "x", "inclusive": "true"}, "parameter_missing", "percentage"),
        ({"display_name": "x", "inclusive": "yes", "percentage": "5"}, "parameter_invalid_boolean", "inclusive"),
        ({"display_name": "x", "inclusive": "true", "percentage": "-1"}, "percentage_out_of_range", "percentage"),
        ({"display_name": "x", "inclusive": "true", "percentage": "100.1"}, "percentage_out_of_range", "percentage"),
        ({"display_name": "x", "inclusive": "true", "percentage": "5", "country": "Germany"}, "country_unknown", "country"),
        ({"display_name": "x", "inclusive": "true", "percentage": "5", "tax_type": "window_tax"}, "parameter_invalid_choice", "tax_type"),
        ({"display_name": "x", "inclusive": "true", "percentage": "0.0000000000000000001"}, "parameter_invalid_decimal", "percentage"),
    ],
)
def test_a_tax_rate_that_makes_no_sense_is_refused(api: Api, form: dict[str, str], code: str, param: str) -> None:
    assert refused(api, "/v1/tax_rates", form) == (code, param)


def test_a_product(both: Api) -> None:
    made = both.stripe.v1.products.create({"name": "Pro"})
    now = both.clock.at // 1_000_000
    assert both.last.body == {
        "id": made.id,
        "object": "product",
        "active": True,
        "created": now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": "Pro",
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "tax_details": None,
        "type": "service",
        "unit_label": None,
        "updated": now,
        "url": None,
    }
    assert made.id.startswith("prod_")


FULL: dict[str, Any] = {
    "active": False,
    "description": "d",
    "images": ["https://a.example/1.png"],
    "marketing_features": [{"name": "fast"}],
    "metadata": {"a": "1"},
    "package_dimensions": {"height": 1, "length": 2.5, "weight": 3, "width": 4},
    "shippable": True,
    "statement_descriptor": "FARTHING",
    "tax_code": "txcd_10000000",
    "unit_label": "seat",
    "url": "https://a.example",
}


def test_a_product_takes_all_its_fields_and_lets_them_go(both: Api) -> None:
    made = both.stripe.v1.products.create({"name": "Pro", **FULL}).to_dict()
    assert {name: made[name] for name in FULL} == FULL
    both.clock.forward(7)
    cleared: dict[str, Any] = {name: "" for name in FULL if name not in ("active", "shippable", "statement_descriptor")}
    changed = both.stripe.v1.products.update(made["id"], cleared).to_dict()
    assert {name: changed[name] for name in cleared} == {
        **dict.fromkeys(cleared),
        "images": [],
        "marketing_features": [],
        "metadata": {},
    }
    assert (changed["updated"], changed["created"]) == (made["created"] + 7, made["created"])
    both.clock.forward(7)
    assert both.stripe.v1.products.update(made["id"], {"name": "Pro"}).updated == changed["updated"]


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({"url": "nowhere"}, "url_invalid", "url"),
        ({"images[0]": "https://a.example", "images[1]": "ftp://b"}, "url_invalid", "images[1]"),
        ({f"images[{n}]": "https://a.example" for n in range(9)}, "texts_too_many", "images"),
        ({f"marketing_features[{n}][name]": "x" for n in range(16)}, "texts_too_many", "marketing_features"),
        ({"marketing_features[0][name]": "x" * 81}, "text_too_long", "marketing_features[0][name]"),
        ({"statement_descriptor": "12345"}, "statement_descriptor_invalid", "statement_descriptor"),
        ({"statement_descriptor": "a<b"}, "statement_descriptor_invalid", "statement_descriptor"),
        ({"statement_descriptor": "x" * 23}, "parameter_too_long", "statement_descriptor"),
        ({"tax_code": "general"}, "tax_code_unknown", "tax_code"),
        ({"unit_label": "x" * 13}, "parameter_too_long", "unit_label"),
        (
            {
                "package_dimensions[height]": "1",
                "package_dimensions[length]": "1",
                "package_dimensions[weight]": "0",
                "package_dimensions[width]": "1",
            },
            "number_not_positive",
            "package_dimensions[weight]",
        ),
        ({"package_dimensions[height]": "1"}, "parameter_missing", "package_dimensions[length]"),
    ],
)
def test_a_product_that_makes_no_sense_is_refused(api: Api, form: dict[str, str], code: str, param: str) -> None:
    assert refused(api, "/v1/products", {"name": "x", **form}) == (code, param)
    made = api.stripe.v1.products.create({"name": "x"})
    assert refused(api, f"/v1/products/{made.id}", form) == (code, param)


def test_a_tax_code_has_two_names(both: Api) -> None:
    details = {"performance_location": None, "tax_code": "txcd_10000000"}
    for form in ({"tax_code": "txcd_10000000"}, {"tax_details": {"tax_code": "txcd_10000000"}}):
        made = both.stripe.v1.products.create({"name": "x", **form}).to_dict()
        assert (made["tax_code"], made["tax_details"]) == ("txcd_10000000", details)
        changed = both.stripe.v1.products.update(made["id"], {"name": "y"}).to_dict()
        assert (changed["tax_code"], changed["tax_details"]) == ("txcd_10000000", details)
        changed = both.stripe.v1.products.update(made["id"], dict.fromkeys(form, "")).to_dict()
        assert (changed["tax_code"], changed["tax_details"]) == (None, None)
    both_names = {"name": "x", "tax_code": "txcd_10000000", "tax_details[tax_code]": "txcd_20000000"}
    assert refused(both, "/v1/products", both_names) == ("fields_conflict", "tax_details[tax_code]")
    wrong = {"name": "x", "tax_details[tax_code]": "general"}
    assert refused(both, "/v1/products", wrong) == ("tax_code_unknown", "tax_details[tax_code]")
    place = {"name": "x", "tax_details[performance_location]": "here"}
    assert refused(both, "/v1/products", place) == ("parameter_unsupported", "tax_details[performance_location]")


def price(api: Api, id_: str, product: str) -> None:
    """A price as another stage keeps it."""
    api.store().add("price", id_, 1, {"id": id_, "object": "price", "product": product})


def test_a_default_price_is_one_of_the_product(both: Api) -> None:
    own, other = (both.stripe.v1.products.create({"name": name}).id for name in "ab")
    price(both, "price_own", own)
    price(both, "price_other", other)
    assert both.stripe.v1.products.update(own, {"default_price": "price_own"}).default_price == "price_own"
    assert refused(both, f"/v1/products/{own}", {"default_price": "price_other"}) == ("price_of_other_product", "default_price")


def test_a_product_with_prices_stays(both: Api) -> None:
    product = both.stripe.v1.products.create({"name": "x"}).id
    price(both, "price_1", product)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        both.stripe.v1.products.delete(product)
    assert told(caught.value) == (400, "product_has_prices", "id")
    assert both.stripe.v1.products.retrieve(product).active is True


def test_metadata_is_merged_unset_by_key_and_cleared(both: Api) -> None:
    for service, form in ((both.stripe.v1.products, {"name": "x"}), (both.stripe.v1.coupons, {"percent_off": 5})):
        made: Any = service.create({**form, "metadata": {"a": "1", "b": "2", "empty": ""}})
        assert made.metadata.to_dict() == {"a": "1", "b": "2"}
        update: Any = service.update
        assert update(made.id, {"metadata": {"b": "3", "c": "4"}}).metadata.to_dict() == {"a": "1", "b": "3", "c": "4"}
        assert update(made.id, {"metadata": {"a": "", "none": ""}}).metadata.to_dict() == {"b": "3", "c": "4"}
        assert update(made.id, {}).metadata.to_dict() == {"b": "3", "c": "4"}
        assert update(made.id, {"metadata": ""}).metadata.to_dict() == {}


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({f"metadata[k{n}]": "v" for n in range(51)}, "metadata"),
        ({f"metadata[{'k' * 41}]": "v"}, f"metadata[{'k' * 41}]"),
        ({"metadata[k]": "v" * 501}, "metadata[k]"),
    ],
)
def test_metadata_has_bounds(api: Api, form: dict[str, str], param: str) -> None:
    assert refused(api, "/v1/products", {"name": "x", **form}) == ("metadata_invalid", param)
