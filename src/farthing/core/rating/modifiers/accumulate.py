"""Over which stretch of time usage accumulates: `"period"` (the default) or `"term"`.

With `"period"` tiers, allowance, blocks, free events, minimum and maximum start afresh in each billing period. With `"term"` they run
over the contract's term: each invoice bills what the usage of the term so far comes to, less what has been billed for it. It is
a text, not an object, and it does not change the amount of a given quantity; the contract meters accordingly.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_INVALID
from farthing.core.catalog.fields import Field
from farthing.core.rating.models.form import Example, Schema
from farthing.core.rating.modifiers.form import Compiled, Modifier

Stretch = Literal["period", "term"]


def read(raw: Any, path: str) -> Stretch:
    """Read `ext.accumulate`."""
    if raw == "period":
        return "period"
    if raw == "term":
        return "term"
    raise Refusal(FIELD_INVALID, 'accumulate is "period" or "term".', path)


def apply(stretch: Stretch, compiled: Compiled, _path: str) -> Compiled:
    """Note it on the compiled price."""
    return replace(compiled, accumulate=stretch)


SCHEMA = Schema(
    "accumulate",
    __doc__ or "",
    (Field("accumulate", "choice", "the stretch over which usage accumulates", default="period", choices=("period", "term")),),
    (
        Example(
            "1,500 units used in a term so far, 1,000 of them at 10 cents and the rest at 8",
            {
                "currency": "usd",
                "tiers_mode": "graduated",
                "billing_scheme": "tiered",
                "tiers": [{"up_to": 1000, "unit_amount": 10}, {"up_to": "inf", "unit_amount": 8}],
                "ext": {"accumulate": "term"},
            },
            {"quantity": "1500"},
            14000,
            "14000",
        ),
    ),
)
MODIFIER = Modifier(SCHEMA, read, apply)
