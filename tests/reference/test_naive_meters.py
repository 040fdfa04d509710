"""The meters of the product against the naive reference, which is written from docs/meters.md alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_meters import buckets_of, measure_groups, measure_usage

from farthing.core.base.exact import show
from farthing.core.base.time import Interval, parse_instant
from farthing.core.events.event import Event
from farthing.core.usage.aggregate import aggregate
from farthing.core.usage.parse import parse_meter
from farthing.core.usage.select import by_group, matches
from farthing.core.usage.windows import bucket_bounds

Draw = Callable[[st.SearchStrategy[Any]], Any]
HOUR = 3_600_000_000
DAY = 24 * HOUR
ZONES = ["UTC", "Europe/London", "America/New_York", "Asia/Kathmandu", "America/Havana", "Asia/Beirut", "America/Sao_Paulo"]
ZONES += ["Australia/Lord_Howe", "Antarctica/Troll", "Pacific/Apia", "America/St_Johns", "Africa/Casablanca", "Asia/Pyongyang"]
# Around the days on which one of them turns its clock, or skips a day.
TURNS = ["2024-03-31", "2024-10-27", "2024-03-10", "2024-11-03", "2024-04-07", "2024-10-06", "2011-12-30", "2018-05-05", "2018-11-04", "2024-01-01"]
COUNTS = {"minute": [1, 7, 90, 1440], "hour": [1, 2, 3, 4, 6, 12, 24], "day": [1, 2, 7, 366], "month": [1, 2, 3, 12]}


@st.composite
def windows(draw: Draw) -> dict[str, Any]:
    unit = draw(st.sampled_from(["minute", "hour", "hour", "hour", "day", "month"]))
    found: dict[str, Any] = {"unit": unit, "inner": draw(st.sampled_from(["count", "sum", "min", "max", "latest", "unique_count"]))}
    found["outer"] = draw(st.sampled_from(["sum", "min", "max", "percentile"]))
    found |= draw(st.sampled_from([{}, {"empty_as_zero": True}, {"empty_as_zero": None}]))
    found["time_zone"] = draw(st.sampled_from(ZONES))
    found["count"] = draw(st.sampled_from(COUNTS[unit]))
    return found


@st.composite
def periods(draw: Draw) -> tuple[int, int]:
    start = parse_instant(f"{draw(st.sampled_from(TURNS))}T00:00:00Z") + draw(st.integers(-48, 48)) * HOUR // 2
    return start, start + draw(st.sampled_from([HOUR // 2, HOUR, 3 * HOUR, DAY, 3 * DAY]))


def differing_buckets(windows: dict[str, Any], start: int, end: int) -> Any:
    """The buckets of the product and of the reference where they are not the same."""
    ext = {"aggregation": "windowed", "windows": windows} | ({"percentile": 50} if windows["outer"] == "percentile" else {})
    meter = parse_meter({"id": "m", "event_name": "call", "ext": ext})
    assert meter.windows is not None
    found = [(bucket.start, bucket.end) for bucket in bucket_bounds(meter.windows, Interval(start, end))]
    wanted = buckets_of(windows, start, end)
    return None if found == wanted else (found, wanted)


@given(windows=windows(), period=periods())
def test_the_product_cuts_the_same_buckets(windows: dict[str, Any], period: tuple[int, int]) -> None:
    assert differing_buckets(windows, *period) is None


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("count", COUNTS["hour"])
def test_the_product_cuts_the_same_hours_where_clocks_turn(zone: str, count: int) -> None:
    settings = {"unit": "hour", "count": count, "inner": "max", "outer": "sum", "time_zone": zone}
    starts = [parse_instant(f"{day}T00:00:00Z") - DAY for day in TURNS]
    assert [found for start in starts if (found := differing_buckets(settings, start, start + 3 * DAY))] == []


VALUES = ["0", "1", "-3", "0.1", "1e3", "10", "99999999999999999999.999999999999999999", "9" * 21, "", "x", "NaN"]
FILTERS: list[Any] = [
    {"property": "value", "gt": "0.5"},
    {"property": "value", "in": ["1", "1000", "0.1"]},
    {"property": "who", "not_in": ["a"]},
    {"property": "who", "exists": True},
    {"property": "size", "lt": 5},
]


@st.composite
def meters(draw: Draw) -> dict[str, Any]:
    name = draw(st.sampled_from(["count", "sum", "min", "max", "latest", "unique_count", "time_weighted", "percentile", "windowed"]))
    ext: dict[str, Any] = {"aggregation": name, "filters": draw(st.lists(st.sampled_from(FILTERS), max_size=2))}
    if name == "windowed":
        ext["windows"] = draw(windows())
    if name == "percentile" or (name == "windowed" and ext["windows"]["outer"] == "percentile"):
        ext["percentile"] = draw(st.sampled_from(["0.0001", 50, "99.9", 95, 100]))
    if name == "time_weighted":
        ext |= draw(st.sampled_from([{}, {"per": "second"}, {"per": "day"}, {"per": "period"}, {"per": None}]))
    ext |= draw(st.sampled_from([{}, {"group_by": ["who"]}, {"group_by": ["who", "size"]}]))
    settings = draw(st.sampled_from([{}, {"value_settings": {"event_payload_key": "size"}}]))
    return {"id": "m", "event_name": "call", "ext": ext, **settings}


@st.composite
def logs(draw: Draw, period: tuple[int, int]) -> list[dict[str, Any]]:
    """Events before, in and after a period, many at the same instant, at positions in any order."""
    start, end = period
    moments = [start - DAY, start - 1, start, start + 1, (start + end) // 2, start + HOUR, end - 1, end]
    found = []
    for position in draw(st.permutations(range(1, draw(st.integers(0, 8)) + 1))):
        payload = {"value": draw(st.sampled_from(VALUES[:7])), "who": draw(st.sampled_from(["a", "b", ""])), "size": draw(st.sampled_from(VALUES))}
        payload = {name: text for name, text in payload.items() if draw(st.integers(0, 4))}
        found.append({"at": draw(st.sampled_from(moments)), "position": position, "payload": payload})
    return found


def product_events(log: list[dict[str, Any]]) -> list[Event]:
    """As they come out of the log: `value` canonical, which is what reading an event document makes of it."""
    events = []
    for entry in log:
        properties = dict(entry["payload"])
        if "value" in properties:
            properties["value"] = "1000" if properties["value"] == "1e3" else properties["value"]
        events.append(Event(str(entry["position"]), "call", "c", entry["at"], properties, entry["position"]))
    return events


@given(data=st.data(), document=meters(), period=periods())
def test_the_product_measures_the_same(data: st.DataObject, document: dict[str, Any], period: tuple[int, int]) -> None:
    log = data.draw(logs(period))
    meter, interval, events = parse_meter(document), Interval(*period), product_events(log)
    usage = aggregate(meter, [event for event in events if matches(meter, event)], interval)
    theirs = {"quantity": usage.quantity, "events": usage.events, "set_aside": usage.set_aside}
    assert theirs | {"details": {name: show(figure) for name, figure in usage.details}} == measure_usage(document, log, *period)
    if meter.group_by:
        carried = meter.aggregation.value == "time_weighted"
        counting = [event for event in events if event.at in interval or (carried and event.at < interval.start)]
        groups = {tuple(text for _, text in group): aggregate(meter, found, interval).quantity for group, found in by_group(meter, counting).items()}
        assert groups == measure_groups(document, log, *period)


@pytest.mark.parametrize("null", ["count", "time_zone", "empty_as_zero"])
def test_a_null_setting_of_windows_is_its_default(null: str) -> None:
    document: dict[str, Any] = {"unit": "hour", "inner": "max", "outer": "sum"}
    meters = [
        parse_meter({"id": "m", "event_name": "call", "ext": {"aggregation": "windowed", "windows": document | more}}) for more in ({}, {null: None})
    ]
    assert meters[0] == meters[1]
