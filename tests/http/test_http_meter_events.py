"""Meter events: each counts once, however it comes; through the official SDK, v1 and v2, and raw."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import stripe
from http_service import Api, error_of, told

from farthing.app.store import EventQuery
from farthing.core.base.timeline import ALL_TIME
from farthing.core.events.event import Event, Replace

V1, V2, STREAM = "/v1/billing/meter_events", "/v2/billing/meter_events", "/v2/billing/meter_event_stream"
FORM = {"event_name": "call", "payload[stripe_customer_id]": "cus_1", "payload[value]": "3"}
BODY: dict[str, Any] = {"event_name": "call", "payload": {"stripe_customer_id": "cus_1", "value": "3"}}
DAY = 86_400


def make_meter(api: Api, event_name: str = "call", **more: Any) -> str:
    return api.stripe.v1.billing.meters.create(
        {"display_name": "Calls", "event_name": event_name, "default_aggregation": {"formula": "sum"}, **more}
    ).id


def logged(api: Api, event_name: str = "call") -> list[Event]:
    store = api.store()
    return list(store.events(EventQuery(event_name, ALL_TIME, store.head())))


def send(api: Api, form: Mapping[str, str], key: str | None = None) -> httpx.Response:
    return api.post(V1, form, headers={} if key is None else {"Idempotency-Key": key})


def send_json(api: Api, path: str, body: Any, key: str | None = None) -> httpx.Response:
    return api.send("POST", path, json=body, headers={} if key is None else {"Idempotency-Key": key})


def seconds(api: Api) -> int:
    return api.clock.at // 1_000_000


# ── one event ──


def test_an_event_by_v1(both: Api) -> None:
    make_meter(both)
    at = seconds(both) - 60
    payload = {"stripe_customer_id": "cus_1", "value": "2.50", "model": "small"}
    both.stripe.v1.billing.meter_events.create({"event_name": "call", "identifier": "e1", "timestamp": at, "payload": payload})
    assert both.last.body == {
        "object": "billing.meter_event",
        "created": seconds(both),
        "event_name": "call",
        "identifier": "e1",
        "livemode": False,
        "payload": {"stripe_customer_id": "cus_1", "value": "2.5", "model": "small"},
        "timestamp": at,
    }
    assert logged(both) == [Event("e1", "call", "cus_1", at * 1_000_000, {"value": "2.5", "model": "small"}, 1)]


def test_an_event_by_v2(both: Api) -> None:
    make_meter(both)
    at = datetime(2025, 12, 31, 23, 0, 0, 123456, tzinfo=UTC)
    made = both.stripe.v2.billing.meter_events.create({**BODY, "identifier": "e1", "timestamp": at.isoformat()})
    assert both.last.body == {
        "object": "v2.billing.meter_event",
        "created": "2026-01-01T00:00:00Z",
        "event_name": "call",
        "identifier": "e1",
        "livemode": False,
        "payload": {"stripe_customer_id": "cus_1", "value": "3"},
        "timestamp": "2025-12-31T23:00:00.123456Z",
    }
    assert made.identifier == "e1"
    assert [one.at for one in logged(both)] == [int(at.timestamp()) * 1_000_000 + 123456]


def test_time_and_identifier_are_made_where_none_is_sent(both: Api) -> None:
    make_meter(both)
    both.clock.at += 300_000
    first, second = send(both, FORM).json(), send(both, FORM).json()
    assert first["timestamp"] == first["created"] == seconds(both)
    assert first["identifier"] != second["identifier"] and first["identifier"].startswith("mtrevt_")
    assert [one.at for one in logged(both)] == [seconds(both) * 1_000_000] * 2


def test_customer_and_value_are_where_the_meter_says(both: Api) -> None:
    make_meter(both, customer_mapping={"type": "by_id", "event_payload_key": "who"}, value_settings={"event_payload_key": "tokens"})
    answer = send(both, {"event_name": "call", "payload[who]": "cus_9", "payload[tokens]": "007", "payload[value]": "1.0"})
    assert answer.json()["payload"] == {"who": "cus_9", "tokens": "007", "value": "1"}
    (event,) = logged(both)
    assert (event.customer, event.properties) == ("cus_9", {"tokens": "007", "value": "1"})


def test_an_unknown_customers_event_is_kept_aside_and_listed(both: Api) -> None:
    make_meter(both)
    assert send(both, FORM).status_code == 200
    assert [(one.reason, one.event_name, one.customer, one.events) for one in both.store().aside()] == [("customer_unknown", "call", "cus_1", 1)]


# ── the same again ──


@pytest.mark.parametrize("timed", [True, False])
def test_the_same_again_is_answered_as_the_first_time(both: Api, timed: bool) -> None:
    make_meter(both)
    form = {**FORM, "identifier": "e1", **({"timestamp": str(seconds(both) - 5)} if timed else {})}
    first = send(both, form)
    both.clock.forward(100)
    again = send(both, {**form, "payload[value]": "3.0"})
    assert again.json() == first.json() and len(logged(both)) == 1
    assert send_json(both, V2, {**BODY, "identifier": "e1"}).json()["timestamp"].startswith("2026-01-01" if not timed else "2025-12-31")


@pytest.mark.parametrize(
    "other",
    [
        {"payload[value]": "4"},
        {"payload[stripe_customer_id]": "cus_2"},
        {"payload[more]": "x"},
        {"timestamp": "1767225601"},
        {"event_name": "other"},
    ],
)
def test_other_content_under_the_identifier_is_refused(both: Api, other: Mapping[str, str]) -> None:
    make_meter(both)
    make_meter(both, "other")
    form = {**FORM, "identifier": "e1", "timestamp": str(seconds(both))}
    first = send(both, form).json()
    refused = send(both, {**form, **other})
    assert error_of(refused) == (409, "identifier_conflict", "identifier")
    assert refused.headers["Stripe-Should-Retry"] == "false"
    assert send(both, form).json() == first and len(logged(both)) == 1


def test_the_idempotency_key_makes_the_identifier(both: Api) -> None:
    make_meter(both)
    first = send(both, FORM, "key-1")
    both.clock.forward(60)
    again = send(both, FORM, "key-1")
    assert again.json() == first.json() and again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers and again.headers["Idempotency-Key"] == "key-1"
    assert first.json()["identifier"].startswith("idem_")
    assert error_of(send(both, {**FORM, "payload[value]": "4"}, "key-1")) == (409, "identifier_conflict", "identifier")
    assert send(both, FORM, "key-2").json()["identifier"] != first.json()["identifier"]
    assert len(logged(both)) == 2


def test_the_sdk_sends_again_on_its_own_and_nothing_counts_twice(api: Api) -> None:
    make_meter(api)
    made = api.stripe.v1.billing.meter_events.create({"event_name": "call", "payload": BODY["payload"]}, {"idempotency_key": "of-the-sdk"})
    again = api.stripe.v1.billing.meter_events.create({"event_name": "call", "payload": BODY["payload"]}, {"idempotency_key": "of-the-sdk"})
    assert again.to_dict() == made.to_dict() and len(logged(api)) == 1


def test_a_repetition_is_answered_after_the_meter_or_the_time_is_gone(both: Api) -> None:
    meter = make_meter(both)
    form = {**FORM, "identifier": "e1", "timestamp": str(seconds(both))}
    first = send(both, form).json()
    both.stripe.v1.billing.meters.deactivate(meter)
    assert send(both, form).json() == first
    assert error_of(send(both, {**form, "identifier": "e2"})) == (400, "archived_meter", "event_name")
    both.stripe.v1.billing.meters.reactivate(meter)
    both.clock.forward(40 * DAY)
    assert send(both, form).json() == first
    assert error_of(send(both, {**form, "identifier": "e2"})) == (400, "timestamp_too_far_in_past", "timestamp")
    assert len(logged(both)) == 1


def test_the_identifier_of_a_replacement_is_taken(both: Api) -> None:
    make_meter(both)
    store = both.store()
    event = Event("new", "call", "cus_1", both.clock.at, {"value": "3"})
    store.append([Replace("old", event)])
    assert error_of(send(both, {**FORM, "identifier": "new", "timestamp": str(seconds(both))})) == (409, "identifier_conflict", "identifier")


# ── what is refused ──

REFUSED = [
    ({"event_name": "nothing"}, "no_meter", "event_name"),
    ({"event_name": ""}, "parameter_invalid_empty", "event_name"),
    ({"payload[stripe_customer_id]": ""}, "meter_event_no_customer_defined", "payload[stripe_customer_id]"),
    ({"payload[stripe_customer_id]": "c" * 101}, "text_too_long", "payload[stripe_customer_id]"),
    ({"payload[value]": ""}, "number_malformed", "payload[value]"),
    ({"payload[value]": "three"}, "number_malformed", "payload[value]"),
    ({"payload[value]": "NaN"}, "number_not_finite", "payload[value]"),
    ({"payload[value]": "-1"}, "number_negative", "payload[value]"),
    ({"payload[value]": "1" * 21}, "number_too_large", "payload[value]"),
    ({"payload[value]": "0." + "1" * 19}, "number_too_large", "payload[value]"),
    ({"payload[note]": "n" * 101}, "text_too_long", "payload[note]"),
    ({f"payload[{'k' * 101}]": "x"}, "text_too_long", None),
    ({"payload[a][b]": "x"}, "parameter_invalid_text", "payload[a]"),
    ({"timestamp": "yesterday"}, "parameter_invalid_timestamp", "timestamp"),
    ({"timestamp": "-1"}, "parameter_invalid_timestamp", "timestamp"),
    ({"timestamp": "1764201599"}, "timestamp_too_far_in_past", "timestamp"),
    ({"timestamp": "1767225901"}, "timestamp_in_future", "timestamp"),
    ({"identifier": "i" * 101}, "parameter_too_long", "identifier"),
    ({"identifier": ""}, "parameter_invalid_empty", "identifier"),
    ({"colour": "red"}, "parameter_unknown", "colour"),
    ({"expand[0]": "customer"}, "expand_invalid", "expand[0]"),
]


@pytest.mark.parametrize(("more", "code", "param"), REFUSED)
def test_what_cannot_be_taken_is_refused_by_name(api: Api, more: Mapping[str, str], code: str, param: str | None) -> None:
    make_meter(api)
    status, found, where = error_of(send(api, {**FORM, **more}))
    assert (status, found) == (400, code)
    assert where == param or (param is None and where is not None and where.startswith("payload["))
    assert logged(api) == []


@pytest.mark.parametrize(("at", "status"), [(1764201600, 200), (1767225900, 200)])
def test_the_bounds_of_time_are_taken(api: Api, at: int, status: int) -> None:
    make_meter(api)
    assert send(api, {**FORM, "timestamp": str(at)}).status_code == status


@pytest.mark.parametrize("missing", ["event_name", "payload"])
def test_what_an_event_must_have(api: Api, missing: str) -> None:
    form = {name: value for name, value in FORM.items() if not name.startswith(missing)}
    assert error_of(send(api, form)) == (400, "parameter_missing", missing)


@pytest.mark.parametrize("field", ["stripe_customer_id", "value"])
def test_a_payload_without_customer_or_value(api: Api, field: str) -> None:
    make_meter(api)
    form = {name: value for name, value in FORM.items() if field not in name}
    code = {"stripe_customer_id": "meter_event_no_customer_defined", "value": "meter_event_value_not_found"}[field]
    assert error_of(send(api, form)) == (400, code, f"payload[{field}]")


def test_what_is_counted_needs_no_value_and_what_is_told_apart_takes_any_text(api: Api) -> None:
    make_meter(api, "count", default_aggregation={"formula": "count"})
    make_meter(api, "users", value_settings={"event_payload_key": "user"}, ext={"aggregation": "unique_count"})
    assert send(api, {"event_name": "count", "payload[stripe_customer_id]": "cus_1"}).status_code == 200
    assert send(api, {"event_name": "users", "payload[stripe_customer_id]": "cus_1", "payload[user]": "Ada"}).status_code == 200
    refused = send(api, {"event_name": "users", "payload[stripe_customer_id]": "cus_1"})
    assert error_of(refused) == (400, "meter_event_value_not_found", "payload[user]")


def test_two_customers_in_one_payload(api: Api) -> None:
    make_meter(api, customer_mapping={"type": "by_id", "event_payload_key": "who"})
    form = {**FORM, "payload[who]": "cus_2"}
    assert error_of(send(api, form)) == (400, "fields_conflict", "payload[stripe_customer_id]")
    assert send(api, {**form, "payload[who]": "cus_1"}).json()["payload"] == {"who": "cus_1", "value": "3"}


def test_v2_refuses_by_name(api: Api) -> None:
    make_meter(api)
    payload = BODY["payload"]
    for body, code, param in (
        ({"payload": payload}, "parameter_missing", "event_name"),
        ({**BODY, "payload": {**payload, "value": 3}}, "parameter_invalid_text", "payload[value]"),
        ({**BODY, "payload": {**payload, "value": "-3"}}, "number_negative", "payload[value]"),
        ({**BODY, "timestamp": "2026-01-01"}, "timestamp_malformed", "timestamp"),
        ({**BODY, "timestamp": 1767225600}, "parameter_invalid_text", "timestamp"),
        ({**BODY, "event_name": "e" * 101}, "text_too_long", "event_name"),
        ({**BODY, "identifier": "i" * 256}, "text_too_long", "identifier"),
        ([BODY], "not_an_object", None),
    ):
        assert error_of(send_json(api, V2, body)) == (400, code, param)
    assert error_of(api.send("POST", V2, content=b"{", headers={"Content-Type": "application/json"}))[1] == "json_malformed"
    assert error_of(api.post(V2, FORM)) == (415, "content_type_unsupported", "Content-Type")
    with pytest.raises(stripe.StripeError) as caught:
        api.stripe.v2.billing.meter_events.create({**BODY, "event_name": "nothing"})
    assert told(caught.value) == (400, "no_meter", "event_name")


# ── adjustments ──


def test_an_event_is_cancelled_by_v1(both: Api) -> None:
    make_meter(both)
    send(both, {**FORM, "identifier": "e1"})
    send(both, {**FORM, "identifier": "e2"})
    both.stripe.v1.billing.meter_event_adjustments.create({"event_name": "call", "type": "cancel", "cancel": {"identifier": "e1"}})
    assert both.last.body == {
        "object": "billing.meter_event_adjustment",
        "cancel": {"identifier": "e1"},
        "event_name": "call",
        "livemode": False,
        "status": "complete",
        "type": "cancel",
    }
    assert [one.identifier for one in logged(both)] == ["e2"]
    both.stripe.v1.billing.meter_event_adjustments.create({"event_name": "call", "type": "cancel", "cancel": {"identifier": "e1"}})
    assert [one.identifier for one in logged(both)] == ["e2"]
    assert send(both, {**FORM, "identifier": "e1"}).status_code == 200  # known, and cancelled all the same
    assert [one.identifier for one in logged(both)] == ["e2"]


def test_a_cancellation_waits_for_its_event(both: Api) -> None:
    make_meter(both)
    made = both.stripe.v2.billing.meter_event_adjustments.create({"event_name": "call", "type": "cancel", "cancel": {"identifier": "later"}})
    assert (made.status, made.object, made.created) == ("pending", "v2.billing.meter_event_adjustment", "2026-01-01T00:00:00Z")
    send(both, {**FORM, "identifier": "later"})
    assert logged(both) == []


@pytest.mark.parametrize(
    ("more", "code", "param"),
    [
        ({"event_name": "nothing"}, "no_meter", "event_name"),
        ({"event_name": "other"}, "cancel_names_other_event", "event_name"),
        ({"cancel[identifier]": ""}, "parameter_invalid_empty", "cancel[identifier]"),
        ({"type": "refund"}, "parameter_invalid_choice", "type"),
    ],
)
def test_what_cannot_be_cancelled(api: Api, more: Mapping[str, str], code: str, param: str) -> None:
    make_meter(api)
    make_meter(api, "other")
    send(api, {**FORM, "identifier": "e1"})
    form = {"event_name": "call", "type": "cancel", "cancel[identifier]": "e1"}
    assert error_of(api.post("/v1/billing/meter_event_adjustments", {**form, **more})) == (400, code, param)
    assert len(logged(api)) == 1


def test_a_cancellation_names_its_event(api: Api) -> None:
    make_meter(api)
    answer = api.post("/v1/billing/meter_event_adjustments", {"event_name": "call", "type": "cancel"})
    assert error_of(answer) == (400, "parameter_missing", "cancel[identifier]")
