"""Steps of which each has one amount for any quantity in it.

The step in which the quantity lies (upper bounds inclusive) decides; its amount is the whole charge.

- Boundary: a quantity equal to `up_to` lies in that step.
- Quantity zero: the first step's amount is due. With `ext.flat_at_zero: false` nothing is due.
- Fractional quantity: steps leave no gap; 10.5 units with bounds 10 and 20 lie in the second step.
- Negative quantity: refused (`quantity_negative`).
"""

from __future__ import annotations

from farthing.core.catalog.fields import Field, Reader
from farthing.core.rating.models.form import ZERO, Example, Lowered, Model, Schema
from farthing.core.rating.models.tiers import tier_curve, tier_rows
from farthing.core.rating.program import Cell, Segment

STEP_FIELDS = (
    Field("up_to", "number", 'upper bound of the step, inclusive; "inf" or null for the last', required=True),
    Field("flat_amount", "amount", "minor units for any quantity in the step", required=True),
)


def read(stairstep: Reader) -> tuple[Segment, ...]:
    """Read `ext.stairstep`."""
    return tuple(Segment(upper, ZERO, row.amount("flat_amount")) for upper, row in tier_rows(stairstep, STEP_FIELDS))


def lower(segments: tuple[Segment, ...], _currency: str) -> Lowered:
    """The steps as a volume curve that has only flat amounts."""
    return Lowered((Cell("", curve=tier_curve("volume", segments)),))


SCHEMA = Schema(
    "stairstep",
    __doc__ or "",
    (Field("tiers", "list", "the steps, in rising order", required=True, fields=STEP_FIELDS),),
    (
        Example(
            "12,000 contacts: 30.00 USD up to 10,000, 50.00 up to 25,000, 90.00 above",
            {
                "currency": "usd",
                "ext": {
                    "stairstep": {
                        "tiers": [{"up_to": 10000, "flat_amount": 3000}, {"up_to": 25000, "flat_amount": 5000}, {"up_to": "inf", "flat_amount": 9000}]
                    }
                },
            },
            {"quantity": "12000"},
            5000,
            "5000",
        ),
    ),
)
MODEL = Model(SCHEMA, read, lower)
