"""Quantity → amount along a curve of segments, and the steps before it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from farthing.core.base.exact import show
from farthing.core.base.refusal import Refusal
from farthing.core.base.rounding import round_to_whole
from farthing.core.rating.program import Curve, Include, RoundUnits, Scale, Segment, Step
from farthing.core.rating.refusals import QUANTITY_NEGATIVE
from farthing.core.rating.trace import SegmentTrace, StepTrace

ZERO = Fraction(0)


def apply_steps(steps: tuple[Step, ...], quantity: Fraction) -> tuple[StepTrace, ...]:
    """Run the quantity through its steps in order. An allowance refuses a negative quantity (quantity_negative)."""
    done: list[StepTrace] = []
    for step in steps:
        after = _apply(step, quantity)
        done.append(StepTrace(step, quantity, after))
        quantity = after
    return tuple(done)


def _apply(step: Step, quantity: Fraction) -> Fraction:
    match step:
        case Scale(factor):
            return quantity * factor
        case RoundUnits(mode):
            return Fraction(round_to_whole(quantity, mode))
        case Include(units):
            if quantity < 0:
                raise _negative(quantity)
            return max(quantity - units, ZERO)


def charge(curve: Curve, quantity: Fraction) -> tuple[SegmentTrace, ...]:
    """What each segment charges for the quantity; segments that charge no unit and no flat are left out."""
    if quantity < 0 and not curve.linear_below_zero:
        raise _negative(quantity)
    if curve.mode == "volume":
        return (_volume(curve, quantity),)
    traces = [_graduated(curve, index, lower, segment, quantity) for index, lower, segment in _bounds(curve)]
    return tuple(trace for trace in traces if trace.units or trace.flat)


def _bounds(curve: Curve) -> Iterator[tuple[int, Fraction, Segment]]:
    lower = ZERO
    for index, segment in enumerate(curve.segments):
        yield index, lower, segment
        if segment.upper is not None:
            lower = segment.upper


def _graduated(curve: Curve, index: int, lower: Fraction, segment: Segment, quantity: Fraction) -> SegmentTrace:
    top = quantity if segment.upper is None else min(quantity, segment.upper)
    units = top if index == 0 else max(top - lower, ZERO)
    entered = quantity > lower or (index == 0 and curve.flat_at_zero)
    return _segment(index, lower, segment, units, entered)


def _volume(curve: Curve, quantity: Fraction) -> SegmentTrace:
    bounds = _bounds(curve)
    index, lower, segment = next(row for row in bounds if row[2].upper is None or quantity <= row[2].upper)
    return _segment(index, lower, segment, quantity, quantity > 0 or curve.flat_at_zero)


def _segment(index: int, lower: Fraction, segment: Segment, units: Fraction, flat_due: bool) -> SegmentTrace:
    flat = segment.flat if flat_due else ZERO
    return SegmentTrace(index, lower, segment.upper, units, segment.unit, flat, units * segment.unit + flat)


def _negative(quantity: Fraction) -> Refusal:
    return Refusal(QUANTITY_NEGATIVE, f"the quantity {show(quantity)} is negative.", "quantity")
