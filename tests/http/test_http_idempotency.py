"""Idempotency keys: the first answer again, other requests refused, two at once, and nothing done twice when the work is cut off."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import stripe
from http_service import Api, error_of, told

from farthing.app.catalogue.coupons import create_coupon
from farthing.app.catalogue.refusals import COUPON_EXPIRED
from farthing.core.base.refusal import Refusal
from farthing.edges.http.routes import ROUTES, Call, Failed, Route
from farthing.edges.postgres.store import PostgresStore
from farthing.testing.memory import MemoryStore

CREATE = ("POST", "/v1/coupons")


def options(key: str) -> Any:
    return {"idempotency_key": key}


def coupons(api: Api) -> int:
    return len(api.stripe.v1.coupons.list({"limit": 100}).data)


def test_the_first_answer_is_given_again(both: Api) -> None:
    first = both.stripe.v1.coupons.create({"percent_off": 10}, options("once"))
    original = both.last
    assert "Idempotent-Replayed" not in original.headers and original.headers["Idempotency-Key"] == "once"
    again = both.stripe.v1.coupons.create({"percent_off": 10}, options("once"))
    assert (again.id, both.last.body) == (first.id, original.body)
    assert both.last.headers["Idempotent-Replayed"] == "true"
    assert both.last.headers["Original-Request"] == original.headers["Request-Id"] != both.last.headers["Request-Id"]
    assert coupons(both) == 1 and len(both.events("coupon.created")) == 1
    assert both.events("coupon.created")[0]["request"] == {"id": original.headers["Request-Id"], "idempotency_key": "once"}


def test_another_request_with_the_key_is_refused(both: Api) -> None:
    both.stripe.v1.coupons.create({"percent_off": 10}, options("taken"))
    with pytest.raises(stripe.IdempotencyError) as caught:
        both.stripe.v1.coupons.create({"percent_off": 11}, options("taken"))
    assert told(caught.value) == (400, "idempotency_key_reused", "Idempotency-Key")
    with pytest.raises(stripe.IdempotencyError):
        both.stripe.v1.products.create({"name": "Pro"}, options("taken"))
    assert coupons(both) == 1


def test_parameters_in_another_order_are_the_same_request(api: Api) -> None:
    bodies = ("percent_off=10&name=x&metadata[a]=1&metadata[b]=2", "metadata[b]=2&name=x&metadata[a]=1&percent_off=10")
    headers = {"Idempotency-Key": "order", "Content-Type": "application/x-www-form-urlencoded"}
    first, second = (api.send("POST", "/v1/coupons", content=body, headers=headers) for body in bodies)
    assert first.json() == second.json() and second.headers["Idempotent-Replayed"] == "true"


def test_a_refusal_of_the_work_is_given_again_and_one_of_the_form_is_not(both: Api) -> None:
    key = {"Idempotency-Key": "refused"}
    form = {"percent_off": "5", "applies_to[products][0]": "prod_later"}
    assert error_of(both.post("/v1/coupons", form, headers=key)) == (400, "resource_missing", "applies_to[products][0]")
    both.stripe.v1.products.create({"name": "Later", "id": "prod_later"})
    again = both.post("/v1/coupons", form, headers=key)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (400, "true")
    key = {"Idempotency-Key": "form"}
    assert error_of(both.post("/v1/coupons", {"percent_off": "five"}, headers=key))[1] == "parameter_invalid_decimal"
    assert both.post("/v1/coupons", {"percent_off": "5"}, headers=key).status_code == 200


def test_after_a_day_a_key_is_new(both: Api) -> None:
    first = both.stripe.v1.coupons.create({"percent_off": 10}, options("day"))
    both.clock.forward(24 * 3600 - 1)
    assert both.stripe.v1.coupons.create({"percent_off": 10}, options("day")).id == first.id
    both.clock.forward(1)
    assert both.stripe.v1.coupons.create({"percent_off": 10}, options("day")).id != first.id


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_has_a_length(api: Api, key: str) -> None:
    assert error_of(api.post("/v1/coupons", {"percent_off": "5"}, headers={"Idempotency-Key": key})) == (
        400,
        "idempotency_key_invalid",
        "Idempotency-Key",
    )


def test_reading_needs_no_key_and_keeps_none(api: Api) -> None:
    api.get("/v1/coupons", headers={"Idempotency-Key": "read"})
    assert api.post("/v1/coupons", {"percent_off": "5"}, headers={"Idempotency-Key": "read"}).status_code == 200


def test_two_at_once_and_the_second_is_told(api_pg: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = threading.Event(), threading.Event()
    route = ROUTES[CREATE]

    def slow(call: Call) -> Any:
        begun.set()
        assert go.wait(20)
        return create_coupon(call.desk, call.params)

    monkeypatch.setitem(ROUTES, CREATE, Route(slow, route.taken, True))
    answers: list[Any] = []
    other = threading.Thread(target=lambda: answers.append(api_pg.post("/v1/coupons", {"percent_off": "5"}, headers={"Idempotency-Key": "both"})))
    other.start()
    assert begun.wait(20)
    second = api_pg.post("/v1/coupons", {"percent_off": "5"}, headers={"Idempotency-Key": "both"})
    assert error_of(second) == (409, "idempotency_key_in_use", "Idempotency-Key")
    assert second.json()["error"]["type"] == "idempotency_error" and second.headers["Stripe-Should-Retry"] == "true"
    go.set()
    other.join()
    assert answers[0].status_code == 200
    third = api_pg.post("/v1/coupons", {"percent_off": "5"}, headers={"Idempotency-Key": "both"})
    assert third.json() == answers[0].json() and third.headers["Idempotent-Replayed"] == "true"


def test_many_at_once_do_it_once(api_pg: Api) -> None:
    client = api_pg.client(api_pg.key, max_network_retries=8)
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.append(client.v1.coupons.create({"percent_off": 5}, options("many")).id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8 and len(set(made)) == 1 and coupons(api_pg) == 1


def test_what_is_cut_off_before_its_end_was_never_done(both: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for store in (MemoryStore, PostgresStore):  # the answer is the last thing that is written
        monkeypatch.setattr(store, "finish_request", lambda *_: (_ for _ in ()).throw(RuntimeError("cut off")))
    assert error_of(both.post("/v1/coupons", {"percent_off": "5"}, headers={"Idempotency-Key": "cut"})) == (500, "server_error", None)
    monkeypatch.undo()
    assert coupons(both) == 0 and both.events("coupon.created") == []
    answer = both.post("/v1/coupons", {"percent_off": "5"}, headers={"Idempotency-Key": "cut"})
    assert answer.status_code == 200 and "Idempotent-Replayed" not in answer.headers
    assert coupons(both) == 1


def test_a_failure_that_keeps_its_work_is_given_again(both: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def declined(call: Call) -> Failed:
        row = create_coupon(call.desk, call.params)
        return Failed(Refusal(COUPON_EXPIRED, "it was tried.", "percent_off"), {"decline_code": row.id})

    monkeypatch.setitem(ROUTES, CREATE, Route(declined, ROUTES[CREATE].taken, True))
    answers = [both.post("/v1/coupons", {"percent_off": "5"}, headers={"Idempotency-Key": "kept"}) for _ in range(2)]
    assert error_of(answers[0]) == (400, "coupon_expired", "percent_off") and answers[0].json() == answers[1].json()
    assert [one.id for one in both.stripe.v1.coupons.list()] == [answers[0].json()["error"]["decline_code"]]


def test_deleting_is_idempotent_too(both: Api) -> None:
    both.stripe.v1.coupons.create({"percent_off": 10, "id": "GONE"})
    for _ in range(2):
        assert both.stripe.v1.coupons.delete("GONE", options=options("delete")).deleted is True
    with pytest.raises(stripe.InvalidRequestError) as caught:
        both.stripe.v1.coupons.delete("GONE")
    assert told(caught.value) == (404, "resource_missing", "id")
