"""Billing meters: how usage is declared, through the official SDK."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

import pytest
import stripe
from http_service import Api, error_of, told

from farthing.core.base.exact import show
from farthing.core.base.time import Interval
from farthing.core.events.event import Event
from farthing.core.usage.aggregate import aggregate
from farthing.core.usage.meter import Aggregation

CALLS = {"display_name": "Calls", "event_name": "call", "default_aggregation": {"formula": "sum"}}
FORM = {"display_name": "Calls", "event_name": "call", "default_aggregation[formula]": "sum"}


def make(api: Api, **more: Any) -> Any:
    return api.stripe.v1.billing.meters.create({**CALLS, **more})


def core_meter(api: Api, id_: str) -> Any:
    return api.store().meters()[id_]


def test_a_meter_as_it_is_made(both: Api) -> None:
    made = make(both)
    now = both.clock.at // 1_000_000
    assert both.last.body == {
        "id": made.id,
        "object": "billing.meter",
        "created": now,
        "customer_mapping": {"event_payload_key": "stripe_customer_id", "type": "by_id"},
        "default_aggregation": {"formula": "sum"},
        "display_name": "Calls",
        "event_name": "call",
        "event_time_window": None,
        "ext": {"aggregation": "sum"},
        "livemode": False,
        "status": "active",
        "status_transitions": {"deactivated_at": None},
        "updated": now,
        "value_settings": {"event_payload_key": "value"},
    }
    assert made.id.startswith("mtr_")
    assert both.stripe.v1.billing.meters.retrieve(made.id).to_dict() == made.to_dict()
    assert [event["data"]["object"]["id"] for event in both.events("billing.meter.created")] == [made.id]


@pytest.mark.parametrize(("formula", "aggregation"), [("sum", Aggregation.SUM), ("count", Aggregation.COUNT), ("last", Aggregation.LATEST)])
def test_the_core_has_the_meter_under_the_same_id(both: Api, formula: Any, aggregation: Aggregation) -> None:
    made = make(
        both,
        default_aggregation={"formula": formula},
        customer_mapping={"type": "by_id", "event_payload_key": "who"},
        value_settings={"event_payload_key": "tokens"},
        event_time_window="hour",
    )
    meter = core_meter(both, made.id)
    assert (meter.event_name, meter.aggregation, meter.value_key, meter.event_time_window) == ("call", aggregation, "tokens", "hour")
    assert made.customer_mapping.event_payload_key == "who"


EXTENSIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"aggregation": "max"}, {"aggregation": "max"}),
    ({"aggregation": "percentile", "percentile": "99.90"}, {"aggregation": "percentile", "percentile": "99.9"}),
    ({"group_by": ["model", "region"]}, {"aggregation": "sum", "group_by": ["model", "region"]}),
    (
        {"filters": [{"property": "region", "in": ["eu", "uk"]}]},
        {"aggregation": "sum", "filters": [{"property": "region", "in": ["eu", "uk"]}]},
    ),
]


@pytest.mark.parametrize(("ext", "shown"), EXTENSIONS)
@pytest.mark.parametrize("as_text", [True, False])
def test_what_the_formula_cannot_say_is_said_by_ext(api: Api, ext: Mapping[str, Any], shown: Mapping[str, Any], as_text: bool) -> None:
    made = make(api, ext=json.dumps(ext) if as_text else ext)
    assert api.last.body["ext"] == shown and api.last.body["default_aggregation"] == {"formula": "sum"}
    assert core_meter(api, made.id).aggregation == shown["aggregation"]
    if "percentile" in shown:
        assert show(core_meter(api, made.id).percentile) == "99.9"


def test_windows_are_sent_as_json(api: Api) -> None:
    windows = {"unit": "hour", "count": 4, "inner": "max", "outer": "sum", "time_zone": "Europe/London", "empty_as_zero": True}
    make(api, ext=json.dumps({"aggregation": "windowed", "windows": windows}))
    assert api.last.body["ext"] == {"aggregation": "windowed", "windows": windows}


@pytest.mark.parametrize(
    ("more", "code", "param"),
    [
        ({"ext": "{"}, "json_malformed", "ext"),
        ({"ext": "[]"}, "parameter_invalid_object", "ext"),
        ({"ext": ""}, "parameter_invalid_empty", "ext"),
        ({"ext[aggregation]": "average"}, "field_invalid", "ext[aggregation]"),
        ({"ext[aggregation]": "count"}, "aggregations_differ", "ext[aggregation]"),
        ({"ext[more]": "1"}, "field_unknown", "ext[more]"),
        ({"ext": '{"filters":[{"property":"a","in":[]}]}'}, "field_missing", "ext[filters][0][in]"),
        ({"ext[percentile]": "50"}, "setting_unused", "ext[percentile]"),
        ({"event_name": ""}, "parameter_invalid_empty", "event_name"),
        ({"event_name": "e" * 101}, "parameter_too_long", "event_name"),
        ({"display_name": "d" * 251}, "parameter_too_long", "display_name"),
        ({"default_aggregation[formula]": "max"}, "parameter_invalid_choice", "default_aggregation[formula]"),
        ({"event_time_window": "week"}, "parameter_invalid_choice", "event_time_window"),
        ({"customer_mapping[event_payload_key]": "who"}, "parameter_missing", "customer_mapping[type]"),
        ({"value_settings[event_payload_key]": "stripe_customer_id"}, "meter_keys_equal", "value_settings[event_payload_key]"),
        ({"colour": "red"}, "parameter_unknown", "colour"),
    ],
)
def test_what_is_no_meter_is_refused_by_name(api: Api, more: Mapping[str, str], code: str, param: str) -> None:
    assert error_of(api.post("/v1/billing/meters", {**FORM, **more})) == (400, code, param)
    assert api.store().meters() == {} and api.get("/v1/billing/meters").json()["data"] == []


@pytest.mark.parametrize("name", ["display_name", "event_name", "default_aggregation"])
def test_what_is_required(api: Api, name: str) -> None:
    form = {key: value for key, value in FORM.items() if not key.startswith(name)}
    assert error_of(api.post("/v1/billing/meters", form)) == (400, "parameter_missing", name)


def test_only_the_name_that_is_shown_can_be_changed(both: Api) -> None:
    made = make(both)
    both.clock.forward(5)
    changed = both.stripe.v1.billing.meters.update(made.id, {"display_name": "API calls"})
    assert (changed.display_name, changed.updated, changed.created) == ("API calls", made.created + 5, made.created)
    (told_of,) = both.events("billing.meter.updated")
    assert told_of["data"]["previous_attributes"] == {"display_name": "Calls", "updated": made.created}
    assert error_of(both.post(f"/v1/billing/meters/{made.id}", {"event_name": "x"})) == (400, "parameter_unknown", "event_name")
    assert error_of(both.post("/v1/billing/meters/mtr_none", {"display_name": "x"})) == (404, "resource_missing", "id")


def test_one_active_meter_for_a_name(both: Api) -> None:
    first = make(both)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        make(both)
    assert told(caught.value) == (400, "meter_event_name_taken", "event_name")
    both.clock.forward(7)
    off = both.stripe.v1.billing.meters.deactivate(first.id)
    assert (off.status, off.status_transitions.deactivated_at, off.updated) == ("inactive", first.created + 7, first.created + 7)
    assert both.stripe.v1.billing.meters.deactivate(first.id).to_dict() == off.to_dict()
    second = make(both)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        both.stripe.v1.billing.meters.reactivate(first.id)
    assert told(caught.value) == (400, "meter_event_name_taken", "event_name")
    both.stripe.v1.billing.meters.deactivate(second.id)
    on = both.stripe.v1.billing.meters.reactivate(first.id)
    assert (on.status, on.status_transitions.deactivated_at) == ("active", None)
    assert both.stripe.v1.billing.meters.reactivate(first.id).to_dict() == on.to_dict()
    assert [len(both.events(f"billing.meter.{name}")) for name in ("created", "deactivated", "reactivated")] == [2, 2, 1]


def test_the_list_by_status(both: Api) -> None:
    ids = [make(both, event_name=f"call {n}").id for n in range(3)]
    both.stripe.v1.billing.meters.deactivate(ids[1])
    assert [one.id for one in both.stripe.v1.billing.meters.list({"status": "active"}).data] == [ids[2], ids[0]]
    assert [one.id for one in both.stripe.v1.billing.meters.list({"status": "inactive"}).data] == [ids[1]]
    page = both.stripe.v1.billing.meters.list({"limit": 2})
    assert page.has_more and [one.id for one in page.auto_paging_iter()] == ids[::-1]


def test_of_many_requests_at_once_one_makes_the_meter(api_pg: Api) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(api_pg.http.post("/v1/billing/meters", data=FORM).status_code)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [200] + [400] * 11 and len(api_pg.store().meters()) == 1


def test_the_core_measures_by_it(api: Api) -> None:
    made = make(api, value_settings={"event_payload_key": "tokens"})
    meter = core_meter(api, made.id)
    event = Event("e", "call", "cus_1", 5, {"tokens": "2.50"})
    assert show(aggregate(meter, [event], Interval(0, 10)).quantity) == "2.5"
