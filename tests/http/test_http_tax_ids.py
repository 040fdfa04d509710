"""Tax ids of customers and of the account, through the official SDK."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from http_service import Api, error_of, told


def refused(api: Api, path: str, form: dict[str, str]) -> tuple[str | None, str | None]:
    status, code, param = error_of(api.post(path, form))
    assert status == 400
    return code, param


def test_a_tax_id_of_a_customer(both: Api) -> None:
    customer = both.stripe.v1.customers.create().id
    made = both.stripe.v1.customers.tax_ids.create(customer, {"type": "eu_vat", "value": "DE123456789"})
    assert both.last.body == {
        "id": made.id,
        "object": "tax_id",
        "country": "DE",
        "created": both.clock.at // 1_000_000,
        "customer": customer,
        "customer_account": None,
        "livemode": False,
        "owner": {"customer": customer, "customer_account": None, "type": "customer"},
        "type": "eu_vat",
        "value": "DE123456789",
        "verification": {"status": "unavailable", "verified_address": None, "verified_name": None},
    }
    assert made.id.startswith("txi_")
    assert both.stripe.v1.customers.tax_ids.retrieve(customer, made.id).value == made.value
    assert both.stripe.v1.tax_ids.retrieve(made.id, {"expand": ["owner.customer"]}).owner.customer.id == customer  # type: ignore[union-attr]  # expanded
    assert [one.id for one in both.stripe.v1.customers.tax_ids.list(customer).data] == [made.id]
    assert both.last.body["url"] == f"/v1/customers/{customer}/tax_ids"
    both.stripe.v1.customers.tax_ids.delete(customer, made.id)
    assert both.last.body == {"id": made.id, "object": "tax_id", "deleted": True}
    assert both.stripe.v1.customers.tax_ids.list(customer).data == []
    for type_ in ("created", "deleted"):
        assert [event["data"]["object"]["id"] for event in both.events(f"customer.tax_id.{type_}")] == [made.id]


def test_tax_ids_by_owner(both: Api) -> None:
    customer = both.stripe.v1.customers.create().id
    own = both.stripe.v1.tax_ids.create({"type": "us_ein", "value": "12-3456789"})
    assert (own.customer, own.country, own.verification) == (None, "US", None)
    assert both.last.body["owner"] == {"customer_account": None, "type": "self"}
    owner: Any = {"type": "customer", "customer": customer}
    theirs = both.stripe.v1.tax_ids.create({"type": "gb_vat", "value": "GB123456789", "owner": owner})
    assert [one.id for one in both.stripe.v1.tax_ids.list().data] == [own.id]
    assert [one.id for one in both.stripe.v1.tax_ids.list({"owner": owner}).data] == [theirs.id]
    assert [one.id for one in both.stripe.v1.customers.tax_ids.list(customer).data] == [theirs.id]
    both.stripe.v1.tax_ids.delete(own.id)
    assert both.stripe.v1.tax_ids.list().data == []
    assert both.events("customer.tax_id.deleted") == []  # the account is no customer


GOOD = [
    ("eu_vat", "ATU12345678", "AT"),
    ("eu_vat", "FRXX123456789", "FR"),
    ("eu_vat", "EL123456789", "GR"),
    ("eu_vat", "XI123456789", "GB"),
    ("eu_vat", "NL123456789B01", "NL"),
    ("eu_vat", "IE1234567FA", "IE"),
    ("eu_oss_vat", "EU123456789", None),
    ("gb_vat", "GBGD123", "GB"),
    ("us_ein", "123456789", "US"),
    ("au_abn", "12 345 678 912", "AU"),
    ("ch_vat", "CHE-123.456.789 MWST", "CH"),
    ("no_vat", "123456789MVA", "NO"),
    ("in_gst", "12ABCDE3456FGZH", "IN"),
    ("br_cnpj", "01.234.456/5432-10", "BR"),
    ("mx_rfc", "ABC010203AB9", "MX"),
    ("jp_trn", "T1234567891234", "JP"),
    ("ad_nrt", "A-123456-Z", "AD"),
]
BAD = [
    ("eu_vat", "DE12345678"),
    ("eu_vat", "US123456789"),
    ("eu_vat", "de123456789"),
    ("eu_vat", "DE1234567890"),
    ("gb_vat", "123456789"),
    ("us_ein", "12-345678"),
    ("au_abn", "1234567891"),
    ("ch_vat", "CHE-123.456.789"),
    ("za_vat", "5123456789"),
    ("ad_nrt", "A_1"),
    ("ad_nrt", "A" * 61),
    ("us_ein", "१२३४५६७८९"),
]


@pytest.mark.parametrize(("type_", "value", "country"), GOOD)
def test_a_tax_id_in_the_form_of_its_type(api: Api, type_: str, value: str, country: str | None) -> None:
    made = api.post("/v1/tax_ids", {"type": type_, "value": value}).json()
    assert (made.get("value"), made.get("country")) == (value, country)


@pytest.mark.parametrize(("type_", "value"), BAD)
def test_a_tax_id_in_another_form_is_refused(api: Api, type_: str, value: str) -> None:
    assert refused(api, "/v1/tax_ids", {"type": type_, "value": value}) == ("tax_id_invalid", "value")


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({"type": "moon_vat"}, "parameter_invalid_choice", "type"),
        ({"owner[type]": "application"}, "tax_id_owner_invalid", "owner[type]"),
        ({"owner[type]": "customer"}, "tax_id_owner_invalid", "owner[type]"),
        ({"owner[type]": "self", "owner[customer]": "cus_1"}, "tax_id_owner_invalid", "owner[type]"),
        ({"owner[type]": "customer", "owner[customer]": "cus_none"}, "resource_missing", "owner[customer]"),
        ({"owner[type]": "account", "owner[account]": "acct_1"}, "parameter_unsupported", "owner[account]"),
    ],
)
def test_a_tax_id_that_makes_no_sense_is_refused(api: Api, form: dict[str, str], code: str, param: str) -> None:
    assert refused(api, "/v1/tax_ids", {"type": "us_ein", "value": "123456789", **form}) == (code, param)


def test_a_customer_has_five_tax_ids_at_most(api: Api) -> None:
    customer = api.stripe.v1.customers.create().id
    path = f"/v1/customers/{customer}/tax_ids"
    for n in range(5):
        assert api.post(path, {"type": "us_ein", "value": f"12345678{n}"}).status_code == 200
    assert refused(api, path, {"type": "us_ein", "value": "123456789"}) == ("entries_too_many", None)


def test_tax_ids_are_their_customers_own(api: Api) -> None:
    one, other = (api.stripe.v1.customers.create().id for _ in range(2))
    made = api.stripe.v1.customers.tax_ids.create(one, {"type": "us_ein", "value": "123456789"}).id
    calls: list[tuple[Any, str]] = [
        (lambda: api.stripe.v1.customers.tax_ids.retrieve(other, made), "id"),
        (lambda: api.stripe.v1.customers.tax_ids.delete(other, made), "id"),
        (lambda: api.stripe.v1.customers.tax_ids.retrieve("cus_none", made), "customer"),
        (lambda: api.stripe.v1.customers.tax_ids.list("cus_none"), "customer"),
        (lambda: api.stripe.v1.customers.tax_ids.create("cus_none", {"type": "us_ein", "value": "123456789"}), "customer"),
        (lambda: api.stripe.v1.tax_ids.retrieve("txi_none"), "id"),
    ]
    for call, param in calls:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            call()
        assert told(caught.value) == (404, "resource_missing", param)
    assert api.stripe.v1.customers.tax_ids.retrieve(one, made).id == made
