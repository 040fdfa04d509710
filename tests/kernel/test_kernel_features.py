"""Each feature of meters and programs, row by row against core on one set of events that exercises it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction as F
from typing import Any

import pytest

from farthing.core.base.rounding import RoundingMode
from farthing.core.base.time import Interval
from farthing.core.events.condition import Condition, NumberTest, TextTest
from farthing.core.events.event import Event
from farthing.core.rating.program import Bands, Cell, Component, Curve, Fees, Include, Program, RoundUnits, Scale, Segment
from farthing.core.usage.meter import Aggregation, Meter, Windows
from farthing.kernel import Engine, Job, KernelResult, rate
from farthing.testing.columns import core_rated, events_table

HOUR = 3_600_000_000
LONDON_SPRING = Interval(1_743_206_400_000_000, 1_743_465_600_000_000)  # 29 March 2025 to 1 April, the clock goes forward on the 30th
NAMES = ("value", "amount", "region")
UNIT = Curve("graduated", (Segment(None, F(3)),), linear_below_zero=True)


def event(position: int, hours: F | int, **properties: str) -> Event:
    return Event(f"e{position}", "used", "c", LONDON_SPRING.start + int(hours * HOUR), properties, position)


CHARGES: dict[Any, list[Event]] = {
    1: [
        event(9, -3, value="7", amount="9.99", region="us"),
        event(1, 0, value="10", amount="100", region="eu"),
        event(2, 1, value="2.5", amount="0.01", region="us"),
        event(3, 1, value="4.25", amount="33.335", region="eu"),
        event(8, F(51, 2), value="abc", amount="5", region="eu"),
        event(5, 26, value="12", region=""),
        event(4, 49, value="10", amount="-4", region="us"),
        event(7, 71, value="1000", amount="2500"),
        event(6, 72, value="99", amount="1", region="eu"),
    ],
    2: [event(11, 5, value="0.000001", amount="0.5", region="us"), event(10, 3, amount="1", region="us")],
    3: [event(12, -1, value="5", amount="5", region="eu")],
    4: [event(13, 30, value="-2.5", amount="-1", region="ap")],
    5: [],
    6: [event(14, -2, value="abc", amount="2", region="eu"), event(15, -1, value="3", region="ap")],
    7: [event(16, 1, value="-3", amount="7", region="eu"), event(17, 26, value="-4", amount="8", region="eu")],
}


def priced(*segments: Segment, mode: Any = "graduated", flat_at_zero: bool = True) -> Program:
    return Program("usd", (Cell("", curve=Curve(mode, segments, flat_at_zero)),))


def stepped(*steps: Any) -> Program:
    return Program("usd", (Cell("", curve=UNIT, steps=steps),))


def fee(*components: Component, **more: Any) -> Program:
    return Program("usd", (Cell("", fees=Fees(components, **more)),))


def by(property: str, *values: str) -> Condition:
    return Condition((TextTest(property, "in", values),))


EU = Cell("eu", curve=UNIT, when=by("region", "eu"))
TIERS = (Segment(F(5), F(2), F(7)), Segment(F(12), F(1, 3), F(11, 2)), Segment(None, F(1, 7)))
PERCENT = Component("percent", "amount", F(3, 200), F(20))
LARGE = Component("large", fixed=F(9), when=Condition((NumberTest("amount", "gt", F(33)),)))
US = Cell("us", fees=Fees((PERCENT,)), when=by("region", "us"))
BIG = Cell("big", curve=UNIT, when=Condition((NumberTest("value", "gte", F(10)),)))
REST = Cell("", curve=UNIT)
EIGHTH = Cell("", curve=Curve("graduated", (Segment(None, F(1, 8)),), linear_below_zero=True))
NIGHT = Bands("Europe/London", tuple((day, 60, 180) for day in range(7)))
DAYTIME = Bands("America/New_York", ((6, 0, 1440), (0, 480, 1020)))
SUM = Meter("m", "used", Aggregation.SUM)

PROGRAMS: dict[str, Program] = {
    "per unit": stepped(),
    "graduated with flats": priced(*TIERS),
    "graduated, no flat at zero": priced(*TIERS, flat_at_zero=False),
    "volume": priced(*TIERS, mode="volume"),
    "volume, no flat at zero": priced(*TIERS, mode="volume", flat_at_zero=False),
    "upper bound is inclusive": priced(Segment(F(10), F(1), F(1)), Segment(None, F(2), F(100))),
    "volume at the bound": priced(Segment(F(1, 10**6), F(1), F(1)), Segment(None, F(2), F(100)), mode="volume"),
    "scale": stepped(Scale(F(1, 3))),
    "scale to nothing": stepped(Scale(F(0))),
    "include": stepped(Include(F(5, 2))),
    "scale, round up, include": stepped(Scale(F(1, 7)), RoundUnits(RoundingMode.UP), Include(F(1))),
    **{f"round units {mode}": stepped(Scale(F(1, 2)), RoundUnits(mode)) for mode in RoundingMode},
    "minimum": Program("usd", (REST,), minimum=F(1001, 3)),
    "maximum": Program("usd", (REST,), maximum=F(1001, 3)),
    "minimum beyond maximum": Program("usd", (REST,), minimum=F(50), maximum=F(7, 2)),
    **{f"round line {mode}": Program("usd", (EIGHTH,), rounding=mode) for mode in RoundingMode},
    "too large for the books": priced(Segment(None, F(10**17))),
    "percentage fee, rounded per event": fee(PERCENT, rounding=RoundingMode.HALF_AWAY),
    **{f"fee rounded {mode}": fee(Component("x", "amount", F(1, 2), F(-3)), rounding=mode) for mode in RoundingMode},
    "fee not rounded": fee(PERCENT),
    "fixed fee alone": fee(Component("fixed", fixed=F(5, 3))),
    "component bounds": fee(Component("x", "amount", F(1, 3), minimum=F(1), maximum=F(20)), Component("y", "value", F(1, 100), maximum=F(1, 7))),
    "event bounds": fee(PERCENT, minimum=F(201, 10), maximum=F(22), rounding=RoundingMode.HALF_EVEN),
    "no component": fee(minimum=F(3)),
    "conditional components": fee(PERCENT, Component("eu", "value", F(1, 10), when=by("region", "eu")), LARGE),
    "free events": fee(PERCENT, free_events=2, minimum=F(25), rounding=RoundingMode.UP),
    "free amount": fee(PERCENT, free_of="amount", free_amount=F(100005, 1000), rounding=RoundingMode.DOWN),
    "free amount of another property": fee(PERCENT, free_of="value", free_amount=F(25, 2)),
    "free events and amount": fee(PERCENT, Component("v", "value", F(1, 3)), free_events=1, free_of="amount", free_amount=F(120)),
    "free amount of nothing": fee(PERCENT, free_amount=F(1)),
    "two cells": Program("usd", (EU, Cell("rest", curve=Curve("volume", TIERS))), maximum=F(300)),
    "two cells, some unmatched": Program("usd", (EU, US), minimum=F(10)),
    "a line a cell": Program("usd", (EU, US), line_per_cell=True),
    "one cell, some unmatched": Program("usd", (EU,)),
    "one cell and line, some unmatched": Program("usd", (Cell("eu", fees=Fees((PERCENT,)), when=by("region", "eu")),), line_per_cell=True),
    "first match": Program("usd", (BIG, EU, REST)),
    "hours over the change of the clock": Program("usd", (Cell("night", curve=UNIT, during=NIGHT), Cell("ny", curve=UNIT, during=DAYTIME), REST)),
    "hours for fees": Program("usd", (Cell("night", fees=Fees((PERCENT,)), during=NIGHT), Cell("", fees=Fees((PERCENT,), free_events=1)))),
}  # fmt: skip

METERS: dict[str, Meter] = {
    **{kind.value: Meter("m", "used", kind, percentile=F(95)) for kind in Aggregation if kind is not Aggregation.WINDOWED},
    "median": Meter("m", "used", Aggregation.PERCENTILE, percentile=F(50)),
    "mean level": Meter("m", "used", Aggregation.TIME_WEIGHTED, per_micros=0),
    "unique regions": Meter("m", "used", Aggregation.UNIQUE_COUNT, "region"),
    "filter": Meter("m", "used", Aggregation.SUM, filters=Condition((TextTest("region", "not_in", ("us",)), NumberTest("amount", "lt", F(2500))))),
    "present": Meter("m", "used", Aggregation.COUNT, filters=Condition((TextTest("region", "exists"), TextTest("value", "absent")))),
    "groups": Meter("m", "used", Aggregation.SUM, group_by=("region", "amount")),
    "groups of levels": Meter("m", "used", Aggregation.TIME_WEIGHTED, group_by=("region",)),
    **{
        f"{inner.value} by {count} {unit}, {outer.value}{', empty as zero' if zero else ''}": Meter(
            "m", "used", Aggregation.WINDOWED, percentile=F(75), windows=Windows(unit, count, inner, outer, "Europe/London", zero)
        )
        for inner, outer, unit, count, zero in (
            (Aggregation.MAX, Aggregation.SUM, "hour", 1, False),
            (Aggregation.MAX, Aggregation.SUM, "hour", 1, True),
            (Aggregation.SUM, Aggregation.PERCENTILE, "day", 1, False),
            (Aggregation.SUM, Aggregation.PERCENTILE, "day", 1, True),
            (Aggregation.SUM, Aggregation.PERCENTILE, "minute", 90, True),
            (Aggregation.COUNT, Aggregation.MAX, "month", 1, True),
            (Aggregation.LATEST, Aggregation.MIN, "day", 1, False),
            (Aggregation.LATEST, Aggregation.MIN, "hour", 6, True),
            (Aggregation.MIN, Aggregation.MAX, "day", 1, True),
            (Aggregation.UNIQUE_COUNT, Aggregation.SUM, "day", 7, False),
        )
    },
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(threads=1) as opened:
        yield opened


def same(result: KernelResult, job: Job) -> None:
    rated, refused = core_rated(job.program, job.meter, CHARGES, job.interval)
    assert (result.ran, result.outside) == ("kernel", {})
    assert result.rows_read == sum(len(events) for events in CHARGES.values())
    found = result.rated()
    assert found == {key: lines for key, lines in rated.items() if key in found or not job.meter.group_by}
    assert {key: r.document() for key, r in result.refused.items()} == {key: r.document() for key, r in refused.items()}
    assert len(found) >= 3 or result.refused


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(engine: Engine, name: str) -> None:
    job = Job(PROGRAMS[name], SUM, LONDON_SPRING)
    same(rate(events_table(CHARGES, NAMES), job, engine=engine, charges=list(CHARGES)), job)


@pytest.mark.parametrize("name", METERS)
def test_meters(engine: Engine, name: str) -> None:
    job = Job(stepped(), METERS[name], LONDON_SPRING)
    listed = [] if METERS[name].group_by else list(CHARGES)
    same(rate(events_table(CHARGES, NAMES), job, engine=engine, charges=listed), job)


@pytest.mark.parametrize("meter", ["time_weighted", "percentile", "max by 1 hour, sum"])
@pytest.mark.parametrize("program", ["two cells, some unmatched", "a line a cell", "hours over the change of the clock"])
def test_cells_of_other_meters(engine: Engine, program: str, meter: str) -> None:
    job = Job(PROGRAMS[program], METERS[meter], LONDON_SPRING)
    same(rate(events_table(CHARGES, NAMES), job, engine=engine, charges=list(CHARGES)), job)


def test_counts_what_it_rated(engine: Engine) -> None:
    result = rate(events_table(CHARGES, NAMES), Job(stepped(), SUM, LONDON_SPRING), engine=engine)
    inside = sum(1 for events in CHARGES.values() for event in events if event.at in LONDON_SPRING)
    assert (result.rows_read, result.events_rated) == (17, inside)
    assert sum(line.cells[0].usage.events + line.cells[0].usage.set_aside for (line,) in result.rated().values()) == inside


def test_a_charge_without_event_needs_to_be_listed(engine: Engine) -> None:
    events = events_table(CHARGES, NAMES)
    job = Job(priced(*TIERS), SUM, LONDON_SPRING)
    assert set(rate(events, job, engine=engine).rated()) == {1, 2}
    listed = rate(events, job, engine=engine, charges=[5, 77]).rated()
    assert set(listed) == {1, 2, 5, 77}
    assert listed[77] == listed[5] == core_rated(job.program, job.meter, {5: []}, job.interval)[0][5]


def test_refusals_are_those_of_core(engine: Engine) -> None:
    result = rate(events_table(CHARGES, NAMES), Job(priced(*TIERS), SUM, LONDON_SPRING), engine=engine)
    assert {key: (refusal.code, refusal.message) for key, refusal in result.refused.items()} == {
        4: ("quantity_negative", "the quantity -2.5 is negative."),
        7: ("quantity_negative", "the quantity -7 is negative."),
    }
    large = rate(events_table(CHARGES, NAMES), Job(PROGRAMS["too large for the books"], SUM, LONDON_SPRING), engine=engine)
    assert large.refused[1].code == "amount_too_large"
    assert 2 in large.rated()
