"""Prices, through the official SDK, and what the core's catalogue has of them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import stripe
from http_service import Api, error_of, told

from farthing.app.catalogue.prices import interval_of, lineage_of
from farthing.core.rating.compile import compile_price

Form = dict[str, str]


def refused(api: Api, path: str, form: Form) -> tuple[str | None, str | None]:
    status, code, param = error_of(api.post(path, form))
    assert status == 400
    return code, param


@pytest.fixture
def product(api: Api) -> str:
    return api.stripe.v1.products.create({"name": "Pro"}).id


def meter(api: Api, id_: str = "mtr_1", status: str = "active") -> str:
    """A meter as another stage keeps it."""
    api.store().add("billing.meter", id_, 1, {"id": id_, "object": "billing.meter", "status": status})
    return id_


def kept(api: Api, lineage: str) -> dict[str, Any]:
    """The document of a lineage in the core's catalogue, which compiles."""
    (version,) = api.store().prices([lineage])[lineage]
    compile_price(version.value.document)
    return dict(version.value.document)


def test_a_price(both: Api) -> None:
    product = both.stripe.v1.products.create({"name": "Pro"}).id
    made = both.stripe.v1.prices.create(
        {"currency": "USD", "unit_amount": 1000, "product": product, "recurring": {"interval": "month"}, "nickname": "n", "metadata": {"a": "b"}}
    )
    assert both.last.body == {
        "id": made.id,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": both.clock.at // 1_000_000,
        "currency": "usd",
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {"a": "b"},
        "nickname": "n",
        "product": product,
        "recurring": {"interval": "month", "interval_count": 1, "meter": None, "trial_period_days": None, "usage_type": "licensed"},
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": 1000,
        "unit_amount_decimal": "1000",
    }
    assert made.id.startswith("price_")
    assert kept(both, made.id) == {"id": made.id, "currency": "usd", "unit_amount": 1000}
    shown = both.stripe.v1.prices.retrieve(made.id, {"expand": ["product", "currency_options"]})
    assert shown.product.name == "Pro"  # type: ignore[union-attr]  # expanded
    assert shown.to_dict()["currency_options"] == {
        "usd": {"custom_unit_amount": None, "tax_behavior": "unspecified", "unit_amount": 1000, "unit_amount_decimal": "1000"}
    }
    assert [event["data"]["object"]["id"] for event in both.events("price.created")] == [made.id]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        both.stripe.v1.products.delete(product)
    assert told(caught.value) == (400, "product_has_prices", "id")


@pytest.mark.parametrize(
    ("sent", "whole", "decimal"),
    [
        ({"unit_amount_decimal": "0.000000000001"}, None, "0.000000000001"),
        ({"unit_amount_decimal": "12.50"}, None, "12.5"),
        ({"unit_amount_decimal": "12.0"}, 12, "12"),
        ({"unit_amount_decimal": "99999999999999999999"}, 99999999999999999999, "99999999999999999999"),
        ({"unit_amount": "0"}, 0, "0"),
        ({"unit_amount": "7", "unit_amount_decimal": "7.0"}, 7, "7"),
    ],
)
def test_amounts_are_kept_exactly(api: Api, product: str, sent: Form, whole: int | None, decimal: str) -> None:
    made = api.post("/v1/prices", {"currency": "usd", "product": product, **sent}).json()
    assert (made["unit_amount"], made["unit_amount_decimal"]) == (whole, decimal)
    document = kept(api, made["id"])
    amount: Any = document.get("unit_amount_decimal", document.get("unit_amount"))
    assert Fraction(amount) == Fraction(decimal)


