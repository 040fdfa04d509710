"""Percentages in tiers of the summed money: each tier takes its percentage of its own part.

The measured sum is money in the price's currency. A tier covers the money above the upper bound of the tier before it up to
and including its own `up_to`, in minor units, and takes `percent` of that part; its flat amount is added once, as soon as any
part of the sum lies above the tier's lower bound.

- Boundary: a sum equal to `up_to` lies wholly inside that tier.
- Sum zero: the first tier's flat amount is due, no other. With `ext.flat_at_zero: false` nothing is due.
- Negative sum: refused (`quantity_negative`).
- `value_in: major` converts the sum to minor units first; `up_to` stays in minor units.
"""

from __future__ import annotations

from dataclasses import dataclass

from farthing.core.catalog.fields import Field, Reader
from farthing.core.rating.models.form import VALUE_IN, ZERO, Example, Lowered, Model, Schema, minor_factor
from farthing.core.rating.models.tiers import tier_curve, tier_rows
from farthing.core.rating.program import Cell, Scale, Segment, Step

TIER_FIELDS = (
    Field("up_to", "number", 'upper bound of the tier in minor units, inclusive; "inf" or null for the last', required=True),
    Field("percent", "percent", 'of the money in the tier, "1.5" is 1.5 %', required=True),
    Field("flat_amount", "amount", "minor units once, when the tier is reached", default="0"),
)


@dataclass(frozen=True, slots=True)
class GraduatedPercentage:
    """Segments over the sum in minor units, whatever the sum is measured in."""

    segments: tuple[Segment, ...]
    value_in: str


def read(tiers: Reader) -> GraduatedPercentage:
    """Read `ext.graduated_percentage`."""
    rows = tier_rows(tiers, TIER_FIELDS)
    segments = tuple(Segment(upper, row.share("percent"), row.amount("flat_amount", ZERO)) for upper, row in rows)
    return GraduatedPercentage(segments, tiers.choice("value_in", VALUE_IN.choices, "minor"))


def lower(params: GraduatedPercentage, currency: str) -> Lowered:
    """A graduated curve over money in minor units."""
    factor = minor_factor(params.value_in, currency)
    steps: tuple[Step, ...] = (Scale(factor),) if factor != 1 else ()
    return Lowered((Cell("", curve=tier_curve("graduated", params.segments), steps=steps),))


SCHEMA = Schema(
    "graduated_percentage",
    __doc__ or "",
    (Field("tiers", "list", "the tiers, in rising order", required=True, fields=TIER_FIELDS), VALUE_IN),
    (
        Example(
            "15,000.00 EUR of sales: 3 % of the first 10,000.00, 2 % of the rest",
            {
                "currency": "eur",
                "ext": {"graduated_percentage": {"tiers": [{"up_to": 1000000, "percent": "3"}, {"up_to": "inf", "percent": "2"}]}},
            },
            {"quantity": "1500000"},
            40000,
            "40000",
        ),
    ),
)
MODEL = Model(SCHEMA, read, lower)
