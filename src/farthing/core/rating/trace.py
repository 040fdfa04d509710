"""The trace: what rating did, in the numbers that it used. The explanation is made from nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from farthing.core.base.rounding import RoundingMode
from farthing.core.rating.program import Step
from farthing.core.usage.meter import Usage


@dataclass(frozen=True, slots=True)
class StepTrace:
    """One step on the quantity: what it was before and after."""

    step: Step
    before: Fraction
    after: Fraction


@dataclass(frozen=True, slots=True)
class SegmentTrace:
    """What one segment of the curve charged: `units` × `unit` + `flat` = `amount`. `index` counts from 0."""

    index: int
    lower: Fraction
    upper: Fraction | None
    units: Fraction
    unit: Fraction
    flat: Fraction  # what was charged flat, 0 if not due
    amount: Fraction


@dataclass(frozen=True, slots=True)
class ComponentTrace:
    """What one fee component came to over all events: `events` it applied to, `base` the sum of its property that it charged,
    `amount` the sum of its amounts within the component's own bounds, before the event's bounds and rounding. `of`, `rate` and
    `fixed` are the component's own: without bounds of its own, amount = rate × base + fixed × events."""

    label: str
    events: int
    base: Fraction
    amount: Fraction
    of: str | None = None
    rate: Fraction = Fraction(0)
    fixed: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class FeesTrace:
    """Fees over all events: components, then what the per-event minimum added, what the maximum took off (≤ 0), what
    rounding each event changed. Σ components + raised + capped + rounded = total. `free` counts events that paid nothing
    because of free events or a free amount."""

    events: int
    free: int
    components: tuple[ComponentTrace, ...]
    raised: Fraction
    capped: Fraction
    rounded: Fraction
    total: Fraction


@dataclass(frozen=True, slots=True)
class CellTrace:
    """One cell: what was measured, the steps on the quantity, and the segments or fees that priced it."""

    label: str
    usage: Usage
    steps: tuple[StepTrace, ...] = ()
    segments: tuple[SegmentTrace, ...] = ()
    fees: FeesTrace | None = None
    exact: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Rated:
    """One rated line: `exact` minor units before rounding (after the price's minimum or maximum), `amount` after it.

    `cells` are in the program's order, those without any event left out (unless it is the only one). `unmatched` counts events that no
    cell took. `bound` says whether the price's minimum or maximum decided. `label` is the cell's with a line a cell, else "".
    """

    label: str
    currency: str
    cells: tuple[CellTrace, ...]
    subtotal: Fraction
    bound: Literal["minimum", "maximum"] | None
    exact: Fraction
    rounding: RoundingMode
    amount: int
    unmatched: int = 0

    @property
    def quantity(self) -> Fraction:
        """What the line shows as its quantity: measured units, summed over its cells."""
        return sum((cell.usage.quantity for cell in self.cells), Fraction(0))
