"""How the line is rounded to a whole minor unit, once, after minimum and maximum.

- `half_away` (the default): to the nearest, halves away from zero (2.5 → 3, -2.5 → -3).
- `half_even`: to the nearest, halves to the even neighbour (2.5 → 2, 3.5 → 4).
- `up`: towards plus infinity (2.1 → 3, -2.9 → -2).
- `down`: towards minus infinity (2.9 → 2, -2.1 → -3).

Where a model rounds each event's fee (`round_per: event`), the same mode holds for each event.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from farthing.core.base.rounding import RoundingMode
from farthing.core.catalog.fields import Field, Reader
from farthing.core.rating.models.form import Example, Schema
from farthing.core.rating.modifiers.form import Compiled, Modifier, with_cells
from farthing.core.rating.program import Cell

MODES = tuple(mode.value for mode in RoundingMode)
FIELDS = (Field("mode", "choice", "the rounding mode", required=True, choices=MODES),)


def read(raw: Any, path: str) -> RoundingMode:
    """Read `ext.rounding`."""
    return RoundingMode(Reader.of(raw, path, FIELDS).choice("mode", MODES))


def apply(mode: RoundingMode, compiled: Compiled, _path: str) -> Compiled:
    """Set it on the line, and on each event's fee where that is rounded at all."""

    def in_mode(cell: Cell) -> Cell:
        return cell if cell.fees is None or cell.fees.rounding is None else replace(cell, fees=replace(cell.fees, rounding=mode))

    changed = with_cells(compiled, in_mode)
    return replace(changed, program=replace(changed.program, rounding=mode))


SCHEMA = Schema(
    "rounding",
    __doc__ or "",
    FIELDS,
    (
        Example(
            "5 units at half a cent, halves to even",
            {"currency": "usd", "unit_amount_decimal": "0.5", "ext": {"rounding": {"mode": "half_even"}}},
            {"quantity": "5"},
            2,
            "2.5",
        ),
    ),
)
MODIFIER = Modifier(SCHEMA, read, apply)
