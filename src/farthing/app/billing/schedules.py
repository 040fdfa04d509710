"""Subscription schedules: phases that a subscription goes through, each begun at its time by the verbs that change subscriptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from farthing.app.billing import subscriptions as begun
from farthing.app.billing.changes import change_at
from farthing.app.billing.collect import subscribe
from farthing.app.billing.kinds import SCHEDULE, SUBSCRIPTION
from farthing.app.billing.refusals import (
    SCHEDULE_ENDED,
    SCHEDULE_PHASES_APART,
    SCHEDULE_UNSUPPORTED,
    SUBSCRIPTION_SCHEDULED,
    SUBSCRIPTION_TIME_OUT_OF_RANGE,
)
from farthing.app.billing.schedule_phases import change_params, default_settings, first_params, read_phases, terms
from farthing.app.clocks.desks import clock_of
from farthing.app.customers.customers import ends_with_customer
from farthing.app.customers.kinds import CUSTOMER
from farthing.app.resources import plain
from farthing.app.resources.changes import tell
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import PageQuery, Row, Test
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_MISSING, FIELDS_CONFLICT
from farthing.core.base.time import MICROS

GOING_ON = ("not_started", "active")
Document = Mapping[str, Any]


def create_schedule(desk: Desk, params: Document) -> Row:
    """Make a schedule: of phases, the first of which begins at `start_date` (by default now), or of a subscription that there is
    (`from_subscription`), whose current period becomes the first phase.

    Errors: subscription_schedule_…, subscription_…, resource_missing, field_missing, fields_conflict.
    """
    with desk.store.transaction():
        if params.get("from_subscription") is not None:
            return _from_subscription(desk, params)
        for name in ("customer", "phases"):
            if not params.get(name):
                raise Refusal(FIELD_MISSING, f"a schedule needs {name}, or from_subscription.", name)
        customer = plain.need(desk, CUSTOMER, params["customer"], "customer", lock=True)
        desk = clock_of(desk, customer)
        start = params.get("start_date", "now")
        start = desk.second if start == "now" else start
        defaults = default_settings(params.get("default_settings") or {})
        phases = read_phases(desk, params["phases"], start, None, defaults)
        _check_end(desk, phases[0], "phases[0][end_date]")
        document = {**_blank(params, customer, defaults), "phases": phases}
        row = plain.create(desk, SCHEDULE, document, clock=customer.clock, due_at=start * MICROS, hidden={"phase": -1})
        return _advance(desk, row)


def _blank(params: Document, customer: Row, defaults: Document) -> dict[str, Any]:
    return {
        "application": None,
        "billing_mode": {"flexible": {"proration_discounts": "itemized"}, "type": "flexible"},
        "canceled_at": None,
        "completed_at": None,
        "current_phase": None,
        "customer": customer.id,
        "customer_account": None,
        "default_settings": dict(defaults),
        "end_behavior": _end_behavior(params),
        "metadata": plain.merged_metadata({}, params.get("metadata")),
        "pause_schedules": [],
        "released_at": None,
        "released_subscription": None,
        "status": "not_started",
        "subscription": None,
        "test_clock": customer.clock,
    }


def _end_behavior(params: Document) -> str:
    found: str = params.get("end_behavior", "release")
    if found not in ("release", "cancel"):
        raise Refusal(SCHEDULE_UNSUPPORTED, f"end_behavior is {found}.", "end_behavior")
    return found


def _check_end(desk: Desk, phase: Document, field: str) -> None:
    if phase["end_date"] < desk.second:
        raise Refusal(SUBSCRIPTION_TIME_OUT_OF_RANGE, f"the end {phase['end_date']} is before now, {desk.second}.", field)


def _from_subscription(desk: Desk, params: Document) -> Row:
    for name in ("customer", "phases", "start_date", "default_settings", "end_behavior"):
        if params.get(name) is not None:
            raise Refusal(FIELDS_CONFLICT, f"{name} and from_subscription are both sent.", name)
    held = plain.need(desk, SUBSCRIPTION, params["from_subscription"], "from_subscription", lock=True)
    customer = plain.need(desk, CUSTOMER, held.document["customer"], "customer", lock=True)
    desk = clock_of(desk, customer)
    held = begun.caught_up(desk, held)
    document = held.document
    if document["schedule"] is not None:
        raise Refusal(SUBSCRIPTION_SCHEDULED, f"subscription {held.id!r} goes by {document['schedule']}.", "from_subscription")
    names = ("billing_cycle_anchor", "collection_method", "default_payment_method", "description")
    sent = {name: document[name] for name in names if name != "billing_cycle_anchor"}
    defaults = default_settings({**sent, "invoice_settings": {"days_until_due": document["days_until_due"]}})
    first = document["items"]["data"][0]
    phase = {
        "items": [
            {"price": item["price"]["id"], **{name: item[name] for name in ("quantity", "metadata") if name in item}}
            for item in document["items"]["data"]
        ],
        "discounts": [{"discount": id_} for id_ in document["discounts"]],
        "default_tax_rates": [rate["id"] for rate in document["default_tax_rates"] or ()],
        "end_date": first["current_period_end"],
        "metadata": document["metadata"],
        **({"trial_end": document["trial_end"]} if document["status"] == "trialing" else {}),
    }
    start = first["current_period_start"]
    phases = read_phases(desk, [phase], start, document["currency"], defaults)
    made = {
        **_blank({"metadata": params.get("metadata")}, customer, defaults),
        "phases": phases,
        "current_phase": {"start_date": start, "end_date": phases[0]["end_date"]},
        "status": "active",
        "subscription": held.id,
    }
    row = plain.create(desk, SCHEDULE, made, clock=customer.clock, due_at=phases[0]["end_date"] * MICROS, hidden={"phase": 0})
    _go_by(desk, held.id, row.id)
    return row


def _go_by(desk: Desk, subscription: str, schedule: str | None) -> None:
    """Note on a subscription which schedule it goes by."""
    held = plain.need(desk, SUBSCRIPTION, subscription, lock=True)
    changed = plain.change(desk, SUBSCRIPTION, held, {**held.document, "schedule": schedule}, event=None)
    if changed.document["status"] not in begun.ENDED:
        tell(desk, "customer.subscription.updated", changed.document, held.document)


def advance_schedule(desk: Desk, row: Row) -> None:
    """Do what is due on a schedule: begin its phases whose time has come, or end it."""
    plain.need(desk, CUSTOMER, row.document["customer"], "customer", lock=True)
    _advance(desk, row)


def _advance(desk: Desk, row: Row, up_to: int | None = None) -> Row:
    until = desk.at if up_to is None else up_to
    while row.due_at is not None and row.due_at <= until:
        at, n = row.due_at // MICROS, row.hidden["phase"] + 1
        row = _enter(desk, row, n, at) if n < len(row.document["phases"]) else _finish(desk, row, at)
    return row


def _enter(desk: Desk, row: Row, n: int, at: int) -> Row:
    """Begin the n-th phase at a time in seconds."""
    document = row.document
    phase, defaults = document["phases"][n], document["default_settings"]
    if document["subscription"] is None:
        since = {"backdate_start_date": at} if at < desk.second else {}
        sent = {"customer": document["customer"], "schedule": row.id, **first_params(phase, defaults), **since}
        subscription = subscribe(desk, sent).id
    else:
        held = _before(desk, document["subscription"], at)
        if held.document["status"] in begun.ENDED:
            return plain.need(desk, SCHEDULE, row.id)  # which has ended with it
        _change(desk, held, change_params(desk, held.document, phase, document["phases"][max(n - 1, 0)], defaults), at)
        subscription = held.id
    current = {"start_date": phase["start_date"], "end_date": phase["end_date"]}
    made = {**document, "current_phase": current, "status": "active", "subscription": subscription}
    row = plain.need(desk, SCHEDULE, row.id, lock=True)
    return plain.change(desk, SCHEDULE, row, made, due_at=phase["end_date"] * MICROS, hidden={**row.hidden, "phase": n})


def _change(desk: Desk, held: Row, params: Mapping[str, Any], at: int) -> None:
    customer = plain.need(desk, CUSTOMER, held.document["customer"], "customer", lock=True)
    change_at(desk, customer, held, params, at)


def _before(desk: Desk, id_: str, at: int) -> Row:
    """A subscription in the period that a time lies in or at the end of, whatever was still to be done before."""
    held = plain.need(desk, SUBSCRIPTION, id_, lock=True)
    while held.due_at is not None and held.due_at < at * MICROS and held.document["status"] != "incomplete":
        begun.roll_subscription(desk, held)
        held = plain.need(desk, SUBSCRIPTION, id_, lock=True)
    return held


def _finish(desk: Desk, row: Row, at: int) -> Row:
    """The last phase is over: the subscription goes on without the schedule, or ends with it."""
    if row.document["end_behavior"] == "release":
        return _released(desk, row)
    held = _before(desk, row.document["subscription"], at)
    if held.document["status"] in begun.ENDED:
        return plain.need(desk, SCHEDULE, row.id)
    row = _over(desk, row, {"status": "completed", "completed_at": at}, "completed")
    begun.end_subscription(desk, held, at, bill_usage=True, reason="cancellation_requested")
    _go_by(desk, held.id, None)
    return row


def _released(desk: Desk, row: Row) -> Row:
    subscription = row.document["subscription"]
    changes = {"status": "released", "released_at": desk.second, "released_subscription": subscription, "subscription": None}
    row = _over(desk, row, changes, "released")
    if subscription is not None:
        _go_by(desk, subscription, None)
    return row


def _over(desk: Desk, row: Row, changes: Document, event: str) -> Row:
    return plain.change(desk, SCHEDULE, row, {**row.document, **changes, "current_phase": None}, event, due_at=None)


def update_schedule(desk: Desk, id_: str, params: Document) -> Row:
    """Change a schedule. `phases` replaces the current phase and all that come: the current one keeps its start, and what it says
    otherwise holds from now on, prorated as `proration_behavior` says.

    Errors: resource_missing, subscription_schedule_…, subscription_….
    """
    with desk.store.transaction():
        row, desk = _going_on(desk, id_)
        document = {**row.document}
        if "metadata" in params:
            document["metadata"] = plain.merged_metadata(document["metadata"], params["metadata"])
        if "end_behavior" in params:
            document["end_behavior"] = _end_behavior(params)
        if "default_settings" in params:
            document["default_settings"] = default_settings(params["default_settings"], document["default_settings"])
        if "phases" in params:
            document["phases"] = _replaced(desk, row, params["phases"], document["default_settings"])
        n, due_at = row.hidden["phase"], row.due_at
        if n < 0:
            due_at = document["phases"][0]["start_date"] * MICROS
        else:
            current = document["phases"][n]
            due_at = current["end_date"] * MICROS
            document["current_phase"] = {"start_date": current["start_date"], "end_date": current["end_date"]}
        before = row.document
        row = plain.change(desk, SCHEDULE, row, document, due_at=due_at)
        if n >= 0 and terms(document["phases"][n]) != terms(before["phases"][n]):
            _say_otherwise(desk, row, before["phases"][n], params.get("proration_behavior", "create_prorations"))
        return _advance(desk, plain.need(desk, SCHEDULE, id_, lock=True))


def _replaced(desk: Desk, row: Row, sent: Any, defaults: Document) -> list[dict[str, Any]]:
    """The phases after an update; those that are over stay, sent or not."""
    phases, n = row.document["phases"], max(row.hidden["phase"], 0)
    over = {phase["start_date"] for phase in phases[:n]}
    sent = [one for one in sent if one.get("start_date") not in over]
    if not sent:
        raise Refusal(FIELD_MISSING, "the current phase is to be among them.", "phases")
    start = phases[n]["start_date"]
    if row.hidden["phase"] < 0:
        asked = sent[0].get("start_date", start)
        start = desk.second if asked == "now" else asked
    elif sent[0].get("start_date", start) != start:
        raise Refusal(SCHEDULE_PHASES_APART, f"the current phase began at {start}.", "phases[0][start_date]")
    else:
        sent = [{**sent[0], "start_date": start}, *sent[1:]]
    found = read_phases(desk, sent, start, row.document["phases"][0]["currency"], defaults)
    _check_end(desk, found[0], "phases[0][end_date]")
    return [*phases[:n], *found]


def _say_otherwise(desk: Desk, row: Row, before: Document, behavior: str) -> None:
    """The current phase is another now."""
    held = begun.caught_up(desk, plain.need(desk, SUBSCRIPTION, row.document["subscription"], lock=True))
    phase = row.document["phases"][row.hidden["phase"]]
    params = change_params(desk, held.document, phase, before, row.document["default_settings"])
    _change(desk, held, {**params, "proration_behavior": behavior}, desk.second)


def cancel_schedule(desk: Desk, id_: str, params: Document) -> Row:
    """End a schedule and its subscription now: by default what was used is billed (`invoice_now`), and what was billed in advance for the
    time after is given back (`prorate`). Errors: resource_missing, subscription_schedule_ended."""
    with desk.store.transaction():
        row, desk = _going_on(desk, id_)
        row = _over(desk, row, {"status": "canceled", "canceled_at": desk.second}, "canceled")
        subscription = row.document["subscription"]
        if subscription is not None:
            settings = {"invoice_now": params.get("invoice_now", True), "prorate": params.get("prorate", True)}
            begun.cancel_subscription(desk, subscription, settings)
            _go_by(desk, subscription, None)
        return row


def release_schedule(desk: Desk, id_: str, params: Document) -> Row:
    """End a schedule and leave its subscription as it is. With `preserve_cancel_date` one that was to end with the last phase does so.

    Errors: resource_missing, subscription_schedule_ended."""
    with desk.store.transaction():
        row, desk = _going_on(desk, id_)
        subscription, end = row.document["subscription"], row.document["phases"][-1]["end_date"]
        keeps = params.get("preserve_cancel_date") and row.document["end_behavior"] == "cancel"
        row = _released(desk, row)
        if subscription is not None and keeps:
            _change(desk, begun.caught_up(desk, plain.need(desk, SUBSCRIPTION, subscription, lock=True)), {"cancel_at": end}, desk.second)
        return row


def _going_on(desk: Desk, id_: str) -> tuple[Row, Desk]:
    """A schedule that is not over, with its phases begun up to now, and the desk in its time. Errors: subscription_schedule_ended."""
    row = plain.need(desk, SCHEDULE, id_, lock=True)
    customer = plain.need(desk, CUSTOMER, row.document["customer"], "customer", lock=True)
    desk = clock_of(desk, customer)
    row = _advance(desk, row)
    if row.document["status"] not in GOING_ON:
        raise Refusal(SCHEDULE_ENDED, f"schedule {id_[:80]!r} is {row.document['status']}.", "schedule")
    return row, desk


@ends_with_customer
def end_with_customer(desk: Desk, customer: str) -> None:
    """A schedule that has not begun ends with its customer; one that has ends with its subscription."""
    waiting = (Test("customer", "eq", customer), Test("status", "eq", "not_started"))
    while rows := plain.page(desk, PageQuery(SCHEDULE.name, 100, tests=waiting)).rows:
        for row in rows:
            _over(desk, row, {"status": "canceled", "canceled_at": desk.second}, "canceled")


@begun.before_rolling
def phase_before_period(desk: Desk, subscription: Row) -> None:
    """A phase that begins when a period ends is begun first, so that the next period is billed by it."""
    if subscription.document["schedule"] is None or subscription.due_at is None:
        return
    row = plain.need(desk, SCHEDULE, subscription.document["schedule"], lock=True)
    _advance(desk, row, subscription.due_at)


@begun.when_ended
def end_with_subscription(desk: Desk, subscription: Row) -> None:
    """A schedule whose subscription has ended otherwise ends with it."""
    if subscription.document["schedule"] is None:
        return
    row = plain.need(desk, SCHEDULE, subscription.document["schedule"], lock=True)
    if row.document["status"] in GOING_ON:
        requested = subscription.document["cancellation_details"]["reason"] == "cancellation_requested"
        _over(desk, row, {"status": "canceled", "canceled_at": desk.second}, "canceled" if requested else "aborted")
    held = plain.need(desk, SUBSCRIPTION, subscription.id, lock=True)
    desk.store.put(replace(held, document={**held.document, "schedule": None}))