def test_tiers(both: Api) -> None:
    product = both.stripe.v1.products.create({"name": "Pro"}).id
    made = both.stripe.v1.prices.create(
        {
            "currency": "usd",
            "product": product,
            "billing_scheme": "tiered",
            "tiers_mode": "graduated",
            "tiers": [
                {"up_to": 10, "unit_amount": 100},
                {"up_to": 20, "unit_amount_decimal": Decimal("0.5"), "flat_amount": 5},
                {"up_to": "inf", "flat_amount_decimal": Decimal(0)},
            ],
            "recurring": {"interval": "week", "interval_count": 2},
            "expand": ["tiers"],
        }
    )
    assert both.last.body["tiers"] == [
        {"flat_amount": None, "flat_amount_decimal": None, "unit_amount": 100, "unit_amount_decimal": "100", "up_to": 10},
        {"flat_amount": 5, "flat_amount_decimal": "5", "unit_amount": None, "unit_amount_decimal": "0.5", "up_to": 20},
        {"flat_amount": 0, "flat_amount_decimal": "0", "unit_amount": None, "unit_amount_decimal": None, "up_to": None},
    ]
    assert (made.unit_amount, made.billing_scheme, made.tiers_mode) == (None, "tiered", "graduated")
    assert kept(both, made.id)["tiers"][1] == {"up_to": 20, "unit_amount_decimal": "0.5", "flat_amount": 5}
    both.stripe.v1.prices.retrieve(made.id)
    assert "tiers" not in both.last.body and "currency_options" not in both.last.body


def test_a_metered_price_by_packages(both: Api) -> None:
    made = both.stripe.v1.prices.create(
        {
            "currency": "usd",
            "product_data": {"name": "Calls", "unit_label": "call"},
            "unit_amount": 3,
            "transform_quantity": {"divide_by": 1000, "round": "up"},
            "recurring": {"interval": "month", "usage_type": "metered", "meter": meter(both)},
            "expand": ["product"],
        }
    )
    assert made.recurring is not None and made.transform_quantity is not None
    assert (made.recurring.meter, made.recurring.usage_type) == ("mtr_1", "metered")
    assert made.transform_quantity.to_dict() == {"divide_by": 1000, "round": "up"}
    assert made.product.unit_label == "call"  # type: ignore[union-attr]  # expanded
    assert kept(both, made.id)["transform_quantity"] == {"divide_by": 1000, "round": "up"}


def test_further_currencies_are_lineages_of_their_own(both: Api) -> None:
    product = both.stripe.v1.products.create({"name": "Pro"}).id
    made = both.stripe.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 1000,
            "product": product,
            "currency_options": {"EUR": {"unit_amount": 900, "tax_behavior": "inclusive"}, "jpy": {"unit_amount_decimal": Decimal("1500.5")}},
            "expand": ["currency_options"],
        }
    )
    options = both.last.body["currency_options"]
    assert set(options) == {"usd", "eur", "jpy"}
    assert options["eur"] == {"custom_unit_amount": None, "tax_behavior": "inclusive", "unit_amount": 900, "unit_amount_decimal": "900"}
    assert (options["jpy"]["unit_amount"], options["jpy"]["unit_amount_decimal"]) == (None, "1500.5")
    document = both.last.body
    assert [lineage_of(document, code) for code in ("usd", "eur", "chf")] == [made.id, f"{made.id}/eur", None]
    assert kept(both, f"{made.id}/eur") == {"id": f"{made.id}/eur", "currency": "eur", "billing_scheme": "per_unit", "unit_amount": 900}
    both.stripe.v1.prices.update(made.id, {"currency_options": {"chf": {"unit_amount": 950}, "eur": {"unit_amount": 900}}})
    assert kept(both, f"{made.id}/chf")["unit_amount"] == 950
    path = f"/v1/prices/{made.id}"
    assert refused(both, path, {"currency_options[eur][unit_amount]": "901"}) == ("price_currency_fixed", "currency_options[eur]")
    assert refused(both, path, {"currency_options": ""}) == ("price_currency_fixed", "currency_options")
    assert kept(both, f"{made.id}/eur")["unit_amount"] == 900


