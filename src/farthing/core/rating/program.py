"""The intermediate form that every pricing model lowers to.

    events ─► cells (first match) ─► quantity ─► steps ─► curve ─┐
                                 └─► fees (per event) ───────────┴─► subtotal ─► minimum, maximum ─► rounding

The core interprets it in exact fractions (`interpret.py`), the kernel compiles it to columns. Neither knows the models.
All amounts are in minor units of the price's currency, all numbers exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from farthing.core.base.rounding import RoundingMode
from farthing.core.events.condition import ALWAYS, Condition


@dataclass(frozen=True, slots=True)
class Scale:
    """Multiply the quantity by an exact factor (unit conversion)."""

    factor: Fraction


@dataclass(frozen=True, slots=True)
class RoundUnits:
    """Round the quantity to a whole number of units: "up" and "down" are towards plus and minus infinity."""

    mode: RoundingMode


@dataclass(frozen=True, slots=True)
class Include:
    """Take the first `units` off the quantity (an allowance); never below zero."""

    units: Fraction


Step = Scale | RoundUnits | Include


@dataclass(frozen=True, slots=True)
class Segment:
    """Units above the previous segment's `upper` (0 for the first) up to and including `upper`; None has no end."""

    upper: Fraction | None
    unit: Fraction  # minor units for each unit of quantity
    flat: Fraction = Fraction(0)  # minor units once


@dataclass(frozen=True, slots=True)
class Curve:
    """Quantity → amount.

    graduated: each segment charges its own part of the quantity at `unit`, and its `flat` once anything lies above its lower
    bound. volume: the one segment that contains the quantity (upper bounds inclusive) charges all of it at `unit`, plus `flat`.
    The first segment's flat is due at quantity zero too, unless `flat_at_zero` is off. A negative quantity is refused
    (quantity_negative) unless `linear_below_zero`, which only a curve of one segment without flat may set.
    """

    mode: Literal["graduated", "volume"]
    segments: tuple[Segment, ...]
    flat_at_zero: bool = True
    linear_below_zero: bool = False


@dataclass(frozen=True, slots=True)
class Component:
    """One part of an event's fee: `rate` × the number in property `of`, plus `fixed`, held within [minimum, maximum].

    It applies to the events of which `when` holds. `rate` is a plain factor (1.5 % is 3/200) and carries the conversion of
    a property in major units. Without `of` it is `fixed` alone.
    """

    label: str
    of: str | None = None
    rate: Fraction = Fraction(0)
    fixed: Fraction = Fraction(0)
    minimum: Fraction | None = None
    maximum: Fraction | None = None
    when: Condition = ALWAYS


@dataclass(frozen=True, slots=True)
class Fees:
    """Events → amount, each event on its own.

    An event's fee is the sum of its components, held within [minimum, maximum], then rounded to a whole minor unit if `rounding`
    is set. The first `free_events` events, in order of (at, position), pay nothing (not even the minimum). Of the property
    `free_of` the first `free_amount` is free, counted over all events in that order: an event wholly inside pays nothing, one
    that crosses has the free part taken off `free_of` before its components are computed. An event must pass both to pay.
    """

    components: tuple[Component, ...]
    minimum: Fraction | None = None
    maximum: Fraction | None = None
    rounding: RoundingMode | None = None
    free_events: int = 0
    free_of: str | None = None
    free_amount: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Bands:
    """Hours of the local week: `spans` are (weekday 0=Monday, start minute, end minute), half-open, in `zone`."""

    zone: str
    spans: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A share of the events that is measured and priced on its own: those of which `when` (and `during`) hold, and which no
    earlier cell took. Exactly one of `curve` and `fees` is set."""

    label: str
    curve: Curve | None = None
    fees: Fees | None = None
    steps: tuple[Step, ...] = ()
    when: Condition = ALWAYS
    during: Bands | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """What a price lowers to. With `line_per_cell` each cell is a line of its own (and there are no minimum or maximum);
    otherwise all cells add up to one line, held within [minimum, maximum], rounded once."""

    currency: str
    cells: tuple[Cell, ...]
    minimum: Fraction | None = None
    maximum: Fraction | None = None
    rounding: RoundingMode = RoundingMode.HALF_AWAY
    line_per_cell: bool = False

    @property
    def by_time_of_day(self) -> bool:
        """Whether it tells events apart by their time of day."""
        return any(cell.during is not None for cell in self.cells)

    @property
    def needs_events(self) -> bool:
        """Whether a quantity alone is not enough to rate it."""
        return len(self.cells) > 1 or any(cell.fees or cell.when.tests or cell.during for cell in self.cells)
