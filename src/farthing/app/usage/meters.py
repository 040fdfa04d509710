"""Billing meters: which events are usage, and how it is measured. The core's meter is made with the resource and never changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import PageQuery, Row, Test
from farthing.app.usage.kinds import METER
from farthing.app.usage.refusals import METER_EVENT_NAME_TAKEN, METER_KEYS_EQUAL
from farthing.core.base.refusal import Refusal
from farthing.core.events.parse import CUSTOMER_KEY
from farthing.core.events.properties import VALUE
from farthing.core.usage.meter import Aggregation, Meter
from farthing.core.usage.parse import FORMULAS, meter_document, parse_meter

_STEP = re.compile(r"\.([^.\[\]]+)")


def create_meter(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Make a meter, and the core's meter of the same id, in one transaction. There is one active meter for an event_name.

    `ext` names what the formula cannot say (docs/meters.md). Where its aggregation is none of the formulas, the formula is shown as it was
    sent and measures nothing. Errors: meter_event_name_taken, meter_keys_equal, those of a meter's document."""
    id_ = desk.new_id("mtr")
    mapping = dict(params.get("customer_mapping") or {"event_payload_key": CUSTOMER_KEY, "type": "by_id"})
    settings = dict(params.get("value_settings") or {"event_payload_key": VALUE})
    if mapping["event_payload_key"] == settings["event_payload_key"]:
        raise Refusal(METER_KEYS_EQUAL, f"both are {mapping['event_payload_key']!r}.", "value_settings[event_payload_key]")
    meter = _core_meter(id_, params, settings)
    document = {
        "id": id_,
        "customer_mapping": mapping,
        "default_aggregation": {"formula": params["default_aggregation"]["formula"]},
        "display_name": params["display_name"],
        "event_name": meter.event_name,
        "event_time_window": meter.event_time_window,
        "ext": meter_document(meter)["ext"],
        "status": "active",
        "status_transitions": {"deactivated_at": None},
        "updated": desk.second,
        "value_settings": settings,
    }
    with desk.store.transaction():
        _take_name(desk, meter.event_name, id_)
        desk.store.put_meter(meter)
        return plain.create(desk, METER, document)


def update_meter(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change what a meter is called. Errors: resource_missing."""
    return _changed(desk, id_, "updated", {"display_name": params["display_name"]} if "display_name" in params else {})


def deactivate_meter(desk: Desk, id_: str) -> Row:
    """Take no more events by a meter, and free its event_name; what is recorded stays and is billed. Again changes nothing.

    Errors: resource_missing."""
    with desk.store.transaction():
        row = _changed(desk, id_, "deactivated", {"status": "inactive", "status_transitions": {"deactivated_at": desk.second}}, unless="inactive")
        desk.store.release(METER.name, row.document["event_name"], id_)
        return row


def reactivate_meter(desk: Desk, id_: str) -> Row:
    """Take events by a meter again. Again changes nothing. Errors: resource_missing, meter_event_name_taken."""
    with desk.store.transaction():
        _take_name(desk, plain.need(desk, METER, id_).document["event_name"], id_)
        return _changed(desk, id_, "reactivated", {"status": "active", "status_transitions": {"deactivated_at": None}}, unless="active")


def meter_of_name(desk: Desk, event_name: str) -> Row | None:
    """The active meter that takes events of a name; else the newest inactive one; None if there never was one."""
    for conditions in ((Test("status", "eq", "active"),), ()):
        found = desk.store.page(PageQuery(METER.name, 1, tests=(Test("event_name", "eq", event_name), *conditions))).rows
        if found:
            return found[0]
    return None


def bracketed(field: str | None) -> str | None:
    """A field's place as parameters have it: `ext.windows.count` is `ext[windows][count]`."""
    return None if field is None else _STEP.sub(r"[\1]", field)


def _core_meter(id_: str, params: Mapping[str, Any], settings: Mapping[str, Any]) -> Meter:
    """The core's meter. Whose usage it is is read by the API when an event comes, and no meter needs to know it."""
    ext = params.get("ext")
    document = {name: params[name] for name in ("event_name", "display_name", "event_time_window") if name in params}
    formulas = {aggregation.value for aggregation in FORMULAS.values()}
    beyond = ext is not None and ext.get("aggregation") in {one.value for one in Aggregation} - formulas
    if not beyond:
        document["default_aggregation"] = params["default_aggregation"]
    try:
        return parse_meter({"id": id_, **document, "value_settings": settings, "ext": ext})
    except Refusal as refusal:
        raise Refusal(refusal.kind, refusal.message, bracketed(refusal.field)) from None


def _take_name(desk: Desk, event_name: str, id_: str) -> None:
    owner = desk.store.claim(METER.name, event_name, id_)
    if owner is not None and owner != id_:
        raise Refusal(METER_EVENT_NAME_TAKEN, f"{event_name!r} belongs to {owner}.", "event_name")


def _changed(desk: Desk, id_: str, event: str, changes: Mapping[str, Any], unless: str | None = None) -> Row:
    with desk.store.transaction():
        row = plain.need(desk, METER, id_, lock=True)
        if row.document["status"] == unless:
            return row
        document = {**row.document, **changes}
        if document != dict(row.document):
            document["updated"] = desk.second
        return plain.change(desk, METER, row, document, event)
