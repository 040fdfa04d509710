"""Documents ↔ meters. Stripe's fields where it has them; what it lacks is in `ext`. Strict: what nothing reads is refused."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Literal

from farthing.core.base.exact import parse_number, show
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_INVALID, FIELD_MISSING, FIELDS_CONFLICT
from farthing.core.base.time import MICROS, time_zone
from farthing.core.events.condition import ALWAYS
from farthing.core.events.condition_parse import condition_document, parse_condition
from farthing.core.events.fields import below, read_choice, read_flag, read_list, read_object, read_text, required, shown
from farthing.core.events.parse import CUSTOMER_KEY, EVENT_NAME_LONGEST
from farthing.core.events.properties import PROPERTY_NAME_LONGEST, VALUE
from farthing.core.usage.meter import Aggregation, Meter, Windows
from farthing.core.usage.refusals import (
    AGGREGATION_MISSING,
    AGGREGATIONS_DIFFER,
    CUSTOMER_MAPPING_UNSUPPORTED,
    PERCENTILE_OUT_OF_RANGE,
    SETTING_UNUSED,
    WINDOW_COUNT_INVALID,
)

FORMULAS = {"sum": Aggregation.SUM, "count": Aggregation.COUNT, "last": Aggregation.LATEST}
PER = {"second": MICROS, "minute": 60 * MICROS, "hour": 3600 * MICROS, "day": 86_400 * MICROS, "period": 0}
INNER = (Aggregation.COUNT, Aggregation.SUM, Aggregation.MIN, Aggregation.MAX, Aggregation.LATEST, Aggregation.UNIQUE_COUNT)
OUTER = (Aggregation.SUM, Aggregation.MIN, Aggregation.MAX, Aggregation.PERCENTILE)
ID_LONGEST = 255
GROUPS_MOST = 10

_FIELDS = ("id", "event_name", "display_name", "default_aggregation", "customer_mapping", "value_settings", "event_time_window", "ext")
_EXT = ("aggregation", "filters", "group_by", "percentile", "windows", "per")
_WINDOWS = ("unit", "count", "inner", "outer", "time_zone", "empty_as_zero")


def parse_meter(document: object) -> Meter:
    """The meter that a document declares. Errors: field_…, text_…, number_…, fields_conflict and those of this stage."""
    fields = read_object(document, None, _FIELDS)
    raw_ext = fields.get("ext")
    ext = {} if raw_ext is None else read_object(raw_ext, "ext", _EXT)
    aggregation = _aggregation(fields.get("default_aggregation"), ext.get("aggregation"))
    windows = _windows(ext, aggregation)
    _check_customer_mapping(fields.get("customer_mapping"))
    filters, display_name = ext.get("filters"), fields.get("display_name")
    return Meter(
        id=read_text(required(fields, "id"), "id", ID_LONGEST),
        event_name=read_text(required(fields, "event_name"), "event_name", EVENT_NAME_LONGEST),
        aggregation=aggregation,
        value_key=_value_key(fields.get("value_settings")),
        filters=ALWAYS if filters is None else parse_condition(filters, "ext.filters"),
        group_by=_group_by(ext.get("group_by")),
        percentile=_percentile(ext.get("percentile"), aggregation, windows),
        windows=windows,
        per_micros=_per_micros(ext.get("per"), aggregation),
        display_name="" if display_name is None else read_text(display_name, "display_name", 250, empty=True),
        event_time_window=_event_time_window(fields.get("event_time_window")),
    )


def _aggregation(formula: object, named: object) -> Aggregation:
    by_formula: Aggregation | None = None
    if formula is not None:
        settings = read_object(formula, "default_aggregation", ("formula",))
        place = "default_aggregation.formula"
        by_formula = FORMULAS[read_choice(required(settings, "formula", "default_aggregation"), place, FORMULAS)]
    if named is None:
        if by_formula is None:
            raise Refusal(AGGREGATION_MISSING, "the meter does not say how to measure.", "ext.aggregation")
        return by_formula
    aggregation = Aggregation(read_choice(named, "ext.aggregation", [known.value for known in Aggregation]))
    if by_formula not in (None, aggregation):
        raise Refusal(AGGREGATIONS_DIFFER, f"default_aggregation says {by_formula}, ext says {aggregation}.", "ext.aggregation")
    return aggregation


def _check_customer_mapping(raw: object) -> None:
    if raw is None:
        return
    mapping = read_object(raw, "customer_mapping", ("type", "event_payload_key"))
    read_choice(_or(mapping.get("type"), "by_id"), "customer_mapping.type", ("by_id",))
    key = _or(mapping.get("event_payload_key"), CUSTOMER_KEY)
    if key != CUSTOMER_KEY:
        raise Refusal(CUSTOMER_MAPPING_UNSUPPORTED, f"{shown(key)} is not {CUSTOMER_KEY}.", "customer_mapping.event_payload_key")


def _value_key(raw: object) -> str:
    if raw is None:
        return VALUE
    settings = read_object(raw, "value_settings", ("event_payload_key",))
    place = "value_settings.event_payload_key"
    return read_text(required(settings, "event_payload_key", "value_settings"), place, PROPERTY_NAME_LONGEST)


def _group_by(raw: object) -> tuple[str, ...]:
    if raw is None:
        return ()
    places = enumerate(read_list(raw, "ext.group_by", GROUPS_MOST, empty=True))
    names = tuple(read_text(name, f"ext.group_by[{i}]", PROPERTY_NAME_LONGEST) for i, name in places)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Refusal(FIELDS_CONFLICT, f"{shown(twice)} is named twice.", "ext.group_by")
    return names


def _percentile(raw: object, aggregation: Aggregation, windows: Windows | None) -> Fraction | None:
    wanted = aggregation is Aggregation.PERCENTILE or (windows is not None and windows.outer is Aggregation.PERCENTILE)
    if not wanted:
        _unused(raw, "percentile", aggregation)
        return None
    if raw is None:
        raise Refusal(FIELD_MISSING, "the percentile is missing.", "ext.percentile")
    percentile = parse_number(raw, "ext.percentile")
    if not 0 < percentile <= 100:
        raise Refusal(PERCENTILE_OUT_OF_RANGE, f"{show(percentile)} is not above 0 and at most 100.", "ext.percentile")
    return percentile


def _per_micros(raw: object, aggregation: Aggregation) -> int:
    if aggregation is not Aggregation.TIME_WEIGHTED:
        _unused(raw, "per", aggregation)
        return PER["hour"]
    return PER[read_choice(_or(raw, "hour"), "ext.per", PER)]


def _unused(raw: object, name: str, aggregation: Aggregation) -> None:
    if raw is not None:
        raise Refusal(SETTING_UNUSED, f"{aggregation} never reads {name}.", f"ext.{name}")


def _windows(ext: Mapping[str, Any], aggregation: Aggregation) -> Windows | None:
    if aggregation is not Aggregation.WINDOWED:
        _unused(ext.get("windows"), "windows", aggregation)
        return None
    place = "ext.windows"
    fields = read_object(required(ext, "windows", "ext"), place, _WINDOWS)
    unit = read_choice(required(fields, "unit", place), below(place, "unit"), ("minute", "hour", "day", "month"))
    zone = _or(fields.get("time_zone"), "UTC")
    return Windows(
        unit=unit,
        count=_count(unit, _or(fields.get("count"), 1), below(place, "count")),
        inner=Aggregation(read_choice(required(fields, "inner", place), below(place, "inner"), INNER)),
        outer=Aggregation(read_choice(required(fields, "outer", place), below(place, "outer"), OUTER)),
        zone=time_zone(read_text(zone, below(place, "time_zone"), 100), below(place, "time_zone")).key,
        empty_as_zero=read_flag(_or(fields.get("empty_as_zero"), False), below(place, "empty_as_zero")),
    )


def _count(unit: str, raw: object, place: str) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise Refusal(FIELD_INVALID, f"{shown(raw)} is not a whole number.", place)
    even = raw >= 1 and {"minute": raw <= 1440, "hour": 24 % raw == 0, "day": raw <= 366, "month": 12 % raw == 0}[unit]
    if not even:
        raise Refusal(WINDOW_COUNT_INVALID, f"{raw} {unit}s are no length of a bucket.", place)
    return raw


def _or(raw: object, default: object) -> object:
    """A setting, or its default where it is absent or null."""
    return default if raw is None else raw


def _event_time_window(raw: object) -> Literal["day", "hour"] | None:
    if raw is None:
        return None
    return "day" if read_choice(raw, "event_time_window", ("day", "hour")) == "day" else "hour"


def meter_document(meter: Meter) -> dict[str, Any]:
    """The canonical document of a meter: `parse_meter(meter_document(meter)) == meter`. What is at its default is left out of
    `ext`; default_aggregation is there where a formula exists for the aggregation."""
    formula = next((name for name, aggregation in FORMULAS.items() if aggregation is meter.aggregation), None)
    document: dict[str, Any] = {
        "id": meter.id,
        "event_name": meter.event_name,
        "display_name": meter.display_name,
        "customer_mapping": {"type": "by_id", "event_payload_key": CUSTOMER_KEY},
        "value_settings": {"event_payload_key": meter.value_key},
        "event_time_window": meter.event_time_window,
    }
    if formula is not None:
        document["default_aggregation"] = {"formula": formula}
    return {**document, "ext": _ext_document(meter)}


def _ext_document(meter: Meter) -> dict[str, Any]:
    ext: dict[str, Any] = {"aggregation": meter.aggregation.value}
    if meter.filters.tests:
        ext["filters"] = condition_document(meter.filters)
    if meter.group_by:
        ext["group_by"] = list(meter.group_by)
    if meter.percentile is not None:
        ext["percentile"] = show(meter.percentile)
    if meter.windows is not None:
        ext["windows"] = _windows_document(meter.windows)
    if meter.aggregation is Aggregation.TIME_WEIGHTED:
        ext["per"] = next(name for name, micros in PER.items() if micros == meter.per_micros)
    return ext


def _windows_document(windows: Windows) -> dict[str, Any]:
    return {
        "unit": windows.unit,
        "count": windows.count,
        "inner": windows.inner.value,
        "outer": windows.outer.value,
        "time_zone": windows.zone,
        "empty_as_zero": windows.empty_as_zero,
    }
