"""What the tests of payments share: customers, payment methods, and a list of the events that were told."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from http_service import Api

CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "314"}


def customer(api: Api, id_: str = "cus_1") -> str:
    """A customer, kept as another stage keeps it."""
    if api.store().find("customer", id_) is None:
        api.store().add("customer", id_, 1, {"id": id_, "object": "customer"})
    return id_


def card(api: Api, number: str = CARD["number"], **more: Any) -> Any:
    """A payment method made of a card's number."""
    return api.stripe.v1.payment_methods.create({"type": "card", "card": {**CARD, "number": number}, **more})


def pay(api: Api, method: str = "pm_card_visa", **more: Any) -> Any:
    """A payment intent of 20.00 that is confirmed as it is made."""
    return api.stripe.v1.payment_intents.create({"amount": 2000, "currency": "usd", "payment_method": method, "confirm": True, **more})


def declined(api: Api, method: str, **more: Any) -> Any:
    """The error of a payment that is declined."""
    with pytest.raises(stripe.CardError) as caught:
        pay(api, method, **more)
    assert caught.value.http_status == 402
    body: Any = caught.value.json_body
    return body["error"]


def told(api: Api) -> list[str]:
    """The types of all events, in order."""
    found = api.get("/v1/events", params={"limit": 100}).json()["data"]
    return [event["type"] for event in reversed(found)]


def follow(api: Api, intent: Any, outcome: str) -> Any:
    """Act as the customer who is sent to authenticate."""
    url = intent.next_action.redirect_to_url.url
    assert url.startswith(api.running.url)
    return api.get(url.removeprefix(api.running.url), params={"outcome": outcome})