def test_the_extension_object(both: Api) -> None:
    product = both.stripe.v1.products.create({"name": "Pro"}).id
    ext = {"package": {"size": 1000, "amount_decimal": "0.5"}, "allowance": {"units": 10}}
    form = {"currency": "usd", "product": product, "recurring[interval]": "month"}
    made = both.post("/v1/prices", {**form, "ext": json.dumps(ext)}).json()
    assert (made["ext"], made["unit_amount"], made["billing_scheme"]) == (ext, None, "per_unit")
    assert kept(both, made["id"])["ext"]["package"]["size"] == 1000
    in_brackets = both.post("/v1/prices", {**form, "ext[package][size]": "1000", "ext[package][amount]": "5"}).json()
    assert in_brackets["ext"] == {"package": {"size": "1000", "amount": "5"}}
    through_sdk = both.stripe.v1.prices.create({"currency": "usd", "product": product, "ext": ext})  # type: ignore[typeddict-unknown-key]  # our extension
    assert compile_price(kept(both, through_sdk.id)).model == "package"
    number = both.post("/v1/prices", {**form, "unit_amount": "5", "ext": '{"minimum": {"amount_decimal": 0.25}}'})
    assert b'"amount_decimal":0.25' in number.content
    both.stripe.v1.prices.retrieve(made["id"])
    assert both.last.body["ext"] == ext


def test_a_price_of_single_events_is_metered(api: Api, product: str) -> None:
    ext = '{"percentage": {"percent": "2.9", "value": "amount"}}'
    form = {"currency": "usd", "product": product, "ext": ext, "recurring[interval]": "month"}
    assert refused(api, "/v1/prices", form) == ("price_meter_needed", "recurring[meter]")
    made = api.post("/v1/prices", {**form, "recurring[usage_type]": "metered", "recurring[meter]": meter(api)})
    assert made.status_code == 200, made.text


