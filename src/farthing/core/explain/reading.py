"""A line's document read back into its facts: all that an explanation is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from farthing.core.base.exact import read_shown
from farthing.core.base.time import Interval, parse_instant
from farthing.core.catalog.terms import Discount, Group, TaxRate
from farthing.core.explain.wording import money
from farthing.core.invoice.invoice import Cause
from farthing.core.rating.trace import Rated
from farthing.core.rating.trace_json import read_rated
from farthing.core.usage.meter import Meter
from farthing.core.usage.parse import parse_meter


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A line with its derivation. `desired` and `exact` are what its key comes to now, after and before rounding; the other
    amounts are those of the line."""

    kind: str
    customer: str
    contract: str
    item: str
    description: str
    currency: str
    lineage: str
    price: str
    meter: Meter | None
    group: Group
    service: Interval
    rated: Rated
    share: Fraction
    licensed: bool
    exact: Fraction
    desired: int
    position: int | None
    amount: int
    previously: int
    corrects: str | None
    causes: tuple[Cause, ...]
    discounts: tuple[Discount, ...]
    discount_parts: tuple[tuple[str, int], ...]
    discount: int
    credit_parts: tuple[tuple[str, int], ...]
    credit: int
    tax_rates: tuple[TaxRate, ...]
    taxes: tuple[tuple[str, int, int], ...]

    @property
    def net(self) -> int:
        """What is left of the line after discount and credits before tax."""
        return self.amount - self.discount - self.credit

    def money(self, minor: Fraction | int) -> str:
        """An amount in words."""
        return money(minor, self.currency)


def read_facts(line: Mapping[str, Any]) -> LineFacts:
    """The facts of a line's document."""
    derivation = line["derivation"]
    meter = derivation["meter"]
    return LineFacts(
        kind=line["kind"],
        customer=line["customer"],
        contract=line["contract"],
        item=line["item"],
        description=line["description"],
        currency=line["currency"],
        lineage=derivation["price"]["lineage"],
        price=derivation["price"]["id"],
        meter=None if meter is None else parse_meter(meter),
        group=tuple((name, value) for name, value in line["group"]),
        service=_interval(line["service"]),
        rated=read_rated(derivation["rated"]),
        share=read_shown(derivation["share"]),
        licensed=derivation["quantity"] is not None,
        exact=read_shown(derivation["exact"]),
        desired=derivation["amount"],
        position=derivation["position"],
        amount=line["amount"],
        previously=line["previously"],
        corrects=line["corrects"],
        causes=tuple(Cause(cause["kind"], cause["id"], cause["at"]) for cause in line["causes"]),
        discounts=tuple(_discount(discount) for discount in line["discounts"]),
        discount_parts=_pairs(line["discount_parts"]),
        discount=line["discount"],
        credit_parts=_pairs(line["credit_parts"]),
        credit=line["credit"],
        tax_rates=tuple(_tax_rate(rate) for rate in line["tax_rates"]),
        taxes=tuple((id_, taxable, tax) for id_, taxable, tax in line["taxes"]),
    )


def _interval(pair: tuple[str, str]) -> Interval:
    start, end = pair
    return Interval(parse_instant(start), parse_instant(end))


def _pairs(pairs: list[list[Any]]) -> tuple[tuple[str, int], ...]:
    return tuple((id_, units) for id_, units in pairs)


def _discount(document: Mapping[str, Any]) -> Discount:
    percent, items = document["percent"], document["items"]
    return Discount(document["id"], None if percent is None else read_shown(percent), document["amount"], None if items is None else tuple(items))


def _tax_rate(document: Mapping[str, Any]) -> TaxRate:
    return TaxRate(document["id"], document["name"], read_shown(document["percent"]), document["inclusive"], document["jurisdiction"])
