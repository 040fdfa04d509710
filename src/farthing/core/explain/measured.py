"""How a quantity was measured: aggregation, events, what was set aside, where in the log; and the steps on it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from farthing.core.base.exact import show
from farthing.core.explain.explanation import Step, figures
from farthing.core.explain.wording import ROUNDED, count, name, number, quantity, unit_words
from farthing.core.rating.program import Include, RoundUnits, Scale
from farthing.core.rating.trace import CellTrace, StepTrace
from farthing.core.usage.meter import Aggregation, Meter, Usage, Windows

LEFT_OVER = "units"
"""What quantities are called once a step has changed them."""

_OF_VALUES = {
    Aggregation.SUM: "the sum of",
    Aggregation.MIN: "the smallest",
    Aggregation.MAX: "the largest",
    Aggregation.LATEST: "the latest",
    Aggregation.UNIQUE_COUNT: "how many different",
}
_TIMES = {1_000_000: "seconds", 60_000_000: "minutes", 3_600_000_000: "hours", 86_400_000_000: "days"}


def unit_of(usage: Usage, meter: Meter | None) -> str:
    """What the measured quantity counts, in words that are safe in a statement."""
    if usage.aggregation is Aggregation.COUNT:
        return "events"
    if meter is None or usage.aggregation is Aggregation.UNIQUE_COUNT:
        return LEFT_OVER
    words = unit_words(meter.value_key)
    if usage.aggregation is Aggregation.TIME_WEIGHTED and meter.per_micros:
        return f"{words} {_TIMES.get(meter.per_micros, 'periods')}"
    return words


def charged_unit(cell: CellTrace, meter: Meter | None) -> str:
    """What the quantity is called that the price was applied to."""
    return LEFT_OVER if any(isinstance(done.step, Scale) for done in cell.steps) else unit_of(cell.usage, meter)


def quantity_steps(cell: CellTrace, meter: Meter | None, licensed: bool) -> tuple[Step, ...]:
    """The way from what was measured to the quantity that was charged, last step first; each stands in the one it explains."""
    unit, below = unit_of(cell.usage, meter), (usage_step(cell.usage, meter, licensed),)
    for done in cell.steps:
        if done.before == done.after and isinstance(done.step, Include) and not done.step.units:
            continue  # stands guard in front of a rounding, and changes nothing
        below = (_changed(done, unit, below),)
        unit = LEFT_OVER if isinstance(done.step, Scale) else unit
    return below


def _changed(done: StepTrace, unit: str, because: tuple[Step, ...]) -> Step:
    before, after = quantity(done.before, unit), quantity(done.after, LEFT_OVER if isinstance(done.step, Scale) else unit)
    values = figures(before=done.before, after=done.after)
    match done.step:
        case Scale(factor):
            by = f"÷ {number(1 / factor)}" if factor.numerator == 1 and factor.denominator > 1 else f"× {number(factor)}"
            return Step("conversion", "unit conversion", f"{after} = {before} {by}", "", values + figures(factor=factor), because)
        case RoundUnits(mode):
            label = "whole units"
            return Step("round_units", label, f"{after} = {before} {ROUNDED[mode]}", "", values + figures(mode=mode.value), because)
        case Include(units):
            free = f"{before} − {number(units)}"
            statement = f"{after} = {free}" if done.before >= units else f"{after} = the larger of {free} and 0"
            return Step("allowance", "after the units that are free", statement, "", values + figures(included=units), because)


def usage_step(usage: Usage, meter: Meter | None, licensed: bool) -> Step:
    """What was measured, or, without events, what the contract says."""
    shown = quantity(usage.quantity, unit_of(usage, meter))
    if licensed:
        return Step("quantity", "quantity of the contract", quantity(usage.quantity, LEFT_OVER), "", figures(quantity=usage.quantity))
    values = figures(
        aggregation=usage.aggregation.value,
        quantity=usage.quantity,
        events=usage.events,
        set_aside=usage.set_aside,
        first_position=usage.first,
        last_position=usage.last,
        **{part: show(figure) for part, figure in usage.details},
    )
    return Step("usage", "measured", shown, f"{_rule(usage, meter)} {_events(usage)}", values, tuple(_ranks(usage, meter)))


def _events(usage: Usage) -> str:
    if not usage.events:
        where = "no event"
    elif usage.first == usage.last:
        where = f"{count(usage.events)} at log position {number(usage.first)}"
    else:
        where = f"{count(usage.events)} at log positions {number(usage.first)} to {number(usage.last)}"
    if not usage.set_aside:
        return where
    return f"{where}; {count(usage.set_aside)} set aside for lack of a readable number"


def _rule(usage: Usage, meter: Meter | None) -> str:
    values = "the value" if meter is None else name(meter.value_key)
    details = dict(usage.details)
    match usage.aggregation:
        case Aggregation.COUNT:
            return "the count of"
        case Aggregation.TIME_WEIGHTED:
            per = "averaged over the whole time" if meter is not None and not meter.per_micros else "added up over the time that each value held"
            return f"{values} {per}, with {number(details.get('carried', Fraction(0)))} held at the start, set by"
        case Aggregation.PERCENTILE:
            share = "a percentile" if meter is None or meter.percentile is None else f"percentile {number(meter.percentile)}"
            return f"{share} of {values} over"
        case Aggregation.WINDOWED:
            return f"{_windows(meter.windows if meter else None)} of {values}, of which {number(details['buckets'])} had events, over"
        case plain:
            return f"{_OF_VALUES[plain]} {values} over"


def _windows(windows: Windows | None) -> str:
    if windows is None:
        return "buckets"
    every = windows.unit if windows.count == 1 else f"{windows.count} {windows.unit}s"
    inner, outer = (part.value.replace("_", " ") for part in (windows.inner, windows.outer))
    return f"the {outer} over buckets of every {every} in {windows.zone}, each the {inner}"


def _ranks(usage: Usage, meter: Meter | None) -> Iterator[Step]:
    details = dict(usage.details)
    if "rank" not in details:
        return
    rank, of = details["rank"], details["of"]
    values = figures(rank=rank, of=of)
    note = "the rank, in rising order, of the value that was taken"
    if meter is None or meter.percentile is None:
        yield Step("rank", "nearest rank", f"{number(rank)}", f"{note}, out of {number(of)}", values)
    else:
        statement = f"{number(rank)} = {number(meter.percentile)} ÷ 100 × {number(of)} rounded up"
        yield Step("rank", "nearest rank", statement, note, values + figures(percentile=meter.percentile))