REFUSED: list[tuple[Form, str, str]] = [
    ({}, "field_missing", "unit_amount"),
    ({"unit_amount": "-1"}, "number_negative", "unit_amount"),
    ({"unit_amount": "1.5"}, "parameter_invalid_integer", "unit_amount"),
    ({"unit_amount_decimal": "0.0000000000001"}, "amount_too_precise", "unit_amount_decimal"),
    ({"unit_amount_decimal": "x"}, "parameter_invalid_decimal", "unit_amount_decimal"),
    ({"unit_amount": "5", "unit_amount_decimal": "6"}, "fields_conflict", "unit_amount_decimal"),
    ({"unit_amount": "5", "currency": "xxx"}, "currency_unknown", "currency"),
    ({"unit_amount": "5", "custom_unit_amount[enabled]": "true"}, "parameter_unsupported", "custom_unit_amount"),
    ({"unit_amount": "5", "billing_scheme": "tiered"}, "fields_conflict", "unit_amount"),
    ({"billing_scheme": "tiered", "tiers_mode": "volume"}, "field_missing", "tiers"),
    ({"tiers[0][up_to]": "inf", "tiers[0][unit_amount]": "5"}, "field_missing", "tiers_mode"),
    ({"tiers_mode": "volume", "tiers[0][up_to]": "5", "tiers[0][unit_amount]": "5"}, "tiers_no_end", "tiers[0][up_to]"),
    ({"tiers_mode": "volume", "tiers[0][up_to]": "inf"}, "field_missing", "tiers[0][unit_amount]"),
    (
        {
            "tiers_mode": "graduated",
            **{f"tiers[{n}][up_to]": bound for n, bound in enumerate(("10", "10", "inf"))},
            **{f"tiers[{n}][unit_amount]": "1" for n in range(3)},
        },
        "tiers_overlap",
        "tiers[1][up_to]",
    ),
    ({"tiers_mode": "volume", "tiers[0][up_to]": "inf", "tiers[0][unit_amount]": "-5"}, "number_negative", "tiers[0][unit_amount]"),
    (
        {"unit_amount": "5", "transform_quantity[divide_by]": "0", "transform_quantity[round]": "up"},
        "number_not_positive",
        "transform_quantity[divide_by]",
    ),
    ({"unit_amount": "5", "transform_quantity[divide_by]": "10"}, "parameter_missing", "transform_quantity[round]"),
    ({"unit_amount": "5", "currency_options[usd][unit_amount]": "5"}, "fields_conflict", "currency_options[usd]"),
    ({"unit_amount": "5", "currency_options[xxx][unit_amount]": "5"}, "currency_unknown", "currency_options[xxx]"),
    ({"unit_amount": "5", "currency_options[eur][unit_amount]": "-5"}, "number_negative", "currency_options[eur][unit_amount]"),
    ({"unit_amount": "5", "currency_options[eur][tax_behavior]": "inclusive"}, "field_missing", "currency_options[eur][unit_amount]"),
    ({"unit_amount": "5", "currency_options[eur][tiers][0][up_to]": "inf"}, "field_missing", "currency_options[eur][tiers][0][unit_amount]"),
    (
        {"unit_amount": "5", "currency_options[eur][custom_unit_amount][enabled]": "true"},
        "parameter_unsupported",
        "currency_options[eur][custom_unit_amount]",
    ),
    ({"unit_amount": "5", "recurring[interval]": "fortnight"}, "parameter_invalid_choice", "recurring[interval]"),
    ({"unit_amount": "5", "recurring[interval]": "month", "recurring[interval_count]": "0"}, "number_not_positive", "recurring[interval_count]"),
    ({"unit_amount": "5", "recurring[interval]": "month", "recurring[interval_count]": "37"}, "price_interval_too_long", "recurring[interval_count]"),
    ({"unit_amount": "5", "recurring[interval]": "day", "recurring[trial_period_days]": "0"}, "number_not_positive", "recurring[trial_period_days]"),
    ({"unit_amount": "5", "recurring[interval]": "day", "recurring[usage_type]": "metered"}, "price_meter_missing", "recurring[meter]"),
    ({"unit_amount": "5", "recurring[interval]": "day", "recurring[meter]": "mtr_1"}, "fields_conflict", "recurring[meter]"),
    (
        {"unit_amount": "5", "recurring[interval]": "day", "recurring[usage_type]": "metered", "recurring[meter]": "mtr_none"},
        "resource_missing",
        "recurring[meter]",
    ),
    (
        {"unit_amount": "5", "recurring[interval]": "day", "recurring[usage_type]": "metered", "recurring[meter]": "mtr_off"},
        "price_meter_inactive",
        "recurring[meter]",
    ),
    ({"unit_amount": "5", "product": "prod_none"}, "resource_missing", "product"),
    ({"unit_amount": "5", "product_data[name]": "x"}, "fields_conflict", "product_data"),
    ({"unit_amount": "5", "lookup_key": "x" * 201}, "parameter_too_long", "lookup_key"),
    ({"unit_amount": "5", "lookup_key": "taken"}, "lookup_key_taken", "lookup_key"),
    ({"unit_amount": "5", "ext": "{"}, "json_malformed", "ext"),
    ({"unit_amount": "5", "ext": "[]"}, "parameter_invalid_object", "ext"),
    ({"unit_amount": "5", "ext": '{"packages": {}}'}, "field_unknown", "ext[packages]"),
    ({"unit_amount": "5", "ext": '{"package": {"size": 1, "amount": 5}}'}, "models_conflict", "unit_amount"),
    ({"ext": '{"package": {"size": 0, "amount": 5}}'}, "number_not_positive", "ext[package][size]"),
    (
        {"ext": '{"package": {"size": 1, "amount": 5}}', "currency_options[eur][unit_amount]": "5"},
        "fields_conflict",
        "currency_options[eur]",
    ),
]


