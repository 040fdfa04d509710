"""Payment intents, through the official SDK."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import stripe
from http_payments import card, customer, declined, follow, pay, told
from http_service import Api, error_of
from http_service import told as refusal_of


def test_a_payment_that_succeeds(both: Api) -> None:
    made = both.stripe.v1.payment_intents.create({"amount": 2000, "currency": "USD", "description": "Order 7", "metadata": {"a": "b"}})
    now = both.clock.at // 1_000_000
    assert both.last.body == {
        "id": made.id,
        "object": "payment_intent",
        "amount": 2000,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": made.client_secret,
        "confirmation_method": "automatic",
        "created": now,
        "currency": "usd",
        "customer": None,
        "customer_account": None,
        "description": "Order 7",
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {"a": "b"},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"installments": None, "mandate_options": None, "network": None, "request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }
    assert str(made.client_secret).startswith(f"{made.id}_secret_")
    paid = both.stripe.v1.payment_intents.confirm(made.id, {"payment_method": "pm_card_visa", "expand": ["latest_charge.balance_transaction"]})
    assert (paid.status, paid.amount_received, paid.amount_capturable) == ("succeeded", 2000, 0)
    charge: Any = paid.latest_charge
    assert (charge.amount, charge.amount_captured, charge.paid, charge.captured, charge.status) == (2000, 2000, True, True, "succeeded")
    assert charge.payment_method_details.card.last4 == "4242"
    assert charge.description == "Order 7"
    assert (charge.balance_transaction.amount, charge.balance_transaction.fee, charge.balance_transaction.net) == (2000, 88, 1912)
    assert told(both) == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    again = both.stripe.v1.payment_intents.retrieve(made.id)
    assert again.status == "succeeded"
    assert both.stripe.v1.payment_intents.list().data[0].to_dict() == again.to_dict()


DECLINES = [
    ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
    ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
    ("pm_card_visa_chargeDeclinedVelocityLimitExceeded", "card_declined", "card_velocity_exceeded"),
    ("pm_card_chargeDeclinedFraudulent", "card_declined", "fraudulent"),
    ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
    ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
    ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
]


@pytest.mark.parametrize(("method", "code", "reason"), DECLINES)
def test_a_card_that_is_declined(api: Api, method: str, code: str, reason: str) -> None:
    error = declined(api, method)
    assert (error["type"], error["code"], error["decline_code"]) == ("card_error", code, reason)
    intent = error["payment_intent"]
    assert (intent["status"], intent["payment_method"], intent["amount_received"]) == ("requires_payment_method", None, 0)
    last = intent["last_payment_error"]
    assert (last["code"], last["decline_code"], last["type"], last["charge"]) == (code, reason, "card_error", intent["latest_charge"])
    assert last["payment_method"] == error["payment_method"]
    kept = api.stripe.v1.payment_intents.retrieve(intent["id"], {"expand": ["latest_charge"]})
    charge: Any = kept.latest_charge
    assert (charge.status, charge.paid, charge.failure_code, charge.outcome.reason) == ("failed", False, code, reason)
    assert told(api) == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    assert api.get("/v1/balance").json()["pending"] == []


GOOD = ["visa", "mastercard", "amex", "discover", "jcb", "visa_debit", "mastercard_prepaid", "unionpay", "threeDSecureOptional"]


@pytest.mark.parametrize("name", [*GOOD, "authenticationRequiredSetupForOffSession"])
def test_a_card_that_pays(api: Api, name: str) -> None:
    assert pay(api, f"pm_card_{name}").status == "succeeded"


def test_another_card_pays_after_a_decline(both: Api) -> None:
    failed = declined(both, "pm_card_chargeDeclined")["payment_intent"]
    paid = both.stripe.v1.payment_intents.confirm(failed["id"], {"payment_method": "pm_card_visa"})
    assert (paid.status, paid.last_payment_error, paid.amount_received) == ("succeeded", None, 2000)
    assert paid.latest_charge != failed["latest_charge"]


@pytest.mark.parametrize("name", ["threeDSecure2Required", "authenticationRequired", "authenticationRequiredOnSetup"])
def test_the_customer_authenticates(both: Api, name: str) -> None:
    intent = pay(both, f"pm_card_{name}", return_url="https://shop.example/back")
    assert (intent.status, intent.amount_received, intent.latest_charge) == ("requires_action", 0, None)
    assert intent.next_action.redirect_to_url.return_url == "https://shop.example/back"
    acted = follow(both, intent, "succeed").json()
    assert (acted["status"], acted["next_action"], acted["amount_received"]) == ("succeeded", None, 2000)
    charge: Any = both.stripe.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]}).latest_charge
    assert charge.payment_method_details.card.three_d_secure.result == "authenticated"
    assert told(both) == ["payment_intent.created", "payment_intent.requires_action", "charge.succeeded", "payment_intent.succeeded"]
    assert error_of(follow(both, intent, "fail")) == (400, "simulator_nothing_waits", None)


def test_the_customer_fails_to_authenticate(api: Api) -> None:
    intent = pay(api, "pm_card_threeDSecure2Required")
    failed = follow(api, intent, "fail").json()
    assert (failed["status"], failed["payment_method"], failed["latest_charge"]) == ("requires_payment_method", None, None)
    assert failed["last_payment_error"]["code"] == "payment_intent_authentication_failure"
    assert told(api)[-1] == "payment_intent.payment_failed"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("threeDSecureRequiredChargeDeclined", "generic_decline"),
        ("authenticationRequiredChargeDeclinedInsufficientFunds", "insufficient_funds"),
    ],
)
def test_a_card_that_is_declined_after_authentication(api: Api, name: str, reason: str) -> None:
    failed = follow(api, pay(api, f"pm_card_{name}"), "succeed").json()
    assert (failed["status"], failed["last_payment_error"]["decline_code"]) == ("requires_payment_method", reason)


def test_an_action_of_a_customer_who_is_not_there_is_a_decline(api: Api) -> None:
    customer(api)
    for name in ("authenticationRequired", "authenticationRequiredOnSetup"):
        method = api.stripe.v1.payment_methods.attach(f"pm_card_{name}", {"customer": "cus_1"}).id
        error = declined(api, method, customer="cus_1", off_session=True)
        assert (error["code"], error["decline_code"]) == ("authentication_required", "authentication_required")
        assert error["payment_intent"]["status"] == "requires_payment_method"


def test_an_action_can_be_an_error(api: Api) -> None:
    error = declined(api, "pm_card_threeDSecure2Required", error_on_requires_action=True)
    assert error["code"] == "authentication_required"
    intent = error["payment_intent"]
    assert (intent["status"], intent["next_action"]) == ("requires_payment_method", None)


def test_a_card_that_was_set_up_pays_without_the_customer(both: Api) -> None:
    customer(both)
    first = pay(both, "pm_card_authenticationRequiredOnSetup", customer="cus_1", setup_future_usage="off_session")
    follow(both, first, "succeed")
    kept = both.stripe.v1.payment_methods.retrieve(first.payment_method)
    assert kept.customer == "cus_1"
    later = pay(both, kept.id, customer="cus_1", off_session=True)
    assert later.status == "succeeded"
    assert "payment_method.attached" in told(both)


def test_confirming_anew_gives_up_what_waited_for_the_customer(api: Api) -> None:
    first = pay(api, "pm_card_threeDSecure2Required")
    paid = api.stripe.v1.payment_intents.confirm(first.id, {"payment_method": "pm_card_visa"})
    assert (paid.status, paid.next_action) == ("succeeded", None)
    assert error_of(follow(api, first, "succeed")) == (400, "simulator_nothing_waits", None)
    again = pay(api, "pm_card_threeDSecure2Required")
    assert api.stripe.v1.payment_intents.confirm(again.id).status == "requires_action"
    assert follow(api, again, "succeed").json()["status"] == "succeeded"


def test_manual_confirmation_needs_one_more_after_the_action(api: Api) -> None:
    intent = pay(api, "pm_card_threeDSecure2Required", confirmation_method="manual")
    acted = follow(api, intent, "succeed").json()
    assert (acted["status"], acted["amount_received"]) == ("requires_confirmation", 0)
    assert api.stripe.v1.payment_intents.confirm(intent.id).status == "succeeded"
    other = pay(api, "pm_card_threeDSecure2Required", confirmation_method="manual")
    follow(api, other, "succeed")
    with pytest.raises(stripe.CardError):  # another card is charged by itself, not under what the first one was authenticated for
        api.stripe.v1.payment_intents.confirm(other.id, {"payment_method": "pm_card_chargeDeclined"})
    assert api.stripe.v1.payment_intents.retrieve(other.id).status == "requires_payment_method"


def test_held_and_captured(both: Api) -> None:
    held = pay(both, capture_method="manual")
    assert (held.status, held.amount_capturable, held.amount_received) == ("requires_capture", 2000, 0)
    charge: Any = both.stripe.v1.payment_intents.retrieve(held.id, {"expand": ["latest_charge"]}).latest_charge
    assert (charge.captured, charge.paid, charge.balance_transaction) == (False, True, None)
    taken = both.stripe.v1.payment_intents.capture(held.id, {"amount_to_capture": 1500, "expand": ["latest_charge.balance_transaction"]})
    assert (taken.status, taken.amount, taken.amount_capturable, taken.amount_received) == ("succeeded", 2000, 0, 1500)
    charge = taken.latest_charge
    assert (charge.captured, charge.amount_captured, charge.balance_transaction.amount, charge.balance_transaction.fee) == (True, 1500, 1500, 74)
    assert told(both) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "payment_intent.succeeded",
    ]


def refused(action: Any) -> Any:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        action()
    return refusal_of(caught.value)


def test_capturing_what_cannot_be_is_refused(api: Api) -> None:
    intents = api.stripe.v1.payment_intents
    held = pay(api, capture_method="manual").id
    for amount, code in ((2001, "payment_amount_too_large"), (0, "amount_too_small"), (-1, "amount_too_small")):
        assert refused(lambda amount=amount: intents.capture(held, {"amount_to_capture": amount})) == (400, code, "amount_to_capture")
    intents.capture(held)
    assert refused(lambda: intents.capture(held)) == (400, "payment_intent_unexpected_state", None)
    assert refused(lambda: intents.capture(pay(api).id)) == (400, "payment_intent_unexpected_state", None)
    assert refused(lambda: intents.capture("pi_none")) == (404, "resource_missing", "id")


def test_cancelled(both: Api) -> None:
    intents = both.stripe.v1.payment_intents
    held = pay(both, capture_method="manual").id
    gone = intents.cancel(held, {"cancellation_reason": "requested_by_customer", "expand": ["latest_charge"]})
    assert (gone.status, gone.cancellation_reason, gone.amount_capturable) == ("canceled", "requested_by_customer", 0)
    assert gone.canceled_at == both.clock.at // 1_000_000
    charge: Any = gone.latest_charge
    assert (charge.refunded, charge.amount_captured, charge.amount_refunded) == (True, 0, 0)
    waiting = pay(both, "pm_card_threeDSecure2Required")
    assert intents.cancel(waiting.id).status == "canceled"
    assert error_of(follow(both, waiting, "succeed")) == (400, "simulator_nothing_waits", None)
    state = (400, "payment_intent_unexpected_state", None)
    assert refused(lambda: intents.cancel(held)) == state
    assert refused(lambda: intents.cancel(pay(both).id)) == state
    assert refused(lambda: intents.confirm(held)) == state
    assert told(both)[4] == "payment_intent.canceled"


def test_confirming_what_cannot_be_is_refused(api: Api) -> None:
    intents = api.stripe.v1.payment_intents
    paid, bare = pay(api).id, intents.create({"amount": 5, "currency": "usd"}).id
    assert refused(lambda: intents.confirm(paid)) == (400, "payment_intent_unexpected_state", None)
    assert refused(lambda: intents.confirm(paid, {"payment_method": "pm_card_visa"})) == (400, "payment_intent_unexpected_state", "payment_method")
    assert refused(lambda: intents.confirm(bare)) == (400, "payment_method_missing", "payment_method")
    assert refused(lambda: intents.confirm(bare, {"payment_method": "pm_none"})) == (400, "resource_missing", "payment_method")


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({"amount": "0"}, "amount_too_small", "amount"),
        ({"amount": "-5"}, "amount_too_small", "amount"),
        ({"amount": "1000000000000"}, "payment_amount_too_large", "amount"),
        ({"amount": "1.5"}, "parameter_invalid_integer", "amount"),
        ({"currency": "xyz"}, "currency_unknown", "currency"),
        ({"customer": "cus_none"}, "resource_missing", "customer"),
        ({"payment_method": "pm_none"}, "resource_missing", "payment_method"),
        ({"off_session": "true"}, "payment_intent_invalid_parameter", "off_session"),
        ({"return_url": "https://a.example"}, "payment_intent_invalid_parameter", "return_url"),
        ({"error_on_requires_action": "true"}, "payment_intent_invalid_parameter", "error_on_requires_action"),
        ({"confirm": "true"}, "payment_method_missing", "payment_method"),
        ({"allowed_payment_method_types[0]": "ideal"}, "payment_method_unsupported_type", "allowed_payment_method_types[0]"),
        (
            {"allowed_payment_method_types[0]": "card", "automatic_payment_methods[enabled]": "true"},
            "fields_conflict",
            "allowed_payment_method_types",
        ),
        ({"payment_method_data[type]": "ideal"}, "parameter_unsupported", "payment_method_data"),
        ({"transfer_group": "g"}, "parameter_unsupported", "transfer_group"),
    ],
)
def test_an_intent_that_makes_no_sense_is_refused(api: Api, form: dict[str, str], code: str, param: str) -> None:
    answer = api.post("/v1/payment_intents", {"amount": "2000", "currency": "usd", **form})
    assert error_of(answer) == (400, code, param)
    assert told(api) == []


def test_types_may_be_named(api: Api) -> None:
    paid = pay(api, allowed_payment_method_types=["card"])
    assert (paid.status, paid.payment_method_types, paid.automatic_payment_methods) == ("succeeded", ["card"], None)
    chosen = pay(api, automatic_payment_methods={"enabled": True, "allow_redirects": "never"})
    assert chosen.automatic_payment_methods.allow_redirects == "never"


def test_a_method_of_another_customer_is_refused(api: Api) -> None:
    customer(api), customer(api, "cus_2")
    method = api.stripe.v1.payment_methods.attach("pm_card_visa", {"customer": "cus_1"}).id
    wrong = (400, "payment_method_of_other_customer", "payment_method")
    assert refused(lambda: pay(api, method)) == wrong
    assert refused(lambda: pay(api, method, customer="cus_2")) == wrong
    intent = pay(api, method, customer="cus_1", confirm=False)
    assert refused(lambda: api.stripe.v1.payment_intents.update(intent.id, {"customer": "cus_2"})) == wrong
    api.stripe.v1.payment_methods.detach(method)
    assert refused(lambda: pay(api, method)) == (400, "payment_method_unexpected_state", "payment_method")


def test_an_intent_is_changed_until_it_is_paid(both: Api) -> None:
    customer(both)
    intents = both.stripe.v1.payment_intents
    made = intents.create({"amount": 500, "currency": "usd"}).id
    changed = intents.update(
        made,
        {
            "amount": 700,
            "currency": "eur",
            "customer": "cus_1",
            "payment_method": card(both).id,
            "metadata": {"a": "1"},
            "receipt_email": "a@b.example",
            "shipping": {"name": "Ada", "address": {"line1": "1 Street"}},
        },
    )
    assert (changed.amount, changed.currency, changed.customer, changed.status) == (700, "eur", "cus_1", "requires_confirmation")
    assert both.last.body["shipping"]["address"] == {
        "city": None,
        "country": None,
        "line1": "1 Street",
        "line2": None,
        "postal_code": None,
        "state": None,
    }
    intents.confirm(made)
    assert intents.update(made, {"metadata": {"b": "2"}, "description": "paid"}).metadata.to_dict() == {"a": "1", "b": "2"}
    assert refused(lambda: intents.update(made, {"amount": 1})) == (400, "payment_intent_unexpected_state", "amount")
    waiting = pay(both, "pm_card_threeDSecure2Required").id
    assert refused(lambda: intents.update(waiting, {"amount": 1})) == (400, "payment_intent_unexpected_state", "amount")


def test_intents_are_listed_and_searched(both: Api) -> None:
    customer(both)
    one = pay(both, customer="cus_1", metadata={"order": "7"}).id
    both.clock.forward(1)
    two = pay(both, capture_method="manual").id
    intents = both.stripe.v1.payment_intents
    assert [row.id for row in intents.list().data] == [two, one]
    assert [row.id for row in intents.list({"customer": "cus_1"}).data] == [one]
    assert [row.id for row in intents.search({"query": 'status:"succeeded" AND metadata["order"]:"7"'}).data] == [one]
    assert [row.id for row in intents.search({"query": "amount>1999"}).data] == [two, one]


def test_a_request_that_is_sent_again_charges_once(both: Api) -> None:
    options: Any = {"idempotency_key": "order 7"}
    form: Any = {"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    first = both.stripe.v1.payment_intents.create(form, options)
    assert both.stripe.v1.payment_intents.create(form, options).id == first.id
    assert len(both.stripe.v1.balance_transactions.list().data) == 1
    both.clock.forward(25 * 3600)  # the answer is forgotten: it is another request under an old key
    again = both.stripe.v1.payment_intents.create(form, options)
    assert again.id != first.id
    assert len(both.stripe.v1.balance_transactions.list().data) == 2


def test_a_decline_is_answered_again(both: Api) -> None:
    options: Any = {"idempotency_key": "order 8"}
    form: Any = {"amount": 2000, "currency": "usd", "payment_method": "pm_card_chargeDeclined", "confirm": True}
    answers = []
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            both.stripe.v1.payment_intents.create(form, options)
        answers.append(both.last.body)
    assert answers[0] == answers[1]
    assert len(both.stripe.v1.payment_intents.list().data) == 1


def test_of_many_who_confirm_at_once_one_charges(api_pg: Api) -> None:
    intent = pay(api_pg, confirm=False).id

    def confirm(_: int) -> int:
        return httpx.post(f"{api_pg.running.url}/v1/payment_intents/{intent}/confirm", auth=(api_pg.key, ""), timeout=30).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(confirm, range(12)))
    assert sorted(statuses) == [200, *[400] * 11]
    assert len(api_pg.stripe.v1.balance_transactions.list().data) == 1


def test_of_many_who_refund_at_once_none_gets_more_than_there_was(api_pg: Api) -> None:
    intent = pay(api_pg).id

    def refund(_: int) -> int:
        form = {"payment_intent": intent, "amount": "700"}
        return httpx.post(f"{api_pg.running.url}/v1/refunds", data=form, auth=(api_pg.key, ""), timeout=30).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(refund, range(12)))
    assert sorted(statuses) == [200, 200, *[400] * 10]


def test_what_an_intent_names_is_expanded(api: Api) -> None:
    customer(api)
    paths: Any = {"expand": ["payment_method", "latest_charge.payment_intent"]}
    shown: Any = api.stripe.v1.payment_intents.retrieve(pay(api, customer="cus_1").id, paths)
    assert (shown.payment_method.card.brand, shown.latest_charge.payment_intent.id) == ("visa", shown.id)


def test_a_restricted_key_confirms_only_where_it_may(api: Api) -> None:
    intent = pay(api, confirm=False).id
    key = api.add_key("rk_test_" + "y" * 24, {"payment_intents": "read"})
    assert api.client(key).v1.payment_intents.retrieve(intent).id == intent
    with pytest.raises(stripe.PermissionError):
        api.client(key).v1.payment_intents.confirm(intent)
    waiting = pay(api, "pm_card_threeDSecure2Required")
    path = waiting.next_action.redirect_to_url.url.removeprefix(api.running.url)
    assert error_of(api.get(path, params={"outcome": "succeed"}, auth=(key, "")))[:2] == (403, "permission_missing")
    assert error_of(api.get(path)) == (400, "parameter_missing", "outcome")
