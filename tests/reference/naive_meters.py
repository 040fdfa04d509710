"""Naive metering: a literal transcription of docs/meters.md. Standard library only; slow on purpose.

Events are dicts: "at" (microseconds since 1970 in UTC), "position" (in the log) and "payload" (text to text).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from naive_values import EPOCH, Test, condition_holds, exact_text, number_or_none, property_text, read_number

UNITS = {"second": 10**6, "minute": 60 * 10**6, "hour": 3600 * 10**6, "day": 86400 * 10**6}
MONDAY = date(1970, 1, 5)

Usage = dict[str, Any]  # "quantity" (Fraction), "events", "set_aside" (int), "details" (text to text)
Measured = list[tuple[dict[str, Any], Any]]  # events with what was read from each, in order


# The document


def aggregation_of(meter: dict[str, Any]) -> str:
    name = meter.get("ext", {}).get("aggregation")
    if name is None:
        formula = meter["default_aggregation"]["formula"]
        return "latest" if formula == "last" else str(formula)
    return str(name)


def measured_property(meter: dict[str, Any]) -> str:
    return str((meter.get("value_settings") or {}).get("event_payload_key") or "value")


def filters_of(meter: dict[str, Any]) -> list[Test]:
    tests = []
    for document in meter.get("ext", {}).get("filters") or []:
        (operator,) = [key for key, operand in document.items() if key != "property" and operand is not None]
        operand = document[operator]
        if operator in ("in", "not_in"):
            operand = [property_text(as_written(value)) for value in operand]
        elif operator != "exists":
            operand = read_number(as_written(operand))
        tests.append(Test(document["property"], operator, operand))
    return tests


def as_written(value: Any) -> Any:
    """A number as text: a float of json.loads as the shortest text that reads back."""
    return repr(value) if isinstance(value, float) else value


# What holds for all


def in_order(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(events, key=lambda event: (event["at"], event["position"]))


def properties_of(event: dict[str, Any]) -> dict[str, str]:
    """The payload, with `value` in canonical form."""
    properties = dict(event["payload"])
    number = number_or_none(properties.get("value"))
    if number is not None:
        properties["value"] = exact_text(number)
    return properties


def passing(meter: dict[str, Any], events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    tests = filters_of(meter)
    return [event for event in in_order(events) if condition_holds(tests, properties_of(event))]


def read_values(aggregation: str, name: str, events: list[dict[str, Any]]) -> Measured:
    """The events that are not set aside, with the value that the aggregation reads."""
    measured: Measured = []
    for event in events:
        text = properties_of(event).get(name)
        value = None if aggregation == "count" else text if aggregation == "unique_count" else number_or_none(text)
        if aggregation == "count" or value is not None:
            measured.append((event, value))
    return measured


# Aggregations of one list of events


def count(measured: Measured) -> Fraction:
    return Fraction(len(measured))


def total(measured: Measured) -> Fraction:
    return sum((value for _, value in measured), Fraction(0))


def least(measured: Measured) -> Fraction:
    return min((value for _, value in measured), default=Fraction(0))


def greatest(measured: Measured) -> Fraction:
    return max((value for _, value in measured), default=Fraction(0))


def latest(measured: Measured) -> Fraction:
    return Fraction(measured[-1][1]) if measured else Fraction(0)


def unique_count(measured: Measured) -> Fraction:
    return Fraction(len({value for _, value in measured}))


SIMPLE: dict[str, Callable[[Measured], Fraction]] = {
    "count": count,
    "sum": total,
    "min": least,
    "max": greatest,
    "latest": latest,
    "unique_count": unique_count,
}


def nearest_rank(values: list[Fraction], percent: Fraction) -> tuple[Fraction, int]:
    """The value at rank ceil(p / 100 × n) in ascending order, and the rank."""
    rank = math.ceil(percent / 100 * len(values))
    return sorted(values)[rank - 1], rank


def percentile(meter: dict[str, Any], values: list[Fraction], details: dict[str, str]) -> Fraction:
    if not values:
        details.update(rank="0", of="0")
        return Fraction(0)
    value, rank = nearest_rank(values, read_number(as_written(meter["ext"]["percentile"])))
    details.update(rank=str(rank), of=str(len(values)))
    return value


def time_weighted(meter: dict[str, Any], before: Measured, within: Measured, start: int, end: int, details: dict[str, str]) -> Fraction:
    """The level integrated over the period."""
    level = before[-1][1] if before else Fraction(0)
    details["carried"] = exact_text(level)
    area, since = Fraction(0), start
    for event, value in within:
        area += level * (event["at"] - since)
        level, since = value, event["at"]
    area += level * (end - since)
    per = meter["ext"].get("per") or "hour"
    return area / (end - start if per == "period" else UNITS[per])


# Buckets


def local_to_utc(local: datetime, zone: ZoneInfo, fold: int) -> int:
    """Microseconds in UTC at which the clock shows a local time (the first or the second time that it does)."""
    return (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) - EPOCH) // timedelta(microseconds=1)


def utc_to_local(at: int, zone: ZoneInfo) -> datetime:
    return (EPOCH + timedelta(microseconds=at)).astimezone(zone).replace(tzinfo=None, fold=0)


def minute_starts(size: int, start: int, end: int) -> list[int]:
    length = size * UNITS["minute"]
    return [index * length for index in range(start // length, end // length + 1)]


def hour_starts(size: int, zone: ZoneInfo, start: int, end: int) -> list[int]:
    """The instants at which the clock shows a full hour that `size` divides; what it skips is as much later as it jumps."""
    starts = []
    hour = (utc_to_local(start, zone) - timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    while hour <= utc_to_local(end, zone) + timedelta(days=2):
        first, second = local_to_utc(hour, zone, 0), local_to_utc(hour, zone, 1)
        if hour.hour % size == 0:
            starts.append(first)
            if size == 1 and second > first:
                starts.append(second)
        hour += timedelta(hours=1)
    return starts


def day_starts(size: int, zone: ZoneInfo, start: int, end: int) -> list[int]:
    starts = []
    day = utc_to_local(start, zone).date() - timedelta(days=size + 2)
    while day <= utc_to_local(end, zone).date() + timedelta(days=2):
        if (day - MONDAY).days % size == 0:
            starts.append(local_to_utc(datetime(day.year, day.month, day.day), zone, 0))
        day += timedelta(days=1)
    return starts


def month_starts(size: int, zone: ZoneInfo, start: int, end: int) -> list[int]:
    starts = []
    for year in range(utc_to_local(start, zone).year - 1, utc_to_local(end, zone).year + 2):
        for month in range(1, 13):
            if (month - 1) % size == 0:
                starts.append(local_to_utc(datetime(year, month, 1), zone, 0))
    return starts


def buckets_of(windows: dict[str, Any], start: int, end: int) -> list[tuple[int, int]]:
    """The buckets, half-open, cut off at the ends of the period."""
    size = int(windows.get("count") or 1)
    zone = ZoneInfo(windows.get("time_zone") or "UTC")
    if windows["unit"] == "minute":
        starts = minute_starts(size, start, end)
    elif windows["unit"] == "hour":
        starts = hour_starts(size, zone, start, end)
    elif windows["unit"] == "day":
        starts = day_starts(size, zone, start, end)
    else:
        starts = month_starts(size, zone, start, end)
    cuts = sorted({start, end} | {at for at in starts if start < at < end})
    return list(itertools.pairwise(cuts))


def windowed(meter: dict[str, Any], measured: Measured, start: int, end: int, details: dict[str, str]) -> Fraction:
    windows = meter["ext"]["windows"]
    values, used = [], 0
    for first, behind in buckets_of(windows, start, end):
        inside = [(event, value) for event, value in measured if first <= event["at"] < behind]
        if inside:
            used += 1
            values.append(SIMPLE[windows["inner"]](inside))
        elif windows.get("empty_as_zero"):
            values.append(Fraction(0))
    details["buckets"] = str(used)
    if windows["outer"] == "percentile":
        return percentile(meter, values, details)
    if not values:
        return Fraction(0)
    return {"sum": sum(values, Fraction(0)), "min": min(values), "max": max(values)}[windows["outer"]]


# Measuring


def measure_usage(meter: dict[str, Any], events: list[dict[str, Any]], start: int, end: int) -> Usage:
    """The usage in [start, end): quantity, events measured, events set aside, details. Groups are not told apart."""
    aggregation = aggregation_of(meter)
    reads = meter["ext"]["windows"]["inner"] if aggregation == "windowed" else aggregation
    chosen = passing(meter, events)
    inside = [event for event in chosen if start <= event["at"] < end]
    measured = read_values(reads, measured_property(meter), inside)
    details: dict[str, str] = {}
    if aggregation == "time_weighted":
        before = read_values(reads, measured_property(meter), [event for event in chosen if event["at"] < start])
        quantity = time_weighted(meter, before, measured, start, end, details)
    elif aggregation == "windowed":
        quantity = windowed(meter, measured, start, end, details)
    elif aggregation == "percentile":
        quantity = percentile(meter, [value for _, value in measured], details)
    else:
        quantity = SIMPLE[aggregation](measured)
    return {"quantity": quantity, "events": len(measured), "set_aside": len(inside) - len(measured), "details": details}


def measure(meter: dict[str, Any], events: list[dict[str, Any]], start: int, end: int) -> Fraction:
    """The quantity of all events in [start, end) together; for a meter with `group_by` see measure_groups."""
    return Fraction(measure_usage(meter, events, start, end)["quantity"])


def group_of(meter: dict[str, Any], event: dict[str, Any]) -> tuple[str, ...]:
    return tuple(properties_of(event).get(name, "") for name in meter.get("ext", {}).get("group_by") or [])


def measure_groups(meter: dict[str, Any], events: list[dict[str, Any]], start: int, end: int) -> dict[tuple[str, ...], Fraction]:
    """The quantity of each combination of the values of `group_by` that an event of the meter has, before `end`."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for event in passing(meter, events):
        if event["at"] < end:
            groups.setdefault(group_of(meter, event), []).append(event)
    weighted = aggregation_of(meter) == "time_weighted"
    quantities = {}
    for group, members in sorted(groups.items()):
        if weighted or any(event["at"] >= start for event in members):
            quantities[group] = measure(meter, members, start, end)
    return quantities
