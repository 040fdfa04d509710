"""Where the buckets of a windowed meter begin and end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from farthing.core.base.time import MICROS, Instant, Interval, time_zone, to_datetime, wall_to_instant
from farthing.core.usage.meter import Windows

MINUTE = 60 * MICROS
_MONDAY = date(1970, 1, 5)  # a Monday, so that seven days are a calendar week


def bucket_bounds(windows: Windows, interval: Interval) -> list[Interval]:
    """The buckets that overlap the interval, clipped to it, in order: they tile it without gap or overlap.

    A bucket begins
    - minute: at every `count` minutes since 1970-01-01T00:00Z, whatever the zone;
    - hour: whenever the local clock shows a full hour divisible by `count` (so every bucket of a day counts from midnight).
      With `count` 1 an hour that the clock shows twice begins twice; with more, only its first showing begins a bucket. An hour
      that the clock skips begins where the clock resumes, which is where the next one begins: no empty bucket comes of it;
    - day: at the first local midnight of every `count`th day, counted from Monday 1970-01-05 (7 makes weeks from Monday);
    - month: at the first local midnight of every `count`th month, counted from January (3 makes calendar quarters).
    The first bucket starts with the interval, the last ends with it.
    """
    return list(_bounds(windows.unit, windows.count, windows.zone, interval))


@lru_cache(maxsize=64)
def _bounds(unit: str, count: int, zone: str, interval: Interval) -> tuple[Interval, ...]:
    if unit == "minute":
        starts = _minutes(count, interval)
    elif unit == "hour":
        starts = _hours(count, zone, interval)
    else:
        starts = _days(unit, count, zone, interval)
    inner = sorted({start for start in starts if interval.start < start < interval.end})
    return tuple(Interval(start, end) for start, end in pairwise([interval.start, *inner, interval.end]))


def _minutes(count: int, interval: Interval) -> Iterator[Instant]:
    step = count * MINUTE
    yield from range(interval.start // step * step, interval.end, step)


def _hours(count: int, zone: str, interval: Interval) -> Iterator[Instant]:
    for day in _local_days(zone, interval):
        for hour in range(0, 24, count):
            wall = datetime(day.year, day.month, day.day, hour)
            yield wall_to_instant(wall, zone)
            if count == 1:
                yield from _second_showing(wall, zone)


def _second_showing(wall: datetime, zone: str) -> Iterator[Instant]:
    """The later instant at which the local clock shows `wall`, if it does so twice."""
    first = wall.replace(tzinfo=time_zone(zone), fold=0)
    second = first.replace(fold=1)
    before, after = first.utcoffset(), second.utcoffset()
    if before is not None and after is not None and before > after:
        yield wall_to_instant(wall, zone) + (before - after) // timedelta(microseconds=1)


def _days(unit: str, count: int, zone: str, interval: Interval) -> Iterator[Instant]:
    for day in _local_days(zone, interval):
        if unit == "day":
            begins = (day - _MONDAY).days % count == 0
        else:
            begins = day.day == 1 and (day.month - 1) % count == 0
        if begins:
            yield wall_to_instant(datetime(day.year, day.month, day.day), zone)


def _local_days(zone: str, interval: Interval) -> Iterator[date]:
    """The local days that overlap the interval, and one more on either side."""
    day = to_datetime(interval.start, zone).date() - timedelta(days=1)
    last = to_datetime(interval.end, zone).date() + timedelta(days=1)
    while day <= last:
        yield day
        day += timedelta(days=1)
