"""Unit conversion before pricing, such as bytes to GB.

The measured quantity is multiplied by `multiply_by` or divided by `divide_by` (exactly one of the two, above zero: `field_missing`
at `divide_by` if none, `fields_conflict` at `divide_by` if both). With `round` it is then rounded to whole units, up (towards plus
infinity) or down (towards minus infinity). It comes before the allowance and before everything that the model does, so tiers,
blocks and unit amounts are in converted units.

- The conversion is exact: 1 byte divided by 1,000,000,000 stays 0.000000001, and a third stays a third.
- On prices with several cells (matrix, time_of_use) each cell's quantity is converted; rounding is refused there
  (`modifier_not_applicable` at `round`), as it would depend on how usage falls into cells. One cell (also a default, or a rest) is not several.
- A negative quantity is converted like any other; rounding does not hide it: where the model refuses negative quantities, the
  quantity is refused before it is rounded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_MISSING, FIELDS_CONFLICT
from farthing.core.base.rounding import RoundingMode
from farthing.core.catalog.fields import Field, Reader
from farthing.core.catalog.refusals import MODIFIER_NOT_APPLICABLE
from farthing.core.rating.models.form import Example, Schema
from farthing.core.rating.modifiers.form import Compiled, Modifier, steps_first
from farthing.core.rating.program import RoundUnits, Scale, Step

FIELDS = (
    Field("multiply_by", "number", "factor, above zero"),
    Field("divide_by", "number", "divisor, above zero"),
    Field("round", "choice", "to whole units afterwards", default="none", choices=("none", "up", "down")),
    Field("unit", "text", "name of the converted unit, for lines and explanations"),
)


@dataclass(frozen=True, slots=True)
class Conversion:
    """An exact factor, and how the product is rounded to whole units (None: not)."""

    factor: Fraction
    mode: RoundingMode | None
    unit: str | None


def read(raw: Any, path: str) -> Conversion:
    """Read `ext.conversion`."""
    conversion = Reader.of(raw, path, FIELDS)
    given = conversion.has("multiply_by"), conversion.has("divide_by")
    if all(given):
        raise Refusal(FIELDS_CONFLICT, "both multiply_by and divide_by are given.", conversion.at("divide_by"))
    if not any(given):
        raise Refusal(FIELD_MISSING, "neither multiply_by nor divide_by is given.", conversion.at("divide_by"))
    factor = conversion.above_zero("multiply_by") if given[0] else 1 / conversion.above_zero("divide_by")
    mode = conversion.choice("round", ("none", "up", "down"), "none")
    return Conversion(factor, None if mode == "none" else RoundingMode(mode), conversion.text("unit") if conversion.has("unit") else None)


def apply(params: Conversion, compiled: Compiled, path: str) -> Compiled:
    """Put the conversion before all other steps."""
    steps: tuple[Step, ...] = (Scale(params.factor),)
    if params.mode is not None:
        if len(compiled.program.cells) > 1:
            raise Refusal(MODIFIER_NOT_APPLICABLE, "the price has several cells, which would be rounded apart.", f"{path}.round")
        steps = (*steps, RoundUnits(params.mode))
    return replace(steps_first(compiled, steps), unit=params.unit)


SCHEMA = Schema(
    "conversion",
    __doc__ or "",
    FIELDS,
    (
        Example(
            "1,500,000,001 bytes at 9 cents for each GB begun: 2 GB",
            {"currency": "usd", "unit_amount": 9, "ext": {"conversion": {"divide_by": "1000000000", "round": "up", "unit": "GB"}}},
            {"quantity": "1500000001"},
            18,
            "18",
        ),
    ),
)
MODIFIER = Modifier(SCHEMA, read, apply)
