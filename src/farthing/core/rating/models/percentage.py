"""A percentage of the money that each event carries, plus a fixed part for each event.

The fee of an event is `percent` of its property `value` plus `fixed_amount`, held within `minimum_amount` and `maximum_amount`
(both for each event). The charge is the sum of the fees, at most `cap_amount`.

- Rounding: with `round_per: line` (the default) fees are summed exactly and the line is rounded once. With `round_per: event` each
  fee is rounded to the minor unit by itself, after its minimum and maximum and in the price's rounding mode; then
  `amount_exact` is the sum of the rounded fees.
- `free_events`: the first so many events pay nothing, not even the fixed part or the minimum.
- `free_amount`: the first so much of the money is free. An event wholly inside pays nothing (nor, where `free_amount` is above
  zero, does an event of value zero, also after it is used up; where it is not, such an event pays `fixed_amount` and minimum);
  one that crosses the end pays its fee on the rest. Free events use the free amount up as well: both count over all events,
  and an event must be outside of both to pay.
- Order, for both: by time, then by place in the log (in the calculator: as given, see there).
- An event whose value is missing, no number, or negative is not rated: in metering it is set aside and listed, the
  calculator refuses it (`event_value_unreadable`).
- No events: nothing is due but `ext.minimum`. A quantity alone cannot be rated (`events_needed`).
- `minimum_amount` above `maximum_amount` is refused (`bounds_reversed`), and so is `ext.minimum` above `cap_amount` (at
  `ext.minimum`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from farthing.core.base.rounding import RoundingMode
from farthing.core.catalog.fields import Field, Reader
from farthing.core.rating.models.form import VALUE_IN, ZERO, Example, Lowered, Model, Schema, minor_factor
from farthing.core.rating.models.per_event import MAXIMUM, MINIMUM, ROUND_PER, read_bounds, read_rounding
from farthing.core.rating.program import Cell, Component, Fees

FIELDS = (
    Field("percent", "percent", 'of the value, "1.5" is 1.5 %; zero or more', required=True),
    Field("fixed_amount", "amount", "minor units for each event", default="0"),
    MINIMUM,
    MAXIMUM,
    Field("free_events", "whole", "events that pay nothing", default="0"),
    Field("free_amount", "amount", "money, in minor units, that is free", default="0"),
    Field("cap_amount", "amount", "the most that all events together cost, in minor units"),
    Field("value", "property", "the property that carries the money", default="value"),
    VALUE_IN,
    ROUND_PER,
)


@dataclass(frozen=True, slots=True)
class Percentage:
    """`rate` is a plain factor; amounts are in minor units, whatever the value is in."""

    rate: Fraction
    fixed: Fraction
    minimum: Fraction | None
    maximum: Fraction | None
    free_events: int
    free_amount: Fraction
    cap: Fraction | None
    value: str
    value_in: str
    rounding: RoundingMode | None


def read(percentage: Reader) -> Percentage:
    """Read `ext.percentage`."""
    minimum, maximum = read_bounds(percentage)
    return Percentage(
        rate=percentage.share("percent"),
        fixed=percentage.amount("fixed_amount", ZERO),
        minimum=minimum,
        maximum=maximum,
        free_events=percentage.whole("free_events", 0),
        free_amount=percentage.amount("free_amount", ZERO),
        cap=percentage.amount_or_none("cap_amount"),
        value=percentage.property_name("value", "value"),
        value_in=percentage.choice("value_in", VALUE_IN.choices, "minor"),
        rounding=read_rounding(percentage),
    )


def lower(params: Percentage, currency: str) -> Lowered:
    """Fees of one percentage component and, where there is a fixed part, one fixed component."""
    factor = minor_factor(params.value_in, currency)
    percent = Component("percent", of=params.value, rate=params.rate * factor)
    fees = Fees(
        components=(percent, Component("fixed", fixed=params.fixed)) if params.fixed else (percent,),
        minimum=params.minimum,
        maximum=params.maximum,
        rounding=params.rounding,
        free_events=params.free_events,
        free_of=params.value if params.free_amount else None,
        free_amount=params.free_amount / factor,
    )
    return Lowered((Cell("", fees=fees),), maximum=params.cap)


SCHEMA = Schema(
    "percentage",
    __doc__ or "",
    FIELDS,
    (
        Example(
            "two payments of 19.99 and 250.00 GBP at 1.5 % + 20p, each rounded: 50 + 395",
            {"currency": "gbp", "ext": {"percentage": {"percent": "1.5", "fixed_amount": 20, "round_per": "event"}}},
            {"events": [{"value": 1999}, {"value": 25000}]},
            445,
            "445",
        ),
        Example(
            "a direct debit of 1,000.00 USD at 0.8 %, at most 5.00 each",
            {"currency": "usd", "ext": {"percentage": {"percent": "0.8", "maximum_amount": 500, "value_in": "major"}}},
            {"events": [{"value": "1000.00"}]},
            500,
            "500",
        ),
    ),
)
MODEL = Model(SCHEMA, read, lower, excludes=frozenset({"conversion", "allowance", "flat_at_zero"}))
