"""Run a program over usage: the one way by which any price becomes an amount, with its trace. See program.py for the form."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from farthing.core.base.exact import show
from farthing.core.base.refusal import Refusal
from farthing.core.base.rounding import round_to_whole
from farthing.core.base.time import Instant, Interval, to_datetime
from farthing.core.events.event import Event
from farthing.core.rating.curve import apply_steps, charge
from farthing.core.rating.fees import charge_events, unreadable
from farthing.core.rating.program import Bands, Cell, Fees, Program
from farthing.core.rating.refusals import AMOUNT_TOO_LARGE, EVENTS_NEEDED
from farthing.core.rating.trace import CellTrace, Rated
from farthing.core.usage.aggregate import aggregate
from farthing.core.usage.meter import Aggregation, Meter, Usage

ZERO = Fraction(0)
AMOUNT_BOUND = 10**18


def rate_events(program: Program, meter: Meter, events: Sequence[Event], interval: Interval) -> tuple[Rated, ...]:
    """Rate the events of one charge (already filtered by the meter and of one group): one line, or one a cell.

    With a line a cell, events that no cell took make a last line without cells and amount, so that they are seen.

    `interval` is the metered span; events before it matter only to a time-weighted meter, which carries its level over.
    Errors: quantity_negative, amount_too_large.
    """
    shares, unmatched = partition(program.cells, events)
    traces = [_cell_trace(cell, meter, share, interval) for cell, share in zip(program.cells, shares, strict=True)]
    kept = tuple(trace for trace in traces if len(traces) == 1 or _used(trace.usage))
    unmatched_inside = sum(1 for event in unmatched if event.at in interval)
    if program.line_per_cell:
        lines = tuple(_finish(program, (trace,), trace.label, 0) for trace in kept)
        return (*lines, _finish(program, (), "", unmatched_inside)) if unmatched_inside else lines
    return (_finish(program, kept, "", unmatched_inside),)


def rate_quantity(program: Program, quantity: Fraction) -> Rated:
    """Rate a quantity that was measured elsewhere. Errors: events_needed, quantity_negative, amount_too_large."""
    if program.needs_events:
        raise Refusal(EVENTS_NEEDED, "this price chooses or computes by single events.", "quantity")
    cell = program.cells[0]
    return _finish(program, (_curve_trace(cell, Usage(Aggregation.SUM, quantity, 0)),), "", 0)


def partition(cells: tuple[Cell, ...], events: Sequence[Event]) -> tuple[list[list[Event]], list[Event]]:
    """The events of each cell (the first that takes them), and those that none takes."""
    shares: list[list[Event]] = [[] for _ in cells]
    unmatched: list[Event] = []
    for event in events:
        index = next((i for i, cell in enumerate(cells) if takes(cell, event)), None)
        (unmatched if index is None else shares[index]).append(event)
    return shares, unmatched


def takes(cell: Cell, event: Event) -> bool:
    """Whether the cell's condition and hours hold for the event."""
    return cell.when.holds(event.properties) and (cell.during is None or in_bands(cell.during, event.at))


def in_bands(bands: Bands, at: Instant) -> bool:
    """Whether the local clock in the bands' zone reads, at that instant, a time inside one of its spans."""
    local = to_datetime(at, bands.zone)
    minute = local.hour * 60 + local.minute
    return any(day == local.weekday() and start <= minute < end for day, start, end in bands.spans)


def _used(usage: Usage) -> bool:
    return bool(usage.events or usage.set_aside or usage.quantity)


def _cell_trace(cell: Cell, meter: Meter, events: Sequence[Event], interval: Interval) -> CellTrace:
    if cell.fees is not None:
        return _fees_trace(cell, cell.fees, [event for event in events if event.at in interval])
    return _curve_trace(cell, aggregate(meter, events, interval))


def _curve_trace(cell: Cell, usage: Usage) -> CellTrace:
    assert cell.curve is not None
    steps = apply_steps(cell.steps, usage.quantity)
    segments = charge(cell.curve, steps[-1].after if steps else usage.quantity)
    return CellTrace(cell.label, usage, steps, segments, None, sum((segment.amount for segment in segments), ZERO))


def _fees_trace(cell: Cell, fees: Fees, events: Sequence[Event]) -> CellTrace:
    readable = [event for event in events if unreadable(fees, event.properties) is None]
    positions = [event.position for event in readable]
    usage = Usage(
        aggregation=Aggregation.COUNT,
        quantity=Fraction(len(readable)),
        events=len(readable),
        set_aside=len(events) - len(readable),
        first=min(positions, default=0),
        last=max(positions, default=0),
    )
    trace = charge_events(fees, readable)
    return CellTrace(cell.label, usage, (), (), trace, trace.total)


def _finish(program: Program, cells: tuple[CellTrace, ...], label: str, unmatched: int) -> Rated:
    subtotal = sum((cell.exact for cell in cells), ZERO)
    bound: Literal["minimum", "maximum"] | None = None
    exact = subtotal
    if program.minimum is not None and exact < program.minimum:
        exact, bound = program.minimum, "minimum"
    if program.maximum is not None and exact > program.maximum:
        exact, bound = program.maximum, "maximum"
    amount = round_to_whole(exact, program.rounding)
    if abs(amount) >= AMOUNT_BOUND:
        raise Refusal(AMOUNT_TOO_LARGE, f"{show(exact)} minor units are more than books carry.", "quantity")
    return Rated(label, program.currency, cells, subtotal, bound, exact, program.rounding, amount, unmatched)
