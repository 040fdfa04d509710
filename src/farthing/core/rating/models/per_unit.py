"""An amount for each unit: quantity × unit amount.

The wire's `billing_scheme: per_unit` with `unit_amount` or `unit_amount_decimal`, one of which is required. With
`transform_quantity` the quantity is first divided by `divide_by` and rounded up or down to whole billed units.

- Quantity zero: nothing is due.
- Negative quantity: a credit at the same unit amount (the model is linear). Rounding of `transform_quantity` keeps its
  direction below zero: up is towards plus infinity, so -15 in tens rounded up is -1 billed unit.
- Fractional quantity: priced as it is, unless `transform_quantity` rounds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from farthing.core.base.exact import positive
from farthing.core.base.rounding import RoundingMode
from farthing.core.catalog.fields import Reader
from farthing.core.catalog.price import PRICE_FIELDS, TRANSFORM_FIELDS
from farthing.core.rating.models.form import Example, Lowered, Model, Schema, linear
from farthing.core.rating.program import Cell, RoundUnits, Scale, Step


@dataclass(frozen=True, slots=True)
class PerUnit:
    """`unit` minor units for each unit that is left after `steps`."""

    unit: Fraction
    steps: tuple[Step, ...] = ()


def read(price: Reader) -> PerUnit:
    """Read the whole price document."""
    unit = price.amount("unit_amount")
    if not price.has("transform_quantity"):
        return PerUnit(unit)
    transform = price.open("transform_quantity", TRANSFORM_FIELDS)
    size = positive(Fraction(transform.whole("divide_by")), transform.at("divide_by"))
    mode = RoundingMode(transform.choice("round", ("up", "down")))
    return PerUnit(unit, (Scale(1 / size), RoundUnits(mode)))


def lower(params: PerUnit, _currency: str) -> Lowered:
    """One linear segment behind the steps."""
    return Lowered((Cell("", curve=linear(params.unit), steps=params.steps),))


_NAMES = ("unit_amount", "transform_quantity")
SCHEMA = Schema(
    "per_unit",
    __doc__ or "",
    tuple(field for field in PRICE_FIELDS if field.name in _NAMES),
    (
        Example(
            "1,000,000 input tokens at 2.50 USD a million",
            {"currency": "usd", "billing_scheme": "per_unit", "unit_amount_decimal": "0.00025"},
            {"quantity": "1000000"},
            250,
            "250",
        ),
        Example(
            "2,001 calls at 5 cents for each thousand begun",
            {"currency": "usd", "billing_scheme": "per_unit", "unit_amount": 5, "transform_quantity": {"divide_by": 1000, "round": "up"}},
            {"quantity": "2001"},
            15,
            "15",
        ),
    ),
)
MODEL = Model(SCHEMA, read, lower, native=True, excludes=frozenset({"flat_at_zero"}))
