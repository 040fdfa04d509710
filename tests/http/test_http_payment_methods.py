"""Payment methods, through the official SDK."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from http_payments import CARD, card, customer, told
from http_service import Api, error_of
from http_service import told as refusal_of

from farthing.edges.psp.cards import BY_NAME, BY_NUMBER, card_named, is_card_number


def test_a_card_by_its_number(both: Api) -> None:
    made = card(both, billing_details={"name": "Ada", "address": {"country": "GB"}}, metadata={"a": "b"})
    shown = both.last.body
    assert shown["card"].pop("fingerprint")
    assert shown == {
        "id": made.id,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": {"city": None, "country": "GB", "line1": None, "line2": None, "postal_code": None, "state": None},
            "email": None,
            "name": "Ada",
            "phone": None,
            "tax_id": None,
        },
        "card": {
            "brand": "visa",
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "US",
            "display_brand": "visa",
            "exp_month": 12,
            "exp_year": 2034,
            "funding": "credit",
            "generated_from": None,
            "last4": "4242",
            "networks": {"available": ["visa"], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": both.clock.at // 1_000_000,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {"a": "b"},
        "type": "card",
    }
    assert made.id.startswith("pm_")
    assert both.stripe.v1.payment_methods.retrieve(made.id).to_dict() == made.to_dict()


@pytest.mark.parametrize("number", sorted(BY_NUMBER))
def test_every_test_card_is_taken_by_number_token_and_name(api: Api, number: str) -> None:
    assert is_card_number(number)
    known = BY_NUMBER[number]
    cvc = "1234" if known.brand == "amex" else "123"
    made = api.stripe.v1.payment_methods.create({"type": "card", "card": {**CARD, "number": number, "cvc": cvc}})
    token = api.stripe.v1.payment_methods.create({"type": "card", "card": {"token": f"tok_{known.name}"}})
    for one in (made, token):
        assert (one.card.brand, one.card.last4) == (known.brand, number[-4:])
    assert made.card.fingerprint == token.card.fingerprint
    assert card_named(f"pm_card_{known.name}") == known


def test_test_cards_are_told_apart() -> None:
    assert len(BY_NAME) == len(BY_NUMBER)
    assert card_named("pm_card_visa_chargeDeclinedInsufficientFunds") == card_named("pm_card_chargeDeclinedInsufficientFunds")
    assert card_named("pm_card_nobody") is card_named("visa") is None


def test_nothing_keeps_the_number_or_the_security_code(api: Api) -> None:
    made = api.stripe.v1.payment_methods.create({"type": "card", "card": {**CARD, "cvc": "987"}})
    customer(api)
    api.stripe.v1.payment_methods.attach(made.id, {"customer": "cus_1"})
    held = str(vars(api.store()))
    assert "4242424242424242" not in held
    assert "987" not in str(api.store().find("payment_method", made.id))


def test_fingerprints_tell_numbers_apart_and_differ_between_accounts(api: Api, api_pg: Api) -> None:
    one, same, other = card(api), card(api), card(api, "5555555555554444")
    assert one.card.fingerprint == same.card.fingerprint != other.card.fingerprint
    assert card(api_pg).card.fingerprint != one.card.fingerprint


@pytest.mark.parametrize(
    ("form", "status", "code", "param"),
    [
        ({"type": "card", "card[number]": "4242424242424241"}, 402, "incorrect_number", "card[number]"),
        ({"type": "card", "card[number]": "4242 4242 4242 4242x"}, 402, "incorrect_number", "card[number]"),
        ({"type": "card", "card[number]": "4111111111111111"}, 402, "card_declined", "card[number]"),
        ({"type": "card", "card[exp_month]": "13"}, 402, "invalid_expiry_month", "card[exp_month]"),
        ({"type": "card", "card[exp_year]": "2025"}, 402, "invalid_expiry_year", "card[exp_year]"),
        ({"type": "card", "card[exp_year]": "2093"}, 402, "invalid_expiry_year", "card[exp_year]"),
        ({"type": "card", "card[cvc]": "12"}, 402, "invalid_cvc", "card[cvc]"),
        ({"type": "card", "card[cvc]": "12x"}, 402, "invalid_cvc", "card[cvc]"),
        ({"type": "sepa_debit"}, 400, "payment_method_unsupported_type", "type"),
        ({}, 400, "payment_method_invalid_parameter", "type"),
    ],
)
def test_a_card_that_cannot_be_is_refused(api: Api, form: dict[str, str], status: int, code: str, param: str) -> None:
    full = {f"card[{name}]": str(value) for name, value in CARD.items()} | form
    answer = api.post("/v1/payment_methods", full)
    assert error_of(answer) == (status, code, param)
    assert answer.json()["error"]["type"] == ("card_error" if status == 402 else "invalid_request_error")
    assert full["card[number]"] not in answer.text


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({"type": "card"}, "payment_method_invalid_parameter", "card"),
        ({"type": "card", "card[token]": "tok_nobody"}, "payment_method_invalid_parameter", "card[token]"),
        ({"type": "card", "card[token]": "pm_card_visa"}, "payment_method_invalid_parameter", "card[token]"),
        ({"type": "card", "customer": "cus_1", "payment_method": "pm_1"}, "parameter_unsupported", "customer"),
    ],
)
def test_what_is_no_payment_method_is_refused(api: Api, form: dict[str, str], code: str, param: str) -> None:
    assert error_of(api.post("/v1/payment_methods", form)) == (400, code, param)


def test_attached_listed_and_detached(both: Api) -> None:
    customer(both)
    methods = both.stripe.v1.payment_methods
    made = card(both)
    assert methods.attach(made.id, {"customer": "cus_1"}).customer == "cus_1"
    assert methods.attach(made.id, {"customer": "cus_1"}).customer == "cus_1"
    both.clock.forward(1)
    second: Any = methods.attach("pm_card_mastercard", {"customer": "cus_1"})
    assert second.card.brand == "mastercard"
    assert [one.id for one in methods.list({"customer": "cus_1", "type": "card"}).data] == [second.id, made.id]
    assert methods.list({"customer": "cus_2"}).data == []
    listed = both.stripe.v1.customers.payment_methods.list("cus_1", {"type": "card", "limit": 1})
    assert [one.id for one in listed.auto_paging_iter()] == [second.id, made.id]
    assert both.stripe.v1.customers.payment_methods.retrieve("cus_1", made.id).id == made.id
    assert methods.detach(made.id).customer is None
    assert [one.id for one in methods.list({"customer": "cus_1"}).data] == [second.id]
    assert told(both) == ["payment_method.attached", "payment_method.attached", "payment_method.detached"]
    event = both.events("payment_method.detached")[0]
    assert event["data"]["previous_attributes"] == {"customer": "cus_1"}


def refused(action: Any) -> Any:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        action()
    return refusal_of(caught.value)


def test_attaching_what_cannot_be_is_refused(api: Api) -> None:
    customer(api), customer(api, "cus_2")
    methods = api.stripe.v1.payment_methods
    one, gone = methods.attach("pm_card_visa", {"customer": "cus_1"}).id, methods.attach("pm_card_visa", {"customer": "cus_1"}).id
    methods.detach(gone)
    state = (400, "payment_method_unexpected_state", "payment_method")
    assert refused(lambda: methods.attach(one, {"customer": "cus_2"})) == state
    assert refused(lambda: methods.attach(gone, {"customer": "cus_2"})) == state
    assert refused(lambda: methods.detach(gone)) == state
    assert refused(lambda: methods.update(gone, {"metadata": {"a": "b"}})) == state
    assert refused(lambda: methods.attach("pm_none", {"customer": "cus_1"})) == (404, "resource_missing", "payment_method")
    assert refused(lambda: methods.attach("pm_card_visa", {"customer": "cus_9"})) == (400, "resource_missing", "customer")
    assert refused(lambda: methods.attach("pm_card_visa")) == (400, "payment_method_invalid_parameter", "customer")
    assert refused(lambda: api.stripe.v1.customers.payment_methods.list("cus_9")) == (404, "resource_missing", "customer")
    assert refused(lambda: api.stripe.v1.customers.payment_methods.retrieve("cus_2", one)) == (404, "resource_missing", "payment_method")
    assert refused(lambda: methods.retrieve("pm_card_visa")) == (404, "resource_missing", "id")


def test_a_card_that_is_declined_is_not_attached(api: Api) -> None:
    customer(api)
    made = card(api, "4000000000009995")
    with pytest.raises(stripe.CardError) as caught:
        api.stripe.v1.payment_methods.attach(made.id, {"customer": "cus_1"})
    error: Any = caught.value.json_body
    assert (error["error"]["code"], error["error"]["decline_code"]) == ("card_declined", "insufficient_funds")
    assert api.stripe.v1.payment_methods.retrieve(made.id).customer is None
    assert api.stripe.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": "cus_1"}).customer == "cus_1"


def test_an_attached_method_is_changed(api: Api) -> None:
    customer(api)
    made = api.stripe.v1.payment_methods.attach(card(api).id, {"customer": "cus_1"})
    changed: Any = api.stripe.v1.payment_methods.update(
        made.id,
        {
            "allow_redisplay": "always",
            "billing_details": {"email": "a@b.example"},
            "card": {"exp_month": 1, "exp_year": 2040},
            "metadata": {"k": "v"},
        },
    )
    assert (changed.card.exp_month, changed.card.exp_year, changed.card.last4) == (1, 2040, "4242")
    assert (changed.billing_details.email, changed.allow_redisplay) == ("a@b.example", "always")
    assert told(api)[-1] == "payment_method.updated"
    for name, value, code in (("exp_month", "13", "invalid_expiry_month"), ("exp_year", "35", "invalid_expiry_year")):
        answer = api.post(f"/v1/payment_methods/{made.id}", {f"card[{name}]": value})
        assert error_of(answer) == (402, code, f"card[{name}]")


LIVE: Any = {"type": "card", "card": CARD}


def test_there_is_no_processor_in_live_mode(api: Api) -> None:
    key = api.add_key("sk_live_" + "x" * 24)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.client(key).v1.payment_methods.create(LIVE)
    assert refusal_of(caught.value) == (400, "payment_processor_missing", None)
