"""Who may ask: Basic and Bearer, wrong, expired, restricted and publishable keys, modes and accounts."""

from __future__ import annotations

import base64

import httpx
import pytest
import stripe
from http_service import Api, error_of, make_api, told

from farthing.app.resources.access import hashed
from farthing.edges.http.keys import account_id, resource_of


def get(api: Api, authorization: str | None) -> httpx.Response:
    return httpx.get(f"{api.running.url}/v1/coupons", headers={} if authorization is None else {"Authorization": authorization})


def basic(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


def test_basic_and_bearer_are_the_same(both: Api) -> None:
    key = both.key.encode()
    for authorization in (f"Bearer {both.key}", f"bearer  {both.key}", basic(key + b":"), basic(key), basic(key + b":ignored")):
        assert get(both, authorization).status_code == 200, authorization


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "api_key_missing"),
        ("", "api_key_missing"),
        ("Bearer", "api_key_missing"),
        (basic(b":password"), "api_key_missing"),
        ("Bearer sk_test_wrongwrongwrongwrongwrong", "api_key_invalid"),
        (basic(b"sk_test_wrongwrongwrongwrongwrong:"), "api_key_invalid"),
        ("Basic not base 64", "api_key_invalid"),
        (basic(b"\xff\xfe:"), "api_key_invalid"),
        ("Digest abc", "api_key_invalid"),
    ],
)
def test_without_a_key_that_is_known_nothing_is_answered(api: Api, authorization: str | None, code: str) -> None:
    response = get(api, authorization)
    assert error_of(response) == (401, code, None)
    assert "WWW-Authenticate" in response.headers and "wrong" not in response.text


def test_the_sdk_raises_what_it_raises_for_keys(api: Api) -> None:
    with pytest.raises(stripe.AuthenticationError) as caught:
        api.client("sk_test_wrongwrongwrongwrongwrong").v1.coupons.list()
    assert told(caught.value) == (401, "api_key_invalid", None)
    assert caught.value.request_id is not None and caught.value.request_id.startswith("req_")


def test_a_key_ends_when_it_expires_or_is_revoked(both: Api) -> None:
    key = both.add_key(f"sk_test_expires{both.key[-20:]}", expires_at=both.clock() + 60_000_000)
    both.clock.forward(59)
    both.client(key).v1.coupons.list()
    both.clock.forward(1)
    with pytest.raises(stripe.AuthenticationError) as caught:
        both.client(key).v1.coupons.list()
    assert told(caught.value) == (401, "api_key_expired", None)
    both.store().revoke_key(next(one.id for one in both.store().api_keys() if one.hash == hashed(both.key)), both.clock())
    assert error_of(both.get("/v1/coupons"))[1] == "api_key_expired"


def test_a_restricted_key_does_what_it_is_given(both: Api) -> None:
    key = both.add_key(f"rk_test_limited{both.key[-20:]}", {"coupons": "read", "products": "write"})
    limited = both.client(key)
    limited.v1.coupons.list()
    limited.v1.products.create({"name": "Pro"})
    limited.v1.products.list()
    for refused in (lambda: limited.v1.coupons.create({"percent_off": 5}), limited.v1.tax_rates.list, limited.v1.accounts.retrieve_current):
        with pytest.raises(stripe.PermissionError) as caught:
            refused()
        assert told(caught.value) == (403, "permission_missing", None)


def test_a_publishable_key_does_nothing(api: Api) -> None:
    key = api.add_key(f"pk_test_public{api.key[-20:]}")
    with pytest.raises(stripe.PermissionError):
        api.client(key).v1.coupons.list()


def test_modes_never_mix(both: Api) -> None:
    live = both.client(both.add_key(f"sk_live_live{both.key[-24:]}"))
    made = live.v1.coupons.create({"percent_off": 5})
    assert made.livemode is True
    assert [one.id for one in live.v1.coupons.list()] == [made.id]
    assert both.stripe.v1.coupons.create({"percent_off": 5}).livemode is False
    with pytest.raises(stripe.InvalidRequestError):
        both.stripe.v1.coupons.retrieve(made.id)


def test_accounts_never_see_each_other(both: Api) -> None:
    other = make_api(both.running)
    made = both.stripe.v1.coupons.create({"percent_off": 5, "id": "SAME"})
    assert other.stripe.v1.coupons.list().data == []
    other.stripe.v1.coupons.create({"percent_off": 6, "id": "SAME"})
    assert both.stripe.v1.coupons.retrieve(made.id).percent_off == 5


def test_a_key_acts_for_its_own_account_alone(api: Api) -> None:
    own = account_id(api.account)
    assert api.get("/v1/coupons", headers={"Stripe-Account": own}).headers["Stripe-Account"] == own
    with pytest.raises(stripe.PermissionError) as caught:
        api.client(api.key, stripe_account="acct_another").v1.coupons.list()
    assert told(caught.value) == (403, "account_forbidden", None)


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("/v1/coupons", "coupons"),
        ("/v1/coupons/{coupon}", "coupons"),
        ("/v1/billing/meters/{id}/event_summaries", "billing.meters"),
        ("/v1/test_helpers/test_clocks", "test_helpers.test_clocks"),
        ("/v2/billing/meter_events", "billing.meter_events"),
        ("/ext/contracts/x", "ext.contracts"),
        ("/", ""),
    ],
)
def test_resources_are_named_as_in_their_paths(path: str, resource: str) -> None:
    assert resource_of(path) == resource
