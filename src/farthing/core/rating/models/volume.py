"""Tiers of which one prices the whole quantity: the tier in which the quantity lies.

The wire's `billing_scheme: tiered` with `tiers_mode: volume`. All units cost the unit amount of that tier, and its flat amount is
added once.

- Boundary: a quantity equal to `up_to` lies inside that tier (upper bounds are inclusive).
- The amount may fall where a boundary is crossed. It is billed as it is: one unit more may lower the bill, and a part-invoice
  that comes out negative waits for the final one.
- Quantity zero: it lies in the first tier, whose flat amount is due. With `ext.flat_at_zero: false` nothing is due.
- Fractional quantity: tiers leave no gap; 10.5 units with bounds 10 and 20 lie in the second tier.
- Negative quantity: refused (`quantity_negative`).
- `transform_quantity` cannot be combined with tiers (`fields_conflict`); `ext.conversion` can.
"""

from __future__ import annotations

from farthing.core.catalog.fields import Reader
from farthing.core.catalog.price import PRICE_FIELDS, TIER_FIELDS
from farthing.core.rating.models.form import Example, Lowered, Model, Schema
from farthing.core.rating.models.tiers import tier_curve, unit_and_flat
from farthing.core.rating.program import Cell, Segment


def read(price: Reader) -> tuple[Segment, ...]:
    """Read the tiers of the whole price document."""
    return unit_and_flat(price, TIER_FIELDS)


def lower(segments: tuple[Segment, ...], _currency: str) -> Lowered:
    """The tiers as a volume curve."""
    return Lowered((Cell("", curve=tier_curve("volume", segments)),))


SCHEMA = Schema(
    "volume",
    __doc__ or "",
    tuple(field for field in PRICE_FIELDS if field.name == "tiers"),
    (
        Example(
            "101 seats, one above the bound: all at 8.00 EUR instead of 10.00",
            {
                "currency": "eur",
                "billing_scheme": "tiered",
                "tiers_mode": "volume",
                "tiers": [{"up_to": 100, "unit_amount": 1000}, {"up_to": "inf", "unit_amount": 800, "flat_amount": 50}],
            },
            {"quantity": "101"},
            80850,
            "80850",
        ),
    ),
)
MODEL = Model(SCHEMA, read, lower, native=True)
