"""Setup intents, through the official SDK."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from http_payments import customer, follow, pay, told
from http_service import Api, error_of
from http_service import told as refusal_of


def set_up(api: Api, method: str = "pm_card_visa", **more: Any) -> Any:
    return api.stripe.v1.setup_intents.create({"payment_method": method, "confirm": True, **more})


def test_a_card_is_set_up(both: Api) -> None:
    customer(both)
    intents = both.stripe.v1.setup_intents
    made = intents.create({"customer": "cus_1", "description": "d", "metadata": {"a": "b"}})
    assert both.last.body == {
        "id": made.id,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "cancellation_reason": None,
        "client_secret": made.client_secret,
        "created": both.clock.at // 1_000_000,
        "customer": "cus_1",
        "customer_account": None,
        "description": "d",
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": {"a": "b"},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": "off_session",
    }
    assert intents.update(made.id, {"payment_method": "pm_card_visa", "metadata": {"a": "c"}}).status == "requires_confirmation"
    done: Any = intents.confirm(made.id)
    assert (done.status, done.metadata.to_dict()) == ("succeeded", {"a": "c"})
    method = both.stripe.v1.payment_methods.retrieve(str(done.payment_method))
    assert method.customer == "cus_1"
    assert told(both) == ["setup_intent.created", "payment_method.attached", "setup_intent.succeeded"]
    assert [one.id for one in intents.list({"customer": "cus_1", "payment_method": method.id}).data] == [made.id]
    assert intents.retrieve(made.id).to_dict() == done.to_dict()


@pytest.mark.parametrize("name", ["threeDSecure2Required", "authenticationRequired", "authenticationRequiredOnSetup"])
def test_the_customer_authenticates(both: Api, name: str) -> None:
    customer(both)
    intent = set_up(both, f"pm_card_{name}", customer="cus_1")
    assert intent.status == "requires_action"
    assert follow(both, intent, "succeed").json()["status"] == "succeeded"
    if name == "authenticationRequiredOnSetup":
        assert pay(both, intent.payment_method, customer="cus_1", off_session=True).status == "succeeded"
    assert error_of(follow(both, intent, "succeed")) == (400, "simulator_nothing_waits", None)


def test_the_customer_fails_to_authenticate(api: Api) -> None:
    intent = set_up(api, "pm_card_authenticationRequired")
    failed = follow(api, intent, "fail").json()
    assert (failed["status"], failed["payment_method"]) == ("requires_payment_method", None)
    assert failed["last_setup_error"]["code"] == "setup_intent_authentication_failure"
    assert told(api) == ["setup_intent.created", "setup_intent.requires_action", "setup_intent.setup_failed"]


def test_a_card_that_is_declined(api: Api) -> None:
    with pytest.raises(stripe.CardError) as caught:
        set_up(api, "pm_card_chargeDeclinedInsufficientFunds")
    body: Any = caught.value.json_body
    error = body["error"]
    assert (error["code"], error["decline_code"], error["setup_intent"]["status"]) == (
        "card_declined",
        "insufficient_funds",
        "requires_payment_method",
    )
    assert error["setup_intent"]["last_setup_error"]["payment_method"]["card"]["last4"] == "9995"
    again = api.stripe.v1.setup_intents.confirm(error["setup_intent"]["id"], {"payment_method": "pm_card_chargeCustomerFail"})
    assert (again.status, again.last_setup_error) == ("succeeded", None)


def test_confirming_anew_gives_up_what_waited(api: Api) -> None:
    first = set_up(api, "pm_card_threeDSecure2Required")
    done = api.stripe.v1.setup_intents.confirm(first.id, {"payment_method": "pm_card_visa"})
    assert (done.status, done.next_action) == ("succeeded", None)
    assert error_of(follow(api, first, "succeed")) == (400, "simulator_nothing_waits", None)


def refused(action: Any) -> Any:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        action()
    return refusal_of(caught.value)


def test_cancelled(both: Api) -> None:
    intents = both.stripe.v1.setup_intents
    waiting = set_up(both, "pm_card_threeDSecure2Required")
    gone = intents.cancel(waiting.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason, gone.next_action) == ("canceled", "abandoned", None)
    assert error_of(follow(both, waiting, "succeed")) == (400, "simulator_nothing_waits", None)
    assert told(both)[-1] == "setup_intent.canceled"
    state = (400, "setup_intent_unexpected_state", None)
    assert refused(lambda: intents.cancel(gone.id)) == state
    assert refused(lambda: intents.confirm(gone.id)) == state
    done = set_up(both).id
    for action in (intents.cancel, intents.confirm, lambda id_: intents.update(id_, {"payment_method": "pm_card_visa"})):
        assert refused(lambda action=action: action(done)) == state
    assert intents.update(done, {"description": "later"}).description == "later"


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({"confirm": "true"}, "payment_method_missing", "payment_method"),
        ({"return_url": "https://a.example"}, "payment_intent_invalid_parameter", "return_url"),
        ({"customer": "cus_none"}, "resource_missing", "customer"),
        ({"payment_method": "pm_none"}, "resource_missing", "payment_method"),
        ({"usage": "sometimes"}, "parameter_invalid_choice", "usage"),
        ({"flow_directions[0]": "inbound"}, "parameter_unsupported", "flow_directions"),
    ],
)
def test_an_intent_that_makes_no_sense_is_refused(api: Api, form: dict[str, str], code: str, param: str) -> None:
    assert error_of(api.post("/v1/setup_intents", form)) == (400, code, param)


def test_a_method_of_another_customer_is_refused(api: Api) -> None:
    customer(api), customer(api, "cus_2")
    method = api.stripe.v1.payment_methods.attach("pm_card_visa", {"customer": "cus_1"}).id
    wrong = (400, "payment_method_of_other_customer", "payment_method")
    assert refused(lambda: set_up(api, method, customer="cus_2")) == wrong
    mine = api.stripe.v1.setup_intents.create({"customer": "cus_1", "payment_method": method}).id
    assert refused(lambda: api.stripe.v1.setup_intents.update(mine, {"customer": "cus_2"})) == wrong
