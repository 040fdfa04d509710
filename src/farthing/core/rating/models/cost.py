"""A cost passed through, or a cost × a multiplier.

The measured sum is itself money, in the price's currency; the charge is that sum × `multiplier` (1 passes it through).

- Negative cost: a credit, at the same multiplier (the model is linear).
- Quantity zero: nothing is due.
- Costs with fractions of a minor unit are summed exactly and rounded once, with the line.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from farthing.core.catalog.fields import Field, Reader
from farthing.core.rating.models.form import VALUE_IN, Example, Lowered, Model, Schema, linear, minor_factor
from farthing.core.rating.program import Cell


@dataclass(frozen=True, slots=True)
class Cost:
    """A measured cost in minor or major units, times `multiplier`."""

    multiplier: Fraction
    value_in: str


def read(cost: Reader) -> Cost:
    """Read `ext.cost`."""
    return Cost(cost.number("multiplier", Fraction(1)), cost.choice("value_in", VALUE_IN.choices, "minor"))


def lower(params: Cost, currency: str) -> Lowered:
    """One linear segment."""
    return Lowered((Cell("", curve=linear(params.multiplier * minor_factor(params.value_in, currency))),))


SCHEMA = Schema(
    "cost",
    __doc__ or "",
    (Field("multiplier", "number", "by what the cost is multiplied, zero or more", default="1"), VALUE_IN),
    (
        Example(
            "cloud costs of 12.345 and 7.10 USD, plus 20 %",
            {"currency": "usd", "ext": {"cost": {"multiplier": "1.2", "value_in": "major"}}},
            {"events": [{"value": "12.345"}, {"value": "7.10"}]},
            2333,
            "2333.4",
        ),
    ),
)
MODEL = Model(SCHEMA, read, lower, excludes=frozenset({"flat_at_zero"}))
