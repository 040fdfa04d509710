"""Included units: the first `units` of the quantity cost nothing.

They are taken off after `ext.conversion` and before everything that the model does, so tiers and blocks count from what is left.

- Quantity at or below the allowance: what is priced is zero, with what the model says of zero.
- The allowance holds for the segment over which usage is metered, once over all part-invoices of it; it is not prorated.
- Where the price says `value_in: major`, so is the allowance: it is in the units of the measured quantity.
- Negative quantity: refused (`quantity_negative`), for every model.
- On a package price it comes before the package's own free units; both are free.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from farthing.core.catalog.fields import Field, Reader
from farthing.core.rating.models.form import Example, Schema
from farthing.core.rating.modifiers.form import Compiled, Modifier, steps_first
from farthing.core.rating.program import Include

FIELDS = (Field("units", "number", "units that are included, zero or more", required=True),)


def read(raw: Any, path: str) -> Fraction:
    """Read `ext.allowance`: the included units."""
    return Reader.of(raw, path, FIELDS).number("units")


def apply(units: Fraction, compiled: Compiled, _path: str) -> Compiled:
    """Take the units off before the model's own steps."""
    return steps_first(compiled, (Include(units),))


SCHEMA = Schema(
    "allowance",
    __doc__ or "",
    FIELDS,
    (
        Example(
            "1,200 calls, 1,000 of them included, at 2 cents each",
            {"currency": "usd", "unit_amount": 2, "ext": {"allowance": {"units": "1000"}}},
            {"quantity": "1200"},
            400,
            "400",
        ),
    ),
)
MODIFIER = Modifier(SCHEMA, read, apply)
