"""What is taken back of a final line by decision: part of an amount that was billed, whatever the facts say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from farthing.core.invoice.invoice import Cause, Issued, Line


@dataclass(frozen=True, slots=True)
class TakenBack:
    """An amount, in minor units before discount and tax, of what a charge key was billed (`issued`, less what was taken back before).
    `derivation` is that of the key's last line: what the key comes to is not decided anew."""

    issued: Issued
    amount: int
    derivation: Mapping[str, Any]


def taken_back_line(one: TakenBack) -> Line:
    """The line that takes it back: a correction, so that discount, credit and tax go back as the whole key has them."""
    issued, nothing = one.issued, Fraction(0)
    return Line(
        kind="correction",
        key=issued.key,
        description=issued.description,
        service=issued.service,
        quantity=nothing,
        exact=nothing,
        amount=-one.amount,
        derivation=one.derivation,
        discounts=issued.discounts,
        tax_rates=issued.tax_rates,
        previously=issued.amount,
        corrects=issued.document or None,
        causes=(Cause("waiver", str(one.amount), ""),),
        issued=issued,
    )
