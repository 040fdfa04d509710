"""What models that charge event by event share: bounds of an event's fee, and where rounding happens."""

from __future__ import annotations

from fractions import Fraction

from farthing.core.base.exact import show
from farthing.core.base.refusal import Refusal
from farthing.core.base.rounding import RoundingMode
from farthing.core.catalog.fields import Field, Reader
from farthing.core.catalog.refusals import BOUNDS_REVERSED

MINIMUM = Field("minimum_amount", "amount", "the least that one event costs, in minor units")
MAXIMUM = Field("maximum_amount", "amount", "the most that one event costs, in minor units")
ROUND_PER = Field("round_per", "choice", "round each event's fee, or only the line", default="line", choices=("line", "event"))


def read_bounds(reader: Reader) -> tuple[Fraction | None, Fraction | None]:
    """`minimum_amount` and `maximum_amount`. Errors: bounds_reversed at the maximum, and those of amounts."""
    minimum, maximum = reader.amount_or_none("minimum_amount"), reader.amount_or_none("maximum_amount")
    if minimum is not None and maximum is not None and minimum > maximum:
        raise Refusal(BOUNDS_REVERSED, f"the minimum {show(minimum)} is above the maximum {show(maximum)}.", reader.at("maximum_amount"))
    return minimum, maximum


def read_rounding(reader: Reader) -> RoundingMode | None:
    """How each event's fee is rounded: not at all (None), or half away from zero until `ext.rounding` says otherwise."""
    return RoundingMode.HALF_AWAY if reader.choice("round_per", ROUND_PER.choices, "line") == "event" else None
