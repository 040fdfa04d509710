"""Customers, through the official SDK."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from http_service import Api, error_of, told

from farthing.app.customers.customers import _ENDINGS as ENDINGS
from farthing.app.customers.customers import ends_with_customer


def refused(api: Api, path: str, form: dict[str, str]) -> tuple[str | None, str | None]:
    status, code, param = error_of(api.post(path, form))
    assert status == 400
    return code, param


def test_a_customer_of_nothing(both: Api) -> None:
    made = both.stripe.v1.customers.create()
    body = both.last.body
    prefix = body.pop("invoice_prefix")
    assert len(prefix) == 8 and prefix == prefix.upper() and prefix.isalnum()
    assert body == {
        "id": made.id,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": both.clock.at // 1_000_000,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_credit_balance": {},
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None},
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    assert made.id.startswith("cus_")
    assert both.stripe.v1.customers.retrieve(made.id).to_dict() == made.to_dict()
    assert [event["data"]["object"]["id"] for event in both.events("customer.created")] == [made.id]
    assert made.id in both.store().customers()  # so that its usage is billed


FULL: Any = {
    "address": {"city": "Bern", "country": "ch", "line1": "Gasse 1", "postal_code": "3000"},
    "business_name": "Jenny AG",
    "description": "d",
    "email": "Jenny@example.com",
    "individual_name": "Jenny",
    "invoice_prefix": "JEN",
    "invoice_settings": {
        "custom_fields": [{"name": "PO", "value": "17"}],
        "footer": "Thanks",
        "rendering_options": {"amount_tax_display": "exclude_tax"},
    },
    "metadata": {"a": "1"},
    "name": "Jenny Rosen",
    "next_invoice_sequence": 7,
    "phone": "+41 31",
    "preferred_locales": ["de-CH", "en"],
    "shipping": {"address": {"line1": "Gasse 2", "country": "DE"}, "name": "J. R."},
    "tax_exempt": "reverse",
}


def test_a_customer_takes_all_its_fields_and_lets_them_go(both: Api) -> None:
    made = both.stripe.v1.customers.create(FULL).to_dict()
    plain = [name for name in FULL if name not in ("address", "invoice_settings", "shipping")]
    assert {name: made[name] for name in plain} == {name: FULL[name] for name in plain}
    empty = dict.fromkeys(("city", "line1", "line2", "postal_code", "state"))
    assert made["address"] == {**empty, **FULL["address"], "country": "CH"}
    assert made["shipping"] == {
        "address": {**empty, "country": "DE", "line1": "Gasse 2"},
        "carrier": None,
        "name": "J. R.",
        "phone": None,
        "tracking_number": None,
    }
    assert made["invoice_settings"] == {
        "custom_fields": [{"name": "PO", "value": "17"}],
        "default_payment_method": None,
        "footer": "Thanks",
        "rendering_options": {"amount_tax_display": "exclude_tax", "template": None},
    }
    cleared: Any = dict.fromkeys(("address", "business_name", "individual_name", "metadata", "shipping", "tax_exempt"), "")
    sent: Any = {**cleared, "preferred_locales": []}
    changed = both.stripe.v1.customers.update(made["id"], sent).to_dict()
    assert (changed["address"], changed["shipping"], changed["metadata"], changed["tax_exempt"]) == (None, None, {}, "none")
    assert "business_name" not in changed and "individual_name" not in changed
    assert changed["preferred_locales"] == ["de-CH", "en"]  # an empty list is not sent at all
    told_ = both.events("customer.updated")[-1]["data"]["previous_attributes"]
    assert (told_["business_name"], told_["tax_exempt"]) == ("Jenny AG", "reverse")


def test_metadata_that_looks_like_a_resource_is_none(api: Api) -> None:
    for name in ("coupon", "event", "list", "price"):
        made = api.post("/v1/customers", {"metadata[object]": name, "metadata[tiers]": "x"}).json()
        assert made["metadata"] == {"object": name, "tiers": "x"}


def test_invoice_settings_are_merged_and_addresses_replaced(api: Api) -> None:
    id_ = api.stripe.v1.customers.create(FULL).id
    changed = api.stripe.v1.customers.update(id_, {"invoice_settings": {"footer": "New"}, "address": {"city": "Basel"}, "metadata": {"b": "2"}})
    assert changed.invoice_settings is not None and changed.address is not None
    assert (changed.invoice_settings.footer, len(changed.invoice_settings.custom_fields or [])) == ("New", 1)
    assert (changed.address.city, changed.address.country) == ("Basel", None)
    assert changed.metadata is not None and changed.metadata.to_dict() == {"a": "1", "b": "2"}
    cleared = api.stripe.v1.customers.update(id_, {"invoice_settings": {"custom_fields": "", "rendering_options": ""}})
    assert cleared.invoice_settings is not None
    assert (cleared.invoice_settings.custom_fields, cleared.invoice_settings.rendering_options) == (None, None)


REFUSED: list[tuple[dict[str, str], str, str]] = [
    ({"email": "jenny"}, "email_invalid", "email"),
    ({"email": "a b@example.com"}, "email_invalid", "email"),
    ({"email": "x" * 513}, "parameter_too_long", "email"),
    ({"name": "x" * 257}, "parameter_too_long", "name"),
    ({"address[country]": "Germany"}, "country_unknown", "address[country]"),
    ({"shipping[name]": "x", "shipping[address][country]": "DEU"}, "country_unknown", "shipping[address][country]"),
    ({"shipping[name]": "x"}, "parameter_missing", "shipping[address]"),
    ({"preferred_locales[0]": "en", "preferred_locales[1]": "german!"}, "locale_invalid", "preferred_locales[1]"),
    ({f"preferred_locales[{n}]": "en" for n in range(21)}, "entries_too_many", "preferred_locales"),
    ({"invoice_prefix": "ab"}, "invoice_prefix_invalid", "invoice_prefix"),
    ({"invoice_prefix": "ABCDEFGHIJKLM"}, "invoice_prefix_invalid", "invoice_prefix"),
    ({"invoice_prefix": "TAKEN"}, "invoice_prefix_taken", "invoice_prefix"),
    ({"next_invoice_sequence": "0"}, "invoice_sequence_too_low", "next_invoice_sequence"),
    (
        {f"invoice_settings[custom_fields][{n}][{part}]": "x" for n in range(5) for part in ("name", "value")},
        "entries_too_many",
        "invoice_settings[custom_fields]",
    ),
    ({"invoice_settings[default_payment_method]": "pm_none"}, "resource_missing", "invoice_settings[default_payment_method]"),
    ({"invoice_settings[default_payment_method]": "pm_other"}, "payment_method_not_attached", "invoice_settings[default_payment_method]"),
    (
        {"invoice_settings[rendering_options][template]": "x"},
        "parameter_unsupported",
        "invoice_settings[rendering_options][template]",
    ),
    ({"tax_exempt": "yes"}, "parameter_invalid_choice", "tax_exempt"),
    ({"balance": "1000000000000"}, "balance_out_of_range", "balance"),
    ({"balance": "1.5"}, "parameter_invalid_integer", "balance"),
    ({"source": "tok_visa"}, "parameter_unsupported", "source"),
    ({"tax[ip_address]": "1.2.3.4"}, "parameter_unsupported", "tax"),
    ({"validate": "true"}, "parameter_unsupported", "validate"),
    ({"cash_balance[settings][reconciliation_mode]": "manual"}, "parameter_unsupported", "cash_balance"),
    ({"metadata[a[b]": "x"}, "form_malformed", "metadata[a[b]"),
    ({"shoe_size": "43"}, "parameter_unknown", "shoe_size"),
]


@pytest.mark.parametrize(("form", "code", "param"), REFUSED)
def test_a_customer_that_makes_no_sense_is_refused(api: Api, form: dict[str, str], code: str, param: str) -> None:
    api.store().add("payment_method", "pm_other", 1, {"id": "pm_other", "object": "payment_method", "customer": None})
    taken = api.stripe.v1.customers.create({"invoice_prefix": "TAKEN"}).id
    other = api.stripe.v1.customers.create().id
    assert refused(api, "/v1/customers", form) == (code, param)
    assert refused(api, f"/v1/customers/{other}", form) == (code, param)
    assert [one.id for one in api.stripe.v1.customers.list().data] == [other, taken]
    assert set(api.store().customers()) == {taken, other}
    assert api.events("customer.updated") == []


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({"test_clock": "clock_none"}, "resource_missing", "test_clock"),
        ({"payment_method": "pm_none"}, "resource_missing", "payment_method"),
        ({"tax_id_data[0][type]": "eu_vat", "tax_id_data[0][value]": "DE1"}, "tax_id_invalid", "tax_id_data[0][value]"),
        ({"coupon": "X"}, "parameter_unknown", "coupon"),
    ],
)
def test_what_only_a_new_customer_takes(api: Api, form: dict[str, str], code: str, param: str) -> None:
    assert refused(api, "/v1/customers", form) == (code, param)
    assert api.stripe.v1.customers.list().data == [] and api.events("customer.created") == []


def test_a_default_payment_method_is_the_customers_own(both: Api) -> None:
    id_ = both.stripe.v1.customers.create().id
    both.store().add("payment_method", "pm_own", 1, {"id": "pm_own", "object": "payment_method", "customer": id_})
    changed = both.stripe.v1.customers.update(id_, {"invoice_settings": {"default_payment_method": "pm_own"}})
    assert changed.invoice_settings is not None and changed.invoice_settings.default_payment_method == "pm_own"


def test_a_customer_who_comes_with_a_payment_method(both: Api) -> None:
    made = both.stripe.v1.customers.create({"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}})
    (method,) = both.stripe.v1.customers.payment_methods.list(made.id).data
    assert made.invoice_settings is not None and made.invoice_settings.default_payment_method == method.id
    other = both.stripe.v1.customers.create({"payment_method": "pm_card_visa"})
    assert other.invoice_settings is not None and other.invoice_settings.default_payment_method is None
    with pytest.raises(stripe.CardError) as caught:
        both.stripe.v1.customers.create({"payment_method": "pm_card_chargeDeclined"})
    assert told(caught.value) == (402, "card_declined", "payment_method")
    assert len(both.stripe.v1.customers.list().data) == 2


def test_prefixes_are_never_shared(both: Api) -> None:
    one = both.stripe.v1.customers.create({"invoice_prefix": "ONE"}).id
    both.stripe.v1.customers.update(one, {"invoice_prefix": "TWO"})
    for taken in ("ONE", "TWO"):  # also one that was given up: bills bear it
        assert refused(both, "/v1/customers", {"invoice_prefix": taken}) == ("invoice_prefix_taken", "invoice_prefix")
    assert both.stripe.v1.customers.update(one, {"invoice_prefix": "ONE"}).invoice_prefix == "ONE"
    both.stripe.v1.customers.delete(one)
    assert refused(both, "/v1/customers", {"invoice_prefix": "ONE"}) == ("invoice_prefix_taken", "invoice_prefix")


def test_the_next_sequence_only_grows(api: Api) -> None:
    id_ = api.stripe.v1.customers.create({"next_invoice_sequence": 5}).id
    assert api.stripe.v1.customers.update(id_, {"next_invoice_sequence": 5}).next_invoice_sequence == 5
    assert refused(api, f"/v1/customers/{id_}", {"next_invoice_sequence": "4"}) == ("invoice_sequence_too_low", "next_invoice_sequence")


def test_lists_and_searches(both: Api) -> None:
    made: list[str] = []
    for n, address in enumerate(("a@example.com", "b@example.com", "a@example.com")):
        made.append(both.stripe.v1.customers.create({"email": address, "name": f"Name {n}", "phone": f"+{n}", "metadata": {"n": str(n)}}).id)
        both.clock.forward(10)
    found = both.stripe.v1.customers.list({"email": "a@example.com"})
    assert [one.id for one in found.data] == [made[2], made[0]]
    begun = both.clock.at // 1_000_000 - 30
    assert [one.id for one in both.stripe.v1.customers.list({"created": {"gt": begun, "lte": begun + 10}}).data] == [made[1]]

    def search(query: str) -> list[str]:
        return [one.id for one in both.stripe.v1.customers.search({"query": query}).data]

    assert search('email:"b@example.com"') == [made[1]]
    assert search('email~"EXAMPLE" AND -metadata["n"]:"0"') == [made[2], made[1]]
    assert search('name:"Name 0" OR phone:"+1"') == [made[1], made[0]]
    assert search(f"created>{begun}") == [made[2], made[1]]
    both.stripe.v1.customers.delete(made[1])
    assert search('email:"b@example.com"') == []


def test_customers_of_a_test_clock_are_listed_apart(both: Api) -> None:
    frozen = both.clock.at // 1_000_000 - 86_400
    clock = both.stripe.v1.test_helpers.test_clocks.create({"frozen_time": frozen}).id
    usual, clocked = both.stripe.v1.customers.create().id, both.stripe.v1.customers.create({"test_clock": clock, "balance": -5}).id
    found = both.stripe.v1.customers.retrieve(clocked, {"expand": ["test_clock"]})
    assert (found.test_clock.id, found.created) == (clock, frozen)  # type: ignore[union-attr]  # expanded
    row = both.store().find("customer", clocked)
    assert row is not None and row.clock == clock
    assert [one.id for one in both.stripe.v1.customers.list().data] == [usual]
    assert [one.id for one in both.stripe.v1.customers.list({"test_clock": clock}).data] == [clocked]
    changed = both.stripe.v1.customers.balance_transactions.create(clocked, {"amount": 7, "currency": "usd"})
    assert (changed.created, changed.ending_balance) == (frozen, 2)
    both.stripe.v1.customers.update(clocked, {"name": "x"})
    assert {event["created"] for event in both.events("customer.updated")} == {frozen}


def test_a_deleted_customer_is_shown_as_deleted(both: Api) -> None:
    made = both.stripe.v1.customers.create({"payment_method": "pm_card_visa", "tax_id_data": [{"type": "us_ein", "value": "12-3456789"}]})
    method = both.stripe.v1.customers.payment_methods.list(made.id).data[0].id
    tax_id = both.stripe.v1.customers.tax_ids.list(made.id).data[0].id
    ended: list[str] = []
    ends_with_customer(lambda desk, id_: ended.append(id_))
    try:
        both.stripe.v1.customers.delete(made.id)
    finally:
        ENDINGS.pop()
    gone = {"id": made.id, "object": "customer", "deleted": True}
    assert both.last.body == gone and ended == [made.id]
    both.stripe.v1.customers.retrieve(made.id)
    assert both.last.body == gone
    assert both.stripe.v1.customers.list().data == []
    assert [event["data"]["object"]["id"] for event in both.events("customer.deleted")] == [made.id]
    assert [event["data"]["object"]["id"] for event in both.events("customer.tax_id.deleted")] == [tax_id]
    assert both.stripe.v1.payment_methods.retrieve(method).customer is None
    calls: list[Any] = [lambda: both.stripe.v1.customers.delete(made.id), lambda: both.stripe.v1.customers.update(made.id, {"name": "x"})]
    for again in calls:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            again()
        assert told(caught.value) == (404, "resource_missing", "id")


def test_tax_ids_are_shown_with_their_customer_on_request(both: Api) -> None:
    data: Any = [{"type": "us_ein", "value": "12-3456789"}, {"type": "eu_vat", "value": "DE123456789"}]
    made = both.stripe.v1.customers.create({"tax_id_data": data, "expand": ["tax_ids"]})
    assert made.tax_ids is not None and [one.value for one in made.tax_ids.data] == ["DE123456789", "12-3456789"]
    assert made.tax_ids.url == f"/v1/customers/{made.id}/tax_ids"
    both.stripe.v1.customers.retrieve(made.id)
    assert "tax_ids" not in both.last.body
