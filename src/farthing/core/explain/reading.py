"""A line's document read back into its facts: all that an explanation is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from farthing.core.base.exact import read_shown
from farthing.core.explain.wording import money
from farthing.core.invoice.document import read_line
from farthing.core.invoice.invoice import Line
from farthing.core.rating.trace import Rated
from farthing.core.rating.trace_json import read_rated
from farthing.core.usage.meter import Meter
from farthing.core.usage.parse import parse_meter


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A line and the derivation in it.

    `exact` and `desired` are what its key comes to now, before and after rounding: the `share` of what was `rated`. The price's
    minimum and maximum were held to `bounds_share` of what the price says. Where the price runs over more than the service (the term),
    `before` is what was rated up to the service, which other keys are billed for; `lowered` is the end of the later period by which the
    term comes to less than by the service's own. `price` is the version's id, "" where the key is not
    agreed any more. `licensed` says that the quantity is the contract's, not measured.
    """

    line: Line
    price: str
    meter: Meter | None
    licensed: bool
    rated: Rated
    before: Rated | None
    lowered: str | None
    share: Fraction
    bounds_share: Fraction
    exact: Fraction
    desired: int
    position: int | None

    @property
    def adds_to_earlier(self) -> bool:
        """Whether the line is the difference to something, and not simply what its key comes to."""
        return self.line.kind == "correction" or self.line.amount != self.desired

    @property
    def billed_before(self) -> bool:
        """Whether discounts and taxes are those of all that was billed for the key, less those billed before."""
        return self.line.kind == "correction" or self.line.previously != 0

    def money(self, minor: Fraction | int) -> str:
        """An amount in words."""
        return money(minor, self.line.key.currency)


def read_facts(document: Mapping[str, Any]) -> LineFacts:
    """The facts of a line's document, as `line_document` writes it."""
    derivation = document["derivation"]
    meter = derivation["meter"]
    return LineFacts(
        line=read_line(document),
        price=derivation["price"]["id"],
        meter=None if meter is None else parse_meter(meter),
        licensed=derivation["quantity"] is not None,
        rated=read_rated(derivation["rated"]),
        before=None if derivation.get("before") is None else read_rated(derivation["before"]),
        lowered=derivation.get("lowered"),
        share=read_shown(derivation["share"]),
        bounds_share=read_shown(derivation.get("bounds_share", "1")),
        exact=read_shown(derivation["exact"]),
        desired=derivation["amount"],
        position=derivation["position"],
    )
