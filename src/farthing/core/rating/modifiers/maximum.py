"""The most that the price comes to, in minor units.

If the sum over tiers, fees and cells is above the maximum, the maximum is charged instead. Like the minimum it is a function of
the cumulative amount, and prorated by the contract where the price holds for a part of its period.

- A maximum below `ext.minimum` is refused (`bounds_reversed` at `ext.maximum`).
- Together with the `cap_amount` of a percentage it is refused (`fields_conflict` at `ext.maximum`): both say the same.
- Refused on prices with `line_per_cell` (`modifier_not_applicable`): there is no single line to hold down.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from farthing.core.base.exact import show
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELDS_CONFLICT
from farthing.core.catalog.fields import Field, Reader
from farthing.core.catalog.refusals import BOUNDS_REVERSED
from farthing.core.rating.models.form import Example, Schema
from farthing.core.rating.modifiers.form import Compiled, Modifier, refuse_line_per_cell

FIELDS = (Field("amount", "amount", "the most, in minor units", required=True),)


def read(raw: Any, path: str) -> Fraction:
    """Read `ext.maximum`."""
    return Reader.of(raw, path, FIELDS).amount("amount")


def apply(amount: Fraction, compiled: Compiled, path: str) -> Compiled:
    """Set the program's maximum. Comes after the minimum."""
    refuse_line_per_cell(compiled, path)
    program = compiled.program
    if program.maximum is not None:
        raise Refusal(FIELDS_CONFLICT, "the model has a cap of its own.", path)
    if program.minimum is not None and program.minimum > amount:
        raise Refusal(BOUNDS_REVERSED, f"the minimum {show(program.minimum)} is above the maximum {show(amount)}.", path)
    return replace(compiled, program=replace(program, maximum=amount))


SCHEMA = Schema(
    "maximum",
    __doc__ or "",
    FIELDS,
    (
        Example(
            "12,000 calls at 2 cents, at most 100.00 USD",
            {"currency": "usd", "unit_amount": 2, "ext": {"maximum": {"amount_decimal": "10000"}}},
            {"quantity": "12000"},
            10000,
            "10000",
        ),
    ),
)
MODIFIER = Modifier(SCHEMA, read, apply)
