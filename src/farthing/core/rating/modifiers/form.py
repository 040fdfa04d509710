"""What a modifier is, and the compiled price that modifiers change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar

from farthing.core.base.refusal import Refusal
from farthing.core.catalog.refusals import MODIFIER_NOT_APPLICABLE
from farthing.core.rating.models.form import Schema
from farthing.core.rating.program import Cell, Program, Step

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A price ready to rate. `accumulate` tells over which segment its usage is metered ("term": over the contract's term);
    `unit` names the unit of the quantity that is priced, where `ext.conversion` says so."""

    program: Program
    model: str
    accumulate: Literal["period", "term"] = "period"
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Modifier(Generic[P]):
    """One modifier, named by `ext.<name>`: a reader of its value (given with its path), and what it makes of the compiled price.

    `apply` refuses by raising where the price has a shape on which it has no meaning. It gets the path as well.
    """

    schema: Schema
    read: Callable[[Any, str], P]
    apply: Callable[[P, Compiled, str], Compiled]

    @property
    def name(self) -> str:
        """Its key in `ext`."""
        return self.schema.name


def steps_first(compiled: Compiled, steps: tuple[Step, ...]) -> Compiled:
    """The price with steps put before all others of every cell."""
    return with_cells(compiled, lambda cell: replace(cell, steps=steps + cell.steps))


def with_cells(compiled: Compiled, change: Callable[[Cell], Cell]) -> Compiled:
    """The price with every cell changed."""
    cells = tuple(change(cell) for cell in compiled.program.cells)
    return replace(compiled, program=replace(compiled.program, cells=cells))


def refuse_line_per_cell(compiled: Compiled, path: str) -> None:
    """Refuse a bound on the whole price where each cell is a line of its own."""
    if compiled.program.line_per_cell:
        raise Refusal(MODIFIER_NOT_APPLICABLE, "a price with line_per_cell has no single line that could be held to it.", path)
