"""Webhook endpoints over the wire, and an event on its way from a request to a receiver."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import stripe
from http_service import Api, error_of, told

from farthing.app.webhooks.deliveries import Deliveries
from farthing.app.webhooks.kinds import DELIVERY
from farthing.app.webhooks.sender import Outcome
from farthing.app.work.registry import WORKS, works
from farthing.edges.http.service import encode

URL = "https://example.com/hook"


def test_an_endpoint_is_made_and_its_secret_shown_once(both: Api) -> None:
    endpoints = both.stripe.v1.webhook_endpoints
    made = endpoints.create({"url": URL, "enabled_events": ["product.created", "*", "product.created"], "description": "d", "metadata": {"a": "b"}})
    assert made.id.startswith("we_")
    assert made.secret is not None and made.secret.startswith("whsec_") and len(made.secret) > 40
    assert (made.status, made.url, made.enabled_events) == ("enabled", URL, ["product.created", "*"])
    assert (made.description, made.metadata.to_dict(), made.livemode) == ("d", {"a": "b"}, False)
    other = endpoints.create({"url": URL, "enabled_events": ["*"]})
    assert other.secret != made.secret
    found = endpoints.retrieve(made.id)
    assert "secret" not in found and found.created == made.created
    listed = endpoints.list().data
    assert [one.id for one in listed] == [other.id, made.id]
    assert all("secret" not in one for one in listed)


def test_an_endpoint_is_changed_and_deleted(both: Api) -> None:
    endpoints = both.stripe.v1.webhook_endpoints
    id_ = endpoints.create({"url": URL, "enabled_events": ["*"], "description": "d", "metadata": {"a": "b"}}).id
    changed = endpoints.update(
        id_, {"url": f"{URL}/2", "enabled_events": ["price.created"], "disabled": True, "description": "", "metadata": {"a": "", "c": "d"}}
    )
    assert (changed.url, changed.enabled_events, changed.status) == (f"{URL}/2", ["price.created"], "disabled")
    assert (changed.description, changed.metadata.to_dict()) == (None, {"c": "d"})
    assert "secret" not in changed
    assert endpoints.update(id_, {"disabled": False}).status == "enabled"
    assert endpoints.delete(id_).deleted is True
    with pytest.raises(stripe.InvalidRequestError) as error:
        endpoints.retrieve(id_)
    assert told(error.value)[:2] == (404, "resource_missing")


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://example.com/", "example.com/hook", "https://", "https://me:secret@example.com/", "https://a.com:99999/", "https://a.com/#b"),
        *("https://a b/", "https://a.com:0/", "https://a.com/\n", "https://[::1/", f"https://a.com/{'x' * 3_000}", "https://a.com\\@b.com/"),
    ],
)
def test_an_address_that_cannot_be_posted_to_is_refused(api: Api, url: str) -> None:
    sent = {"url": url, "enabled_events[]": "*"}
    assert error_of(api.post("/v1/webhook_endpoints", sent)) == (400, "webhook_url_invalid", "url")


def test_addresses_without_tls_are_for_test_mode(api: Api) -> None:
    sent = {"url": "http://example.com", "enabled_events[]": "*"}
    assert api.post("/v1/webhook_endpoints", sent).status_code == 200
    live = api.add_key("sk_live_" + api.key[8:])
    with pytest.raises(stripe.InvalidRequestError) as error:
        api.client(live).v1.webhook_endpoints.create({"url": "http://example.com", "enabled_events": ["*"]})
    assert told(error.value) == (400, "webhook_url_invalid", "url")


def test_there_is_a_bound_to_the_number_of_endpoints(api: Api) -> None:
    sent = {"url": URL, "enabled_events[]": "*"}
    made = [api.post("/v1/webhook_endpoints", sent).json()["id"] for _ in range(32)]
    assert error_of(api.post("/v1/webhook_endpoints", sent)) == (400, "webhook_endpoints_too_many", None)
    api.send("DELETE", f"/v1/webhook_endpoints/{made[0]}")
    assert api.post("/v1/webhook_endpoints", sent).status_code == 200


def test_events_are_sent_in_one_version(api: Api) -> None:
    sent = {"url": URL, "enabled_events[]": "*", "api_version": "2020-08-27"}
    assert error_of(api.post("/v1/webhook_endpoints", sent)) == (400, "webhook_version_unsupported", "api_version")
    taken = api.post("/v1/webhook_endpoints", {**sent, "api_version": "2026-10-28.endive"})
    assert taken.json()["api_version"] == "2026-10-28.endive"


def test_what_is_not_served_is_named(api: Api) -> None:
    sent = {"url": URL, "enabled_events[]": "*", "connect": "true"}
    assert error_of(api.post("/v1/webhook_endpoints", sent)) == (400, "parameter_unsupported", "connect")


def test_an_event_is_delivered_signed_and_counted(both: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    posted: list[tuple[str, str, bytes]] = []

    class Receiver:
        def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
            posted.append((url, headers["Stripe-Signature"], body))
            return Outcome(status=200)

    monkeypatch.delitem(WORKS, DELIVERY, raising=False)
    works(DELIVERY, Deliveries(Receiver(), encode, both.clock).work, on_clocks=False)
    secret = both.stripe.v1.webhook_endpoints.create({"url": URL, "enabled_events": ["coupon.created"]}).secret
    coupon = both.stripe.v1.coupons.create({"percent_off": 12.5})
    both.work("event")
    (event,) = both.events("coupon.created")
    assert event["pending_webhooks"] == 1
    both.work(DELIVERY)
    ((url, signature, body),) = posted
    assert url == URL
    received = stripe.Webhook.construct_event(body, signature, secret, tolerance=10**9)
    assert (received.id, received.type, received.data.object.id) == (event["id"], "coupon.created", coupon.id)
    assert received.data.object.percent_off == 12.5
    assert both.events("coupon.created")[0]["pending_webhooks"] == 0
    assert both.work() == 0
    monkeypatch.delitem(WORKS, DELIVERY)
