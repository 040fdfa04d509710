"""The derivation of what no price comes to: a key that is not agreed any more, or an adjustment."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from farthing.core.base.rounding import RoundingMode
from farthing.core.catalog.terms import ChargeKey
from farthing.core.rating.trace import Rated
from farthing.core.rating.trace_json import rated_document


def fixed_derivation(key: ChargeKey, amount: int) -> Mapping[str, Any]:
    """The derivation, in the form of every other one, of an amount in minor units that nothing was rated for."""
    rated = Rated("", key.currency, (), Fraction(0), None, Fraction(amount), RoundingMode.HALF_AWAY, amount)
    return {
        "price": {"id": "", "lineage": key.price, "model": "", "digest": ""},
        "meter": None,
        "metered": None,
        "quantity": None,
        "share": "1",
        "bounds_share": "1",
        "rated": rated_document(rated),
        "exact": str(amount),
        "amount": amount,
        "position": None,
    }
