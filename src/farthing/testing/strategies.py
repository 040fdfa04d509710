"""Hypothesis strategies: random meters, programs and events, with the edges on which billing goes wrong.

Events bring equal times, times at and beside every boundary, absent and unreadable values, negative ones, and texts that try to
leave a query. `Scale` chooses how large and how fine numbers are: `MODEST` stays within any exact engine's reach, `EXTREME` goes to
the limits of `parse_number`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from farthing.core.base.exact import show
from farthing.core.base.rounding import RoundingMode
from farthing.core.base.time import Interval, wall_to_instant
from farthing.core.events.condition import ALWAYS, Condition, NumberTest, TextTest
from farthing.core.events.event import Event
from farthing.core.rating.program import Bands, Cell, Component, Curve, Fees, Include, Program, RoundUnits, Scale, Segment, Step
from farthing.core.usage.meter import Aggregation, Meter, Windows

ZERO = Fraction(0)
PROPERTIES = ("value", "amount", "region", "kind'; DROP")
NUMBERS = PROPERTIES[:2]
TEXTS = PROPERTIES[2:]
HOSTILE = ("eu", "us", "", "'; --", 'x"y', "a\x00b", "Ünïcode ☃", "EU", "$p1 ", "%s{}")
UNREADABLE = (
    "abc",
    "",
    " 1",
    "1 ",
    "1_0",
    "٣",
    ".",
    "+",
    "-",
    "1.2.3",
    "0x10",
    "NaN",
    "-Infinity",
    "1e",
    "e5",
    "1,5",
    "1.0000000000000000001",
    "1" + "0" * 20,
    "0" * 201,
)
ODD_PLAIN = ("+1.50", ".5", "5.", "-0", "000012.500", "-.25", "0" * 100 + "1." + "0" * 90, "1.50000000000000000000000")
ZONES = ("UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns")
HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """How far numbers go: `whole` is the largest magnitude, `decimals` the most decimal places."""

    whole: int
    decimals: int


MODEST = Size(10**7, 4)
EXTREME = Size(10**20 - 1, 18)


def decimals(size: Size = MODEST, negative: bool = True) -> st.SearchStrategy[Fraction]:
    """Exact decimals, mostly small, sometimes at the limits of the size."""

    def of(places: int) -> st.SearchStrategy[Fraction]:
        top = size.whole * 10**places
        low = -top if negative else 0
        near = st.integers(-300 if negative else 0, 300)
        return st.one_of(near, near, st.integers(low, top), st.sampled_from((low, top))).map(lambda n: Fraction(n, 10**places))

    return st.sampled_from(sorted({0, min(2, size.decimals), size.decimals})).flatmap(of)


def prices(negative: bool = False) -> st.SearchStrategy[Fraction]:
    """Constants of a price: whole, decimal, and such that do not terminate."""
    low = -200 if negative else 0
    return st.builds(Fraction, st.integers(low, 500), st.sampled_from((1, 1, 2, 3, 7, 10, 100)))


def conditions() -> st.SearchStrategy[Condition]:
    """No test (often), or up to two on text or number."""
    texts = st.builds(
        TextTest,
        st.sampled_from(TEXTS),
        st.sampled_from(("in", "not_in", "exists", "absent")),
        st.lists(st.sampled_from(HOSTILE), max_size=3, unique=True).map(tuple),
    )
    bounds = st.one_of(decimals(), prices(negative=True), st.sampled_from((Fraction(10**25), Fraction(-(10**25)), Fraction(1, 3))))
    numbers = st.builds(NumberTest, st.sampled_from(NUMBERS), st.sampled_from(("lt", "lte", "gt", "gte")), bounds)
    some = st.lists(st.one_of(texts, numbers), min_size=1, max_size=2).map(lambda tests: Condition(tuple(tests)))
    return st.one_of(st.just(ALWAYS), some)


def steps() -> st.SearchStrategy[tuple[Step, ...]]:
    """Up to three steps on a quantity."""
    step = st.one_of(
        st.builds(Scale, st.builds(Fraction, st.integers(0, 50), st.sampled_from((1, 3, 7, 1000, 1024)))),
        st.builds(RoundUnits, st.sampled_from(RoundingMode)),
        st.builds(Include, prices()),
    )
    return st.one_of(st.just(()), st.lists(step, max_size=3).map(tuple))


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    """Graduated and volume curves of up to four segments, the last without end."""
    uppers = sorted(draw(st.sets(st.one_of(prices().filter(bool), st.sampled_from((Fraction(1), Fraction(100)))), max_size=3)))
    segments = tuple(Segment(upper, draw(prices(negative=True)), draw(st.one_of(st.just(ZERO), prices()))) for upper in [*uppers, None])
    if len(segments) == 1 and not segments[0].flat and draw(st.booleans()):
        return Curve(draw(st.sampled_from(("graduated", "volume"))), segments, draw(st.booleans()), linear_below_zero=True)
    return Curve(draw(st.sampled_from(("graduated", "volume"))), segments, draw(st.booleans()))


def _limits() -> st.SearchStrategy[tuple[Fraction | None, Fraction | None]]:
    pair = st.tuples(st.one_of(st.none(), prices()), st.one_of(st.none(), prices()))
    return pair.map(lambda p: (min(p), max(p)) if p[0] is not None and p[1] is not None else p)  # type: ignore[type-var]  # neither is None here


@st.composite
def components(draw: st.DrawFn) -> Component:
    """A part of an event's fee: a rate on a number, a fixed part, with bounds and condition."""
    of = draw(st.one_of(st.none(), st.sampled_from(NUMBERS)))
    minimum, maximum = draw(st.one_of(st.just((None, None)), _limits()))
    rate = draw(st.builds(Fraction, st.integers(-20, 500), st.sampled_from((1, 3, 1000, 10000)))) if of else ZERO
    return Component(draw(st.sampled_from(("base", "surcharge"))), of, rate, draw(prices(negative=True)), minimum, maximum, draw(conditions()))


