"""What the kernel is asked to rate, and which properties that needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from farthing.core.base.time import Interval
from farthing.core.events.condition import Condition, NumberTest, TextTest
from farthing.core.rating.program import Fees, Program
from farthing.core.usage.meter import Aggregation, Meter


@dataclass(frozen=True, slots=True)
class Job:
    """One price × one meter × one interval, for any number of charges."""

    program: Program
    meter: Meter
    interval: Interval

    @property
    def measured(self) -> Aggregation:
        """The aggregation that reads the events' values: the inner one of a windowed meter."""
        windows = self.meter.windows
        return windows.inner if self.meter.aggregation is Aggregation.WINDOWED and windows is not None else self.meter.aggregation

    @property
    def has_curves(self) -> bool:
        """Whether any cell is priced by the meter's quantity."""
        return any(cell.fees is None for cell in self.program.cells)

    @property
    def carries(self) -> bool:
        """Whether events before the interval matter."""
        return self.meter.aggregation is Aggregation.TIME_WEIGHTED and self.has_curves

    @property
    def may_leave_unmatched(self) -> bool:
        """Whether an event may fall into no cell."""
        return all(cell.when.tests or cell.during for cell in self.program.cells)

    @property
    def is_line_each(self) -> bool:
        """Whether each row of a charge and cell is a line of its own."""
        return self.program.line_per_cell or len(self.program.cells) == 1

    @property
    def only_chooses(self) -> bool:
        """Whether the interval does nothing but choose events. Charges with intervals of their own, each given its own events, may then
        be rated by one job over all of these intervals."""
        windowed = self.has_curves and self.meter.windows is not None
        return not (self.carries or windowed or any(cell.during for cell in self.program.cells))

    def numbers(self) -> tuple[str, ...]:
        """Properties that are read as numbers, each once, in a fixed order."""
        return tuple(dict.fromkeys(self._numbers()))

    def texts(self) -> tuple[str, ...]:
        """Properties that are compared, counted or grouped as text, each once, in a fixed order."""
        return tuple(dict.fromkeys(self._texts()))

    def presences(self) -> tuple[str, ...]:
        """Properties of which only presence is asked, each once, in a fixed order."""
        tests = (test for condition in self.conditions() for test in condition.tests)
        return tuple(dict.fromkeys(test.property for test in tests if isinstance(test, TextTest) and test.operator in ("exists", "absent")))

    def conditions(self) -> Iterator[Condition]:
        """Every condition of meter, cells and components."""
        yield self.meter.filters
        for cell in self.program.cells:
            yield cell.when
            yield from (component.when for component in (cell.fees.components if cell.fees else ()))

    def _numbers(self) -> Iterator[str]:
        if self.has_curves and self.measured not in (Aggregation.COUNT, Aggregation.UNIQUE_COUNT):
            yield self.meter.value_key
        for condition in self.conditions():
            yield from (test.property for test in condition.tests if isinstance(test, NumberTest))
        for cell in self.program.cells:
            yield from _fee_numbers(cell.fees)

    def _texts(self) -> Iterator[str]:
        yield from self.meter.group_by
        if self.has_curves and self.measured is Aggregation.UNIQUE_COUNT:
            yield self.meter.value_key
        for condition in self.conditions():
            yield from (test.property for test in condition.tests if isinstance(test, TextTest) and test.operator in ("in", "not_in"))


def _fee_numbers(fees: Fees | None) -> Iterator[str]:
    if fees is not None:
        yield from (component.of for component in fees.components if component.of)
        if fees.free_of:
            yield fees.free_of
