"""An amount for each block of units.

The first `free_units` are free. What is left is divided by `size` and rounded to whole blocks, up (a block begun is a block due)
or down (only full blocks are due); each block costs the amount.

- Part-invoices of one period: the amount is a function of the period's cumulative quantity, so a block begun on one
  part-invoice and filled on the next is billed once.
- Quantity zero, or no more than the free units: no block, nothing due.
- Boundary: exactly n × `size` paid units are n blocks in both directions.
- Fractional quantity: with `round: up`, any part of a unit begins a block.
- Negative quantity: refused (`quantity_negative`), whatever it would round to.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from farthing.core.base.rounding import RoundingMode
from farthing.core.catalog.fields import Field, Reader
from farthing.core.rating.models.form import ZERO, Example, Lowered, Model, Schema
from farthing.core.rating.program import Cell, Curve, Include, RoundUnits, Scale, Segment, Step

FIELDS = (
    Field("size", "number", "units in a block, above zero", required=True),
    Field("amount", "amount", "minor units for each block", required=True),
    Field("free_units", "number", "units that are free before blocks are counted", default="0"),
    Field("round", "choice", "whether a block begun is due (up) or only a full one (down)", default="up", choices=("up", "down")),
)


@dataclass(frozen=True, slots=True)
class Package:
    """Blocks of `size` units at `amount` minor units, after `free_units`."""

    size: Fraction
    amount: Fraction
    free_units: Fraction
    mode: RoundingMode


def read(package: Reader) -> Package:
    """Read `ext.package`."""
    mode = RoundingMode(package.choice("round", ("up", "down"), "up"))
    return Package(package.above_zero("size"), package.amount("amount"), package.number("free_units", ZERO), mode)


def lower(params: Package, _currency: str) -> Lowered:
    """Free units, then blocks, then one segment that prices blocks."""
    free: tuple[Step, ...] = (Include(params.free_units),) if params.free_units else ()
    steps = (*free, Scale(1 / params.size), RoundUnits(params.mode))
    return Lowered((Cell("", curve=Curve("graduated", (Segment(None, params.amount),)), steps=steps),))


SCHEMA = Schema(
    "package",
    __doc__ or "",
    FIELDS,
    (
        Example(
            "1,250 messages, 100 of them free, at 5.00 USD for each thousand begun: 2 blocks",
            {"currency": "usd", "ext": {"package": {"size": "1000", "amount": 500, "free_units": "100"}}},
            {"quantity": "1250"},
            1000,
            "1000",
        ),
    ),
)
MODEL = Model(SCHEMA, read, lower, excludes=frozenset({"flat_at_zero"}))
