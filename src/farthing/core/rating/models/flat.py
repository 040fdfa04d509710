"""An amount for each period, whatever the quantity.

- Quantity zero, and a period without any event: the amount is due. With `ext.flat_at_zero: false` it is due only when the
  quantity is above zero.
- Negative quantity: refused (`quantity_negative`).
- A licensed item (seats, a base fee) that holds for a part of its period is prorated by the contract, not here.
"""

from __future__ import annotations

from fractions import Fraction

from farthing.core.catalog.fields import Field, Reader
from farthing.core.rating.models.form import ZERO, Example, Lowered, Model, Schema
from farthing.core.rating.program import Cell, Curve, Segment


def read(flat: Reader) -> Fraction:
    """Read `ext.flat`: the amount in minor units."""
    return flat.amount("amount")


def lower(amount: Fraction, _currency: str) -> Lowered:
    """One endless segment that has only a flat amount."""
    return Lowered((Cell("", curve=Curve("graduated", (Segment(None, ZERO, amount),))),))


SCHEMA = Schema(
    "flat",
    __doc__ or "",
    (Field("amount", "amount", "minor units for each period", required=True),),
    (Example("a base fee of 49.00 EUR, without usage", {"currency": "eur", "ext": {"flat": {"amount": 4900}}}, {"quantity": "0"}, 4900, "4900"),),
)
MODEL = Model(SCHEMA, read, lower, excludes=frozenset({"conversion", "allowance"}))
