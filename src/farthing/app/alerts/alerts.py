"""Alerts on usage: once what a meter measured of a customer since the alert was made reaches its threshold, an event tells of it, once.

Usage is looked at by due work, every minute of the wall clock, and only where the log has grown since the last look. The figure is exact: the
meter's own aggregation over all of the customer's events since the alert began, the late ones and corrections among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from farthing.app.alerts.kinds import ALERT
from farthing.app.alerts.refusals import ALERT_ARCHIVED, ALERT_FILTER, ALERT_METER, ALERT_STATUS, ALERT_THRESHOLD
from farthing.app.clocks.desks import time_of
from farthing.app.customers.kinds import CUSTOMER
from farthing.app.resources import plain
from farthing.app.resources.changes import tell
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.app.usage.kinds import METER
from farthing.app.usage.summaries import measured
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_MISSING
from farthing.core.base.time import FOREVER, MICROS, Interval
from farthing.core.usage.aggregate import aggregate
from farthing.core.usage.meter import Aggregation, Meter

EVERY = 60
"""Seconds of the wall clock between two looks."""


def create_alert(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Make an alert, which is active: it looks at what happens from now on, by the customer's own clock.

    Errors: field_missing, resource_missing, alert_threshold, alert_filter, alert_meter.
    """
    sent = params.get("usage_threshold")
    if sent is None:
        raise Refusal(FIELD_MISSING, "usage_threshold is missing.", "usage_threshold")
    if sent["gte"] <= 0:
        raise Refusal(ALERT_THRESHOLD, f"{sent['gte']} is not above zero.", "usage_threshold[gte]")
    filters: Sequence[Mapping[str, Any]] = sent.get("filters") or ()
    if len(filters) != 1 or filters[0].get("customer") is None:
        raise Refusal(ALERT_FILTER, f"there are {len(filters)} filters, or one without a customer.", "usage_threshold[filters]")
    with desk.store.transaction():
        customer = plain.need(desk, CUSTOMER, filters[0]["customer"], "usage_threshold[filters][0][customer]").id
        _check_meter(desk, sent["meter"])
        threshold = {"filters": [{"customer": customer, "type": "customer"}], "gte": sent["gte"], "meter": sent["meter"], "recurrence": "one_time"}
        document = {
            "id": desk.new_id("alrt"),
            "object": ALERT.name,
            "alert_type": "usage_threshold",
            "livemode": desk.live,
            "status": "active",
            "title": params["title"],
            "usage_threshold": threshold,
        }
        hidden = {"begins": time_of(desk, customer) // MICROS, "position": None, "triggered": False}
        desk.store.add(ALERT.name, document["id"], desk.second, document, due_at=desk.wall_clock, hidden=hidden)
        return plain.need(desk, ALERT, document["id"])


def _check_meter(desk: Desk, id_: str) -> None:
    row = plain.need(desk, METER, id_, "usage_threshold[meter]")
    meter = desk.store.meters()[id_]
    if meter.aggregation in (Aggregation.TIME_WEIGHTED, Aggregation.WINDOWED):
        raise Refusal(ALERT_METER, f"{meter.aggregation} has a figure for a certain time only.", "usage_threshold[meter]")
    if row.document["status"] != "active":
        raise Refusal(ALERT_METER, f"meter {id_[:80]!r} is {row.document['status']}.", "usage_threshold[meter]")
    if meter.group_by and meter.aggregation not in (Aggregation.SUM, Aggregation.COUNT):
        raise Refusal(ALERT_METER, f"{meter.aggregation} by {', '.join(meter.group_by)} has no figure for all groups.", "usage_threshold[meter]")


def activate_alert(desk: Desk, id_: str) -> Row:
    """An inactive alert looks again; one that was triggered stays so. Errors: resource_missing, alert_archived, alert_status."""
    return _changed(desk, id_, "active")


def deactivate_alert(desk: Desk, id_: str) -> Row:
    """An active alert looks at nothing until it is activated again. Errors: resource_missing, alert_archived, alert_status."""
    return _changed(desk, id_, "inactive")


def archive_alert(desk: Desk, id_: str) -> Row:
    """An alert looks at nothing any more. Errors: resource_missing, alert_archived."""
    return _changed(desk, id_, "archived")


def _changed(desk: Desk, id_: str, status: str) -> Row:
    with desk.store.transaction():
        row = plain.need(desk, ALERT, id_, lock=True)
        before = row.document["status"]
        if before == "archived":
            raise Refusal(ALERT_ARCHIVED, f"alert {id_[:80]!r} is archived.", "id")
        if before == status:
            raise Refusal(ALERT_STATUS, f"alert {id_[:80]!r} is {status} already.", "id")
        looks = status == "active" and not row.hidden["triggered"]
        return plain.change(desk, ALERT, row, {**row.document, "status": status}, event=None, due_at=desk.wall_clock if looks else None)


def look(desk: Desk, row: Row) -> None:
    """The due work on an alert: trigger it if the threshold is reached, else look again in a minute."""
    threshold, hidden = row.document["usage_threshold"], dict(row.hidden)
    customer, position = threshold["filters"][0]["customer"], desk.store.head()
    if position != hidden["position"]:
        value = figure(desk, desk.store.meters()[threshold["meter"]], customer, hidden["begins"])
        if value >= threshold["gte"]:
            _trigger(desk, row, customer, int(value))
            return
        hidden["position"] = position
    plain.change(desk, ALERT, row, row.document, event=None, due_at=desk.wall_clock + EVERY * MICROS, hidden=hidden)


def figure(desk: Desk, meter: Meter, customer: str, begins: int) -> Fraction:
    """What a meter measured of a customer from a time in seconds on, exactly."""
    span = Interval(begins * MICROS, FOREVER)
    return aggregate(meter, measured(desk, meter, customer, span), span).quantity


def _trigger(desk: Desk, row: Row, customer: str, value: int) -> None:
    """Tell of it, once; `value` is the figure, cut to a whole number."""
    plain.change(desk, ALERT, row, row.document, event=None, due_at=None, hidden={**row.hidden, "triggered": True})
    told = {
        "object": "billing.alert_triggered",
        "alert": dict(row.document),
        "created": desk.second,
        "customer": customer,
        "livemode": desk.live,
        "value": value,
    }
    tell(desk, "billing.alert.triggered", told)