@pytest.mark.parametrize(("form", "code", "param"), REFUSED)
def test_a_price_that_makes_no_sense_is_refused(api: Api, product: str, form: Form, code: str, param: str) -> None:
    meter(api)
    meter(api, "mtr_off", "inactive")
    taken = api.stripe.v1.prices.create({"currency": "usd", "unit_amount": 1, "product": product, "lookup_key": "taken"}).id
    assert refused(api, "/v1/prices", {"currency": "usd", "product": product, **form}) == (code, param)
    assert [one.id for one in api.stripe.v1.prices.list().data] == [taken]
    assert set(api.store().prices()) == {taken}


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({"unit_amount": "5", "currency": "usd"}, "price_product_missing", "product"),
        ({"unit_amount": "5", "product_data[name]": "x"}, "parameter_missing", "currency"),
        (
            {"unit_amount": "5", "currency": "usd", "product_data[name]": "x", "product_data[tax_code]": "y"},
            "tax_code_unknown",
            "product_data[tax_code]",
        ),
        (
            {"unit_amount": "5", "currency": "usd", "product_data[name]": "x", "product_data[tax_details][tax_code]": "y"},
            "parameter_unsupported",
            "product_data[tax_details]",
        ),
    ],
)
def test_a_price_is_of_a_product(api: Api, form: Form, code: str, param: str) -> None:
    assert refused(api, "/v1/prices", form) == (code, param)
    assert api.stripe.v1.products.list().data == []


def test_what_a_price_comes_to_never_changes(both: Api) -> None:
    product = both.stripe.v1.products.create({"name": "Pro"}).id
    id_ = both.stripe.v1.prices.create({"currency": "usd", "unit_amount": 5, "product": product}).id
    changed = both.stripe.v1.prices.update(id_, {"active": False, "nickname": "old", "metadata": {"a": "b"}, "tax_behavior": "inclusive"})
    assert (changed.active, changed.nickname, changed.tax_behavior) == (False, "old", "inclusive")
    assert refused(both, f"/v1/prices/{id_}", {"tax_behavior": "exclusive"}) == ("price_tax_behavior_fixed", "tax_behavior")
    behavior = {"currency_options[usd][tax_behavior]": "exclusive"}
    assert refused(both, f"/v1/prices/{id_}", behavior) == ("price_tax_behavior_fixed", "currency_options[usd][tax_behavior]")
    for name in ("unit_amount", "recurring", "product", "tiers", "ext"):
        assert refused(both, f"/v1/prices/{id_}", {name: "1"}) == ("parameter_unknown", name)
    (event,) = both.events("price.updated")
    assert event["data"]["previous_attributes"]["active"] is True


def test_a_lookup_key_is_one_prices_at_a_time(both: Api) -> None:
    product = both.stripe.v1.products.create({"name": "Pro"}).id
    base: dict[str, Any] = {"currency": "usd", "unit_amount": 5, "product": product}
    one = both.stripe.v1.prices.create({**base, "lookup_key": "pro"}).id  # type: ignore[typeddict-item]  # made of parts
    form = {name: str(value) for name, value in base.items()}
    assert refused(both, "/v1/prices", {**form, "lookup_key": "pro"}) == ("lookup_key_taken", "lookup_key")
    two = both.stripe.v1.prices.create({**base, "lookup_key": "pro", "transfer_lookup_key": True}).id  # type: ignore[typeddict-item]  # made of parts
    assert both.stripe.v1.prices.retrieve(one).lookup_key is None
    assert [event["data"]["previous_attributes"] for event in both.events("price.updated")] == [{"lookup_key": "pro"}]
    both.stripe.v1.prices.update(two, {"lookup_key": "max"})
    both.stripe.v1.prices.update(one, {"lookup_key": "pro"})  # which is free again
    assert refused(both, f"/v1/prices/{one}", {"lookup_key": "max"}) == ("lookup_key_taken", "lookup_key")
    both.stripe.v1.prices.update(one, {"lookup_key": "max", "transfer_lookup_key": True})
    assert [both.stripe.v1.prices.retrieve(id_).lookup_key for id_ in (one, two)] == ["max", None]
    found = both.stripe.v1.prices.list({"lookup_keys": ["pro", "max", "max"]})
    assert [one_.id for one_ in found.data] == [one]


