"""Events → quantity, one rule per aggregation. docs/meters.md shows each with numbers; the column kernel computes the same.

Common to all:

- An event is *inside* when `interval.start <= at < interval.end`. Only events inside are measured, set aside, counted, or
  named by `first`/`last`. Events outside are ignored, except that time_weighted takes its starting level from earlier ones.
- An event's value is its property `meter.value_key`. count reads no value. unique_count takes any text that is present ("" is
  one, and texts are compared as they are: "1" and "1.0" are two). Every other aggregation needs what `parse_number` reads (at
  most 20 digits before and 18 after the point).
- An event inside without such a value is *set aside*: not measured, and counted in `Usage.set_aside`.
- *Order of events* is (at, position), ascending. The order in which they are given changes nothing.
- With nothing measured the quantity is 0; only time_weighted then still has its carried level.

The rules, over the n measured events and their values:

- count: n. sum: their sum. min, max: the least, the greatest. latest: the value of the last in the order of events.
- unique_count: how many distinct texts.
- percentile: the value at rank r = ceil(percentile / 100 × n), counted from 1, of the values in ascending order (nearest rank: no
  interpolation). Details: ("rank", r), ("of", n); 0 and 0 when n = 0.
- time_weighted: each measured event sets the level from its `at` on; at equal `at` the later position wins. Before the first,
  the level is that of the last readable event before `interval.start` in the order of events, 0 if there is none (earlier events
  without a readable number are passed over). Quantity: Σ level × microseconds it held inside the interval ÷ per_micros, or ÷
  (interval.end − interval.start) when per_micros is 0. Details: ("carried", the level carried in), also when an event at the very
  start replaces it at once.
- windowed: the buckets are `bucket_bounds(windows, interval)`. A bucket with at least one measured event has the quantity of
  `inner` over its events. Buckets without one are left out, or are 0 with `empty_as_zero`. `outer` runs over these bucket
  quantities (sum, min, max, or percentile by nearest rank); over none at all it is 0. Details: ("buckets", how many have a
  measured event), then for a percentile ("rank", r), ("of", how many bucket quantities there are, zeros included).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from farthing.core.base.time import Interval
from farthing.core.events.condition import number_property
from farthing.core.events.event import Event
from farthing.core.usage.meter import Aggregation, Meter, Usage
from farthing.core.usage.windows import bucket_bounds

__all__ = ["aggregate", "bucket_bounds", "nearest_rank", "read"]

ZERO = Fraction(0)
Details = tuple[tuple[str, Fraction], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One measured event: its place in the order of events, its value (0 for count and unique_count) and its text."""

    at: int
    position: int
    value: Fraction
    text: str


def aggregate(meter: Meter, events: Sequence[Event], interval: Interval) -> Usage:
    """What the events of one group and cell come to over a half-open interval, by the rules above.

    The events are effective ones that the meter matches, in any order. For time_weighted they include the earlier ones that
    its level may be carried over from.
    """
    inside = [event for event in events if event.at in interval]
    readings = [reading for event in inside if (reading := read(meter, event)) is not None]
    if meter.aggregation is Aggregation.TIME_WEIGHTED:
        quantity, details = _time_weighted(meter, readings, interval, _carried(meter, events, interval))
    elif meter.aggregation is Aggregation.WINDOWED:
        quantity, details = _windowed(meter, readings, interval)
    elif meter.aggregation is Aggregation.PERCENTILE:
        quantity, details = _percentile(meter, [reading.value for reading in readings])
    else:
        quantity, details = PLAIN[meter.aggregation](readings), ()
    positions = [reading.position for reading in readings]
    return Usage(
        aggregation=meter.aggregation,
        quantity=quantity,
        events=len(readings),
        set_aside=len(inside) - len(readings),
        first=min(positions, default=0),
        last=max(positions, default=0),
        details=details,
    )