@st.composite
def fees(draw: st.DrawFn) -> Fees:
    """Per-event fees: up to three components, bounds, rounding, free events and a free amount."""
    minimum, maximum = draw(st.one_of(st.just((None, None)), _limits()))
    free_of = draw(st.one_of(st.none(), st.sampled_from(NUMBERS)))
    return Fees(
        tuple(draw(st.lists(components(), min_size=0, max_size=3))),
        minimum,
        maximum,
        draw(st.one_of(st.none(), st.sampled_from(RoundingMode))),
        draw(st.sampled_from((0, 0, 1, 2))),
        free_of,
        draw(st.one_of(st.just(ZERO), prices())),
    )


def bands() -> st.SearchStrategy[Bands]:
    """Hours of the week, some of which a change of the clock repeats or skips."""
    spans = st.tuples(st.integers(0, 6), st.sampled_from((0, 60, 90, 120, 540)), st.sampled_from((61, 150, 180, 1020, 1440))).filter(
        lambda s: s[1] < s[2]
    )
    return st.builds(Bands, st.sampled_from(ZONES), st.lists(spans, max_size=6).map(tuple))


@st.composite
def cells(draw: st.DrawFn) -> Cell:
    """A curve cell or a fee cell, for all events or some."""
    during = draw(st.one_of(st.none(), st.none(), bands()))
    label, when = draw(st.sampled_from(("", "peak", "off"))), draw(conditions())
    if draw(st.booleans()):
        return Cell(label, fees=draw(fees()), when=when, during=during)
    return Cell(label, curve=draw(curves()), steps=draw(steps()), when=when, during=during)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """A price's program of up to three cells."""
    found = tuple(draw(st.lists(cells(), min_size=1, max_size=3)))
    each = draw(st.booleans())
    minimum, maximum = (None, None) if each else draw(st.one_of(st.just((None, None)), _limits()))
    return Program("usd", found, minimum, maximum, draw(st.sampled_from(RoundingMode)), each)


@st.composite
def windows(draw: st.DrawFn) -> Windows:
    """Buckets of minutes, hours, days or months."""
    unit, count = draw(st.sampled_from((("minute", 15), ("minute", 7), ("hour", 1), ("hour", 6), ("day", 1), ("day", 7), ("month", 1))))
    inner = draw(
        st.sampled_from((Aggregation.COUNT, Aggregation.SUM, Aggregation.MIN, Aggregation.MAX, Aggregation.LATEST, Aggregation.UNIQUE_COUNT))
    )
    outer = draw(st.sampled_from((Aggregation.SUM, Aggregation.MIN, Aggregation.MAX, Aggregation.PERCENTILE)))
    return Windows(unit, count, inner, outer, draw(st.sampled_from(ZONES)), draw(st.booleans()))


