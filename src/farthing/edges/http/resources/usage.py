"""Billing meters, meter events and their adjustments, sessions of the stream, and summaries. The three operations that take events are
answered by `edges/http/meter_events.py`, many at once; the routes here say which parameters they take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from farthing.app.usage.adjustments import cancel_event
from farthing.app.usage.events import Recorded, Sent, identifier_of, record
from farthing.app.usage.kinds import METER
from farthing.app.usage.meters import create_meter, deactivate_meter, reactivate_meter, update_meter
from farthing.app.usage.summaries import Asked, summaries
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import TEXT_TOO_LONG
from farthing.core.base.time import MICROS, Instant, show_instant
from farthing.core.events.fields import read_text
from farthing.core.events.parse import EVENT_NAME_LONGEST, IDENTIFIER_LONGEST
from farthing.core.events.refusals import IDENTIFIER_CONFLICT
from farthing.edges.http import lists, problem, sessions
from farthing.edges.http.refusals import PARAMETER_MISSING, PARAMETER_TOO_MANY, SESSION_EXPIRED
from farthing.edges.http.routes import Call, Items, listed, retrieved, route

ONE = "/v1/billing/meters/{id}"
METER_FIELDS = ("customer_mapping", "default_aggregation", "display_name", "event_name", "event_time_window", "ext", "value_settings")
EVENT_FIELDS = ("event_name", "identifier", "payload", "timestamp")
V1, V2, STREAM = "/v1/billing/meter_events", "/v2/billing/meter_events", "/v2/billing/meter_event_stream"
LONGEST_VALUE = 100
MOST_IN_STREAM = 100


def add_routes() -> None:
    """Serve meters and usage."""
    problem.answered(IDENTIFIER_CONFLICT, 409)
    problem.answered(SESSION_EXPIRED, 401, "temporary_session_expired")
    route("GET", METER.collection, lambda call: listed(call, METER), (*lists.CURSORS, "status"))
    route("GET", ONE, lambda call: retrieved(call, METER))
    route("POST", METER.collection, lambda call: create_meter(call.desk, call.params), METER_FIELDS)
    route("POST", ONE, lambda call: update_meter(call.desk, call.id, call.params), ("display_name",))
    route("POST", f"{ONE}/deactivate", lambda call: deactivate_meter(call.desk, call.id))
    route("POST", f"{ONE}/reactivate", lambda call: reactivate_meter(call.desk, call.id))
    route("GET", f"{ONE}/event_summaries", _summaries, (*lists.CURSORS, "customer", "start_time", "end_time", "value_grouping_window"))
    route("POST", V1, _recorded, EVENT_FIELDS)
    route("POST", V2, _recorded, EVENT_FIELDS)
    route("POST", STREAM, _recorded, ("events",))
    route("POST", "/v2/billing/meter_event_session", _session)
    route("POST", "/v1/billing/meter_event_adjustments", _adjusted, ("cancel", "event_name", "type"))
    route("POST", "/v2/billing/meter_event_adjustments", _adjusted, ("cancel", "event_name", "type"))


def read_events(path: str, params: Mapping[str, Any], key: str | None, now: Instant, new_id: Callable[[str], str]) -> tuple[Sent, ...]:
    """The events of a request to one of the three operations. Without an identifier an event has one that follows from the request's
    idempotency key, so that sending it again is no second event; without a key a new one is made.

    Errors: text_too_long, parameter_too_many."""
    if path != STREAM:
        return (_sent(path, params, key, now, new_id, ""),)
    events = params["events"]
    if not 0 < len(events) <= MOST_IN_STREAM:
        raise Refusal(PARAMETER_TOO_MANY, f"{len(events)} events are not 1 to {MOST_IN_STREAM}.", "events")
    return tuple(_sent(path, event, key, now, new_id, f"events[{n}]") for n, event in enumerate(events))


def _sent(path: str, params: Mapping[str, Any], key: str | None, now: Instant, new_id: Callable[[str], str], place: str) -> Sent:
    payload, identifier, at = params["payload"], params.get("identifier"), params.get("timestamp")
    if path == V1:
        for name, value in payload.items():
            if len(value) > LONGEST_VALUE:
                raise Refusal(TEXT_TOO_LONG, f"{len(value)} characters are more than {LONGEST_VALUE}.", f"payload[{name}]")
        now = now // MICROS * MICROS  # what is answered, in whole seconds, is what is kept
        at = None if at is None else at * MICROS
    else:
        read_text(params["event_name"], _within(place, "event_name"), EVENT_NAME_LONGEST)
        if identifier is not None:
            read_text(identifier, _within(place, "identifier"), IDENTIFIER_LONGEST)
    named = identifier is not None or key is not None
    if identifier is None:
        identifier = new_id("mtrevt") if key is None else identifier_of(key, place)
    return Sent(params["event_name"], payload, identifier, now if at is None else at, at is not None, named, place)


def _within(place: str, name: str) -> str:
    return f"{place}[{name}]" if place else name


def event_document(path: str, recorded: Recorded, live: bool) -> dict[str, Any]:
    """A recorded event as the operation at a path answers it; the payload as it is kept (a `value` of 1.0 is 1)."""
    event, at = recorded.event, recorded.recorded_at
    second = path == V1
    return {
        "object": "billing.meter_event" if second else "v2.billing.meter_event",
        "created": at // MICROS if second else _shown(at),
        "event_name": event.event_name,
        "identifier": event.identifier,
        "livemode": live,
        "payload": recorded.payload,
        "timestamp": event.at // MICROS if second else _shown(event.at),
    }


def _shown(at: Instant) -> str:
    """An instant as v2 has it."""
    return show_instant(at).removesuffix("+00:00") + "Z"


def _recorded(call: Call) -> dict[str, Any]:
    """One request alone, as the usual way of requests has it."""
    path, desk = call.operation.path, call.desk
    outcome = record(desk, [read_events(path, call.params, desk.idempotency_key, desk.at, desk.new_id)])[0]
    if isinstance(outcome, Refusal):
        raise outcome
    return {} if path == STREAM else event_document(path, outcome[0], desk.live)


def _summaries(call: Call) -> Items:
    params = call.params
    lists.refuse_two_cursors(params)
    asked = Asked(
        call.id,
        params["customer"],
        params["start_time"],
        params["end_time"],
        params.get("value_grouping_window"),
        params.get("starting_after"),
        params.get("ending_before"),
    )
    documents, more = summaries(call.desk, asked, lists.limit_of(params))
    return Items(documents, f"/v1/billing/meters/{call.id}/event_summaries", more)


def _session(call: Call) -> dict[str, Any]:
    desk = call.desk
    expires_at = desk.at + sessions.LASTS
    return {
        "id": desk.new_id("mtrevtsess"),
        "object": "v2.billing.meter_event_session",
        "authentication_token": sessions.new_token(desk, call.caller.hash, expires_at),
        "created": _shown(desk.at),
        "expires_at": _shown(expires_at),
        "livemode": desk.live,
    }


def _adjusted(call: Call) -> dict[str, Any]:
    desk, params = call.desk, call.params
    identifier = (params.get("cancel") or {}).get("identifier")
    if identifier is None:
        raise Refusal(PARAMETER_MISSING, "cancel[identifier] is required.", "cancel[identifier]")
    complete = cancel_event(desk, params["event_name"], identifier)
    document = {
        "object": call.operation.result,
        "cancel": {"identifier": identifier},
        "event_name": params["event_name"],
        "livemode": desk.live,
        "status": "complete" if complete else "pending",
        "type": "cancel",
    }
    if not call.operation.json:
        return document
    return {**document, "id": desk.new_id("mtrevtadj"), "created": _shown(desk.at)}