def read(meter: Meter, event: Event) -> Reading | None:
    """The event as the meter measures it; None when it has no value that the aggregation can use, and is set aside."""
    kind = meter.windows.inner if meter.aggregation is Aggregation.WINDOWED and meter.windows is not None else meter.aggregation
    if kind is Aggregation.COUNT:
        return Reading(event.at, event.position, ZERO, "")
    if kind is Aggregation.UNIQUE_COUNT:
        text = event.properties.get(meter.value_key)
        return None if text is None else Reading(event.at, event.position, ZERO, text)
    value = number_property(event.properties, meter.value_key)
    return None if value is None else Reading(event.at, event.position, value, "")


def _count(readings: Sequence[Reading]) -> Fraction:
    return Fraction(len(readings))


def _sum(readings: Sequence[Reading]) -> Fraction:
    return sum((reading.value for reading in readings), ZERO)


def _min(readings: Sequence[Reading]) -> Fraction:
    return min((reading.value for reading in readings), default=ZERO)


def _max(readings: Sequence[Reading]) -> Fraction:
    return max((reading.value for reading in readings), default=ZERO)


def _latest(readings: Sequence[Reading]) -> Fraction:
    return max(readings, key=_order).value if readings else ZERO


def _unique_count(readings: Sequence[Reading]) -> Fraction:
    return Fraction(len({reading.text for reading in readings}))


PLAIN: dict[Aggregation, Callable[[Sequence[Reading]], Fraction]] = {
    Aggregation.COUNT: _count,
    Aggregation.SUM: _sum,
    Aggregation.MIN: _min,
    Aggregation.MAX: _max,
    Aggregation.LATEST: _latest,
    Aggregation.UNIQUE_COUNT: _unique_count,
}
"""The aggregations that need nothing but the readings; they also serve inside a bucket."""

OUTER: dict[Aggregation, Callable[[Iterable[Fraction]], Fraction]] = {
    Aggregation.SUM: lambda values: sum(values, ZERO),
    Aggregation.MIN: lambda values: min(values, default=ZERO),
    Aggregation.MAX: lambda values: max(values, default=ZERO),
}
"""The aggregations over bucket quantities, beside percentile."""


def _order(reading: Reading) -> tuple[int, int]:
    return reading.at, reading.position


def _percentile(meter: Meter, values: Sequence[Fraction]) -> tuple[Fraction, Details]:
    assert meter.percentile is not None
    rank = nearest_rank(meter.percentile, len(values))
    quantity = sorted(values)[rank - 1] if values else ZERO
    return quantity, (("rank", Fraction(rank)), ("of", Fraction(len(values))))


def nearest_rank(percentile: Fraction, n: int) -> int:
    """ceil(percentile / 100 × n): the rank, counted from 1, of the nearest-rank percentile of n values; 0 for none."""
    return -(-percentile * n // 100)


def _carried(meter: Meter, events: Sequence[Event], interval: Interval) -> Fraction:
    """The level that holds when the interval starts: that of the last readable event before it, 0 if there is none."""
    earlier = (read(meter, event) for event in events if event.at < interval.start)
    last = max((reading for reading in earlier if reading is not None), key=_order, default=None)
    return ZERO if last is None else last.value


def _time_weighted(meter: Meter, readings: Sequence[Reading], interval: Interval, carried: Fraction) -> tuple[Fraction, Details]:
    area, level, since = ZERO, carried, interval.start
    for reading in sorted(readings, key=_order):
        area += level * (reading.at - since)
        level, since = reading.value, reading.at
    area += level * (interval.end - since)
    return area / (meter.per_micros or interval.end - interval.start), (("carried", carried),)


def _windowed(meter: Meter, readings: Sequence[Reading], interval: Interval) -> tuple[Fraction, Details]:
    windows = meter.windows
    assert windows is not None
    bounds = bucket_bounds(windows, interval)
    starts = [bucket.start for bucket in bounds]
    buckets: dict[int, list[Reading]] = {}
    for reading in readings:
        buckets.setdefault(bisect_right(starts, reading.at), []).append(reading)
    quantities = [PLAIN[windows.inner](bucket) for bucket in buckets.values()]
    if windows.empty_as_zero:
        quantities += [ZERO] * (len(bounds) - len(buckets))
    used = (("buckets", Fraction(len(buckets))),)
    if windows.outer is Aggregation.PERCENTILE:
        quantity, details = _percentile(meter, quantities)
        return quantity, used + details
    return OUTER[windows.outer](quantities), used
