"""Tiers of which each prices its own part of the quantity.

The wire's `billing_scheme: tiered` with `tiers_mode: graduated`. A tier covers the units above the upper bound of the tier before
it (zero for the first) up to and including its own `up_to`; those units cost its unit amount each. Its flat amount is added
once, as soon as any part of the quantity lies above the tier's lower bound.

- Boundary: a quantity equal to `up_to` lies wholly inside that tier; the next tier is not entered, nor its flat amount due.
- Fractional quantity: tiers leave no gap; 10.5 units with bounds 10 and 20 put 0.5 into the second tier.
- Quantity zero: the first tier's flat amount is due, no other. With `ext.flat_at_zero: false` nothing is due.
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
    """The tiers as a graduated curve."""
    return Lowered((Cell("", curve=tier_curve("graduated", segments)),))


_REQUESTS = {
    "currency": "usd",
    "billing_scheme": "tiered",
    "tiers_mode": "graduated",
    "tiers": [
        {"up_to": 333000000, "unit_amount_decimal": "0.00035"},
        {"up_to": 1000000000, "unit_amount_decimal": "0.00028"},
        {"up_to": 20000000000, "unit_amount_decimal": "0.000238"},
        {"up_to": "inf", "unit_amount_decimal": "0.000151"},
    ],
}
SCHEMA = Schema(
    "graduated",
    __doc__ or "",
    tuple(field for field in PRICE_FIELDS if field.name == "tiers"),
    (
        Example(
            "21 billion requests: 333 million at 3.50 USD a million, 667 million at 2.80, 19 billion at 2.38, 1 billion at 1.51",
            _REQUESTS,
            {"quantity": "21000000000"},
            4976310,
            "4976310",
        ),
    ),
)
MODEL = Model(SCHEMA, read, lower, native=True)
