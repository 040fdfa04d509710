"""Aggregations against a naive reference, written from docs/meters.md in the slowest possible way."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.time import Interval
from farthing.core.events.event import Event
from farthing.core.usage.aggregate import aggregate, nearest_rank
from farthing.core.usage.meter import Aggregation, Meter, Windows

START, END = 1_000_000_000, 1_000_000_020
INTERVAL = Interval(START, END)
SIMPLE = [Aggregation.COUNT, Aggregation.SUM, Aggregation.MIN, Aggregation.MAX, Aggregation.LATEST, Aggregation.UNIQUE_COUNT]


def event(position, at, properties):
    return Event(f"e{position}", "call", "c", at, properties, position)


texts = st.sampled_from(["0", "1", "2", "-3", "0.1", "1e-18", "99999999999999999999", "-7.25", "", "x", "1.0", "NaN", "1" * 21])
payloads = st.one_of(st.just({}), st.builds(lambda text: {"value": text}, texts), st.builds(lambda text: {"other": text}, texts))
instants = st.one_of(st.sampled_from([START - 1, START, END - 1, END]), st.integers(START - 10, END + 10))


@st.composite
def logs(draw):
    rows = draw(st.lists(st.tuples(instants, payloads), max_size=25))
    events = [event(i, at, properties) for i, (at, properties) in enumerate(rows, start=1)]
    return draw(st.permutations(events))


def number(properties):
    text = properties.get("value", "")
    if text in ("", "x", "NaN", "1" * 21):
        return None
    return Fraction(text)


def naive(aggregation, events):
    """(quantity, measured, set aside) of the events inside."""
    inside = sorted((e for e in events if START <= e.at < END), key=lambda e: (e.at, e.position))
    if aggregation is Aggregation.COUNT:
        return len(inside), inside
    if aggregation is Aggregation.UNIQUE_COUNT:
        measured = [e for e in inside if "value" in e.properties]
        distinct = []
        for e in measured:
            if e.properties["value"] not in distinct:
                distinct.append(e.properties["value"])
        return len(distinct), measured
    measured = [e for e in inside if number(e.properties) is not None]
    values = [number(e.properties) for e in measured]
    if not values:
        return 0, measured
    if aggregation is Aggregation.SUM:
        return sum(values), measured
    return {Aggregation.MIN: min(values), Aggregation.MAX: max(values), Aggregation.LATEST: values[-1]}[aggregation], measured


@pytest.mark.parametrize("aggregation", SIMPLE)
@given(events=logs())
def test_simple_aggregations(aggregation, events):
    usage = aggregate(Meter("m", "call", aggregation), events, INTERVAL)
    quantity, measured = naive(aggregation, events)
    inside = [e for e in events if START <= e.at < END]
    positions = [e.position for e in measured]
    assert usage.quantity == quantity
    assert isinstance(usage.quantity, Fraction)
    assert usage.events == len(measured)
    assert usage.events + usage.set_aside == len(inside)
    assert (usage.first, usage.last) == ((min(positions), max(positions)) if positions else (0, 0))
    assert usage.details == ()


@given(events=logs(), percentile=st.one_of(st.integers(1, 100), st.fractions(Fraction(1, 1000), 100)))
def test_percentile(events, percentile):
    usage = aggregate(Meter("m", "call", Aggregation.PERCENTILE, percentile=Fraction(percentile)), events, INTERVAL)
    values = sorted(number(e.properties) for e in events if START <= e.at < END and number(e.properties) is not None)
    rank, of = (figure for _, figure in usage.details)
    assert [name for name, _ in usage.details] == ["rank", "of"]
    assert of == len(values)
    assert rank == math.ceil(Fraction(percentile) * len(values) / 100)
    if not values:
        assert usage.quantity == 0
        return
    # By its meaning: at least p % of the values are at or below it, and of any smaller value that does not hold.
    at_or_below = [sum(1 for v in values if v <= candidate) for candidate in values]
    enough = [v for v, n in zip(values, at_or_below, strict=True) if n * 100 >= Fraction(percentile) * len(values)]
    assert usage.quantity == enough[0]


def test_nearest_rank_at_the_edges():
    assert [nearest_rank(Fraction(95), n) for n in (0, 1, 19, 20, 21, 100, 8928)] == [0, 1, 19, 19, 20, 95, 8482]
    assert nearest_rank(Fraction(100), 7) == 7
    assert nearest_rank(Fraction(1, 1000), 7) == 1


@given(events=logs(), per=st.sampled_from([0, 1, 7, 3_600_000_000]))
def test_time_weighted_is_the_sum_over_every_microsecond(events, per):
    usage = aggregate(Meter("m", "call", Aggregation.TIME_WEIGHTED, per_micros=per), events, INTERVAL)
    readable = sorted((e for e in events if number(e.properties) is not None), key=lambda e: (e.at, e.position))

    def level(moment, strictly):
        held = [e for e in readable if (e.at < moment if strictly else e.at <= moment)]
        return number(held[-1].properties) if held else Fraction(0)

    total = sum(level(moment, False) for moment in range(START, END))
    assert usage.quantity == total / (per or END - START)
    assert usage.details == (("carried", level(START, True)),)
    assert usage.events == sum(1 for e in readable if START <= e.at < END)
    assert usage.set_aside == sum(1 for e in events if START <= e.at < END and number(e.properties) is None)


def test_time_weighted_without_events_holds_the_carried_level():
    usage = aggregate(Meter("m", "call", Aggregation.TIME_WEIGHTED, per_micros=1), [event(9, START - 10_000, {"value": "2.5"})], INTERVAL)
    assert (usage.quantity, usage.events, usage.first, usage.last) == (50, 0, 0, 0)


@pytest.mark.parametrize("inner", SIMPLE)
@pytest.mark.parametrize("outer", [Aggregation.SUM, Aggregation.MIN, Aggregation.MAX, Aggregation.PERCENTILE])
@given(data=st.data(), empty_as_zero=st.booleans())
def test_windowed(inner, outer, data, empty_as_zero):
    minute = 60_000_000
    interval = Interval(10 * minute + 30_000_000, 16 * minute)  # the first bucket of two minutes is cut off
    rows = data.draw(st.lists(st.tuples(st.integers(8, 18), st.integers(0, 59_999_999), payloads), max_size=12))
    events = [event(i, m * minute + micros, properties) for i, (m, micros, properties) in enumerate(rows, start=1)]
    windows = Windows("minute", 2, inner, outer, empty_as_zero=empty_as_zero)
    meter = Meter("m", "call", Aggregation.WINDOWED, windows=windows, percentile=Fraction(60))
    usage = aggregate(meter, events, interval)

    quantities, used, measured = [], 0, 0
    for begin in (10, 12, 14):
        bucket = Interval(max(begin * minute, interval.start), (begin + 2) * minute)
        part = aggregate(Meter("m", "call", inner), events, bucket)  # held to the reference by test_simple_aggregations
        measured += part.events
        used += part.events > 0
        if part.events or empty_as_zero:
            quantities.append(part.quantity)
    rank = math.ceil(Fraction(60, 100) * len(quantities))
    if outer is Aggregation.PERCENTILE:
        expected = sorted(quantities)[rank - 1] if quantities else 0
        assert usage.details == (("buckets", used), ("rank", rank), ("of", len(quantities)))
    else:
        expected = {Aggregation.SUM: sum, Aggregation.MIN: min, Aggregation.MAX: max}[outer](quantities or [0])
        assert usage.details == (("buckets", used),)
    assert usage.quantity == expected
    assert usage.events == measured
    assert usage.events + usage.set_aside == sum(1 for e in events if e.at in interval)


@pytest.mark.parametrize("aggregation", [*SIMPLE, Aggregation.TIME_WEIGHTED, Aggregation.PERCENTILE])
@given(events=logs(), data=st.data())
def test_order_of_arrival_changes_nothing(aggregation, events, data):
    meter = Meter("m", "call", aggregation, percentile=Fraction(95))
    assert aggregate(meter, events, INTERVAL) == aggregate(meter, data.draw(st.permutations(events)), INTERVAL)