def test_lists_and_searches(both: Api) -> None:
    products = [both.stripe.v1.products.create({"name": name}).id for name in "ab"]
    recurring: Any = {"interval": "month", "usage_type": "metered", "meter": meter(both)}
    once = both.stripe.v1.prices.create({"currency": "usd", "unit_amount": 1, "product": products[0], "lookup_key": "x", "active": False}).id
    metered = both.stripe.v1.prices.create(
        {"currency": "eur", "unit_amount": 1, "product": products[1], "recurring": recurring, "metadata": {"k": "v"}}
    ).id
    yearly = both.stripe.v1.prices.create({"currency": "usd", "unit_amount": 1, "product": products[0], "recurring": {"interval": "year"}}).id

    def listed(**params: Any) -> list[str]:
        return [one.id for one in both.stripe.v1.prices.list(params).data]  # type: ignore[arg-type]  # made of parts

    assert listed() == [yearly, metered, once]
    assert listed(active=True) == [yearly, metered]
    assert listed(currency="EUR") == [metered]
    assert listed(product=products[0]) == [yearly, once]
    assert listed(type="one_time") == [once]
    assert listed(lookup_keys=["x", "y"]) == [once]
    assert listed(recurring={"interval": "month", "usage_type": "metered"}) == [metered]
    assert listed(recurring={"meter": "mtr_1"}) == [metered]
    assert listed(recurring={"interval": "month", "usage_type": "licensed"}) == []
    keys = {f"lookup_keys[{n}]": "x" for n in range(11)}
    assert error_of(both.get("/v1/prices", params=keys)) == (400, "parameter_too_many", "lookup_keys")

    def search(query: str) -> list[str]:
        return [one.id for one in both.stripe.v1.prices.search({"query": query}).data]

    assert search(f'product:"{products[0]}" AND active:"true"') == [yearly]
    assert search('currency:"eur" OR lookup_key:"x"') == [metered, once]
    assert search('metadata["k"]:"v" AND type:"recurring"') == [metered]


def test_a_product_with_its_default_price(both: Api) -> None:
    data: dict[str, Any] = {"currency": "usd", "unit_amount_decimal": "99.5", "recurring": {"interval": "month"}}
    made = both.stripe.v1.products.create({"name": "Pro", "default_price_data": data, "expand": ["default_price"]})  # type: ignore[typeddict-item]  # made of parts
    assert str(made.default_price.unit_amount_decimal) == "99.5"  # type: ignore[union-attr]  # expanded
    assert made.default_price.product == made.id  # type: ignore[union-attr]  # expanded
    form = {"name": "x", "default_price_data[currency]": "usd", "default_price_data[unit_amount]": "-5"}
    assert refused(both, "/v1/products", form) == ("number_negative", "default_price_data[unit_amount]")
    custom = {"name": "x", "default_price_data[currency]": "usd", "default_price_data[custom_unit_amount][enabled]": "true"}
    assert refused(both, "/v1/products", custom) == ("parameter_unsupported", "default_price_data[custom_unit_amount]")
    assert [one.id for one in both.stripe.v1.products.list().data] == [made.id]


def test_how_often_a_price_recurs(api: Api, product: str) -> None:
    weekly = api.post(
        "/v1/prices", {"currency": "usd", "unit_amount": "5", "product": product, "recurring[interval]": "week", "recurring[interval_count]": "156"}
    )
    assert interval_of(weekly.json()) == ("week", 156)
    assert interval_of(api.post("/v1/prices", {"currency": "usd", "unit_amount": "5", "product": product}).json()) is None


def test_a_lookup_key_that_many_take_at_once_is_one_prices(api_pg: Api) -> None:
    product = api_pg.stripe.v1.products.create({"name": "Pro"}).id
    form = {"currency": "usd", "unit_amount": "5", "product": product, "lookup_key": "pro", "transfer_lookup_key": "true"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: api_pg.post("/v1/prices", form), range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    holders = [one.id for one in api_pg.stripe.v1.prices.list({"limit": 100}).data if one.lookup_key == "pro"]
    assert len(holders) == 1