@st.composite
def meters(draw: st.DrawFn, kinds: Sequence[Aggregation] = tuple(Aggregation)) -> Meter:
    """Any meter over the properties above."""
    kind = draw(st.sampled_from(tuple(kinds)))
    percentile = draw(st.one_of(st.sampled_from((Fraction(95), Fraction(100), Fraction(50), Fraction(1, 3))), st.integers(1, 100).map(Fraction)))
    return Meter(
        id="m",
        event_name="used",
        aggregation=kind,
        value_key=draw(st.sampled_from(NUMBERS if kind is not Aggregation.UNIQUE_COUNT else PROPERTIES)),
        filters=draw(conditions()),
        group_by=draw(st.sampled_from(((), (), ("region",), TEXTS))),
        percentile=percentile,
        windows=draw(windows()) if kind is Aggregation.WINDOWED else None,
        per_micros=draw(st.sampled_from((HOUR, 0, 24 * HOUR))),
    )


def intervals() -> st.SearchStrategy[Interval]:
    """Days and months, with changes of the clock inside; the same cut at any instant; and spans of a few microseconds."""

    def local(zone: str, start: tuple[int, int, int], end: tuple[int, int, int]) -> Interval:
        return Interval(wall_to_instant(datetime(*start), zone), wall_to_instant(datetime(*end), zone))

    spring = st.sampled_from(ZONES).map(lambda zone: local(zone, (2025, 3, 28), (2025, 4, 7)))
    autumn = st.sampled_from(ZONES).map(lambda zone: local(zone, (2025, 10, 25), (2025, 11, 3)))
    month = st.sampled_from(ZONES).map(lambda zone: local(zone, (2024, 2, 1), (2024, 3, 1)))
    short = st.tuples(st.integers(-5, 5), st.integers(1, 10)).map(lambda p: Interval(p[0], p[0] + p[1]))
    whole = st.one_of(spring, autumn, month)
    cut = st.tuples(whole, st.integers(0, 24 * HOUR), st.integers(0, 24 * HOUR)).map(lambda p: Interval(p[0].start + p[1], p[0].end - p[2]))
    return st.one_of(spring, autumn, month, short, cut)


def instants(interval: Interval) -> st.SearchStrategy[int]:
    """Times inside and outside an interval: its ends and their neighbours, full hours and theirs, and any other."""
    length = interval.end - interval.start
    beside = st.tuples(st.sampled_from((interval.start, interval.end)), st.integers(-1, 1)).map(sum)
    hours = st.tuples(st.integers(0, max(length // (HOUR // 2), 1)), st.integers(-1, 1)).map(lambda p: interval.start + p[0] * (HOUR // 2) + p[1])
    return st.one_of(beside, hours, hours, st.integers(interval.start, interval.end - 1), st.integers(interval.start - length, interval.end))


def values(size: Size = MODEST, exponents: bool = False) -> st.SearchStrategy[str]:
    """Texts of a property that should be a number: mostly plain decimals, some negative, some unreadable."""
    plain = decimals(size, negative=False).map(show)
    some = [plain, plain, plain, decimals(size).map(show), st.sampled_from(ODD_PLAIN), st.sampled_from(UNREADABLE)]
    return st.one_of(*some, *([st.sampled_from(("1e3", "2.5E-2", "-1e0", "9e19"))] if exponents else []))


@st.composite
def properties(draw: st.DrawFn, number: st.SearchStrategy[str]) -> dict[str, str]:
    """A payload: any of the properties may be absent."""
    found: dict[str, str] = {}
    for name in NUMBERS:
        if draw(st.integers(0, 9)):
            found[name] = draw(number)
    for name in TEXTS:
        if draw(st.integers(0, 4)):
            found[name] = draw(st.sampled_from(HOSTILE))
    return found


@st.composite
def charges(draw: st.DrawFn, interval: Interval, number: st.SearchStrategy[str] | None = None, most: int = 12) -> dict[Any, list[Event]]:
    """Events of up to three charges, the last of them sometimes without any; positions are distinct and in no order of time."""
    keys = draw(st.sampled_from(((1, 2, 3), ("a", "b'", "a\x00"), (7,))))
    count = draw(st.integers(0, most))
    order = draw(st.permutations(range(1, count + 1)))
    found: dict[Any, list[Event]] = {key: [] for key in keys}
    number = values() if number is None else number
    for position in order:
        event = Event(f"e{position}", "used", "c", draw(instants(interval)), draw(properties(number)), position)
        found[draw(st.sampled_from(keys))].append(event)
    return found
