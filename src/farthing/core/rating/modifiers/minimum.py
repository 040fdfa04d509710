"""The least that the price comes to, in minor units.

If the sum over tiers, fees and cells is below the minimum, the minimum is charged instead. It is a function of the cumulative
amount, so it is applied once over the part-invoices of a segment, never once on each.

- Zero usage, and a segment without events: the minimum is due.
- A negative sum (credits) is raised to the minimum as well.
- Where the price holds for a part of its period, the contract prorates the minimum by time.
- A minimum above the `cap_amount` of a percentage is refused (`bounds_reversed` at `ext.minimum`).
- Refused on prices with `line_per_cell` (`modifier_not_applicable`): there is no single line to raise.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from farthing.core.base.exact import show
from farthing.core.base.refusal import Refusal
from farthing.core.catalog.fields import Field, Reader
from farthing.core.catalog.refusals import BOUNDS_REVERSED
from farthing.core.rating.models.form import Example, Schema
from farthing.core.rating.modifiers.form import Compiled, Modifier, refuse_line_per_cell

FIELDS = (Field("amount", "amount", "the least, in minor units", required=True),)


def read(raw: Any, path: str) -> Fraction:
    """Read `ext.minimum`."""
    return Reader.of(raw, path, FIELDS).amount("amount")


def apply(amount: Fraction, compiled: Compiled, path: str) -> Compiled:
    """Set the program's minimum. Comes before the maximum: one that is there already is the model's own cap."""
    refuse_line_per_cell(compiled, path)
    cap = compiled.program.maximum
    if cap is not None and amount > cap:
        raise Refusal(BOUNDS_REVERSED, f"the minimum {show(amount)} is above the cap {show(cap)}.", path)
    return replace(compiled, program=replace(compiled.program, minimum=amount))


SCHEMA = Schema(
    "minimum",
    __doc__ or "",
    FIELDS,
    (
        Example(
            "120 calls at 2 cents, at least 5.00 USD",
            {"currency": "usd", "unit_amount": 2, "ext": {"minimum": {"amount": 500}}},
            {"quantity": "120"},
            500,
            "500",
        ),
    ),
)
MODIFIER = Modifier(SCHEMA, read, apply)
