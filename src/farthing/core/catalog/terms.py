"""Terms: what holds for a customer over a stretch of time. A contract resolves to terms, which the flow hands to rating."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

from farthing.core.base.time import Instant, Interval
from farthing.core.usage.meter import Meter

Group = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ChargeKey:
    """What a rated amount is for: the unit in which bills are compared with what they should be.

    `price` is the price's lineage, not a version of it. `segment` begins where tiers start fresh and ends with the period (or the
    term, for prices that accumulate over it), half-open UTC: a change inside keeps the key of what was before it, and begins another.
    `group` holds the meter's group-by values, then ("cell", label) where the price makes a line a cell.
    """

    customer: str
    contract: str
    item: str
    price: str
    segment: Interval
    group: Group
    currency: str

    @property
    def rated(self) -> bool:
        """Whether it is about something rated, and not about an adjustment, which has no price."""
        return self.price != ""


@dataclass(frozen=True, slots=True)
class PriceVersion:
    """One immutable version of a price lineage: `id` names it, `document` is the price as sent (Stripe's fields, `ext`)."""

    id: str
    lineage: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Discount:
    """A discount by `percent` (a share: 1/5 is 20 %) or by a fixed `amount` in minor units, exactly one of them.

    It lowers the items named in `items`, or with None the whole bill. A fixed amount is used up once a bill, never below zero.
    """

    id: str
    percent: Fraction | None = None
    amount: int | None = None
    items: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A tax of `percent` (a share: 1/5 is 20 %), on top of amounts (exclusive) or contained in them (inclusive)."""

    id: str
    name: str
    percent: Fraction
    inclusive: bool = False
    jurisdiction: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """One item of a contract over one segment: everything that rating it needs, pinned by version.

    `segment` is the stretch over which nothing changes: in the period, or in the term for prices that accumulate over it. `metered`
    is the span whose events count: the segment, cut off at the end of what is being billed. `quantity` is that of a licensed item
    (no meter). `share` is the part of its period (or term) that the segment covers: it prorates licensed amounts and the price's
    minimum and maximum, never usage. `service` is the stretch that the line shows, and what it is billed for: where the segment began
    in an earlier period (a price over the term), what the segment comes to less what it came to before the service. `key_end` is where
    the period (or term) ends, None for the segment's own end. `open` says that more of the segment is billed later; its minimum waits
    until then. `in_advance`: billed when the period begins, not when it has ended.
    """

    customer: str
    contract: str
    item: str
    description: str
    currency: str
    price: PriceVersion
    meter: Meter | None
    quantity: Fraction | None
    segment: Interval
    metered: Interval
    service: Interval
    share: Fraction
    discounts: tuple[Discount, ...] = ()
    tax_rates: tuple[TaxRate, ...] = ()
    key_end: Instant | None = None
    open: bool = False
    in_advance: bool = False

    @property
    def before(self) -> Terms | None:
        """The terms up to the service, where the segment began before it: what earlier keys are billed for."""
        if self.service.start == self.segment.start:
            return None
        return replace(self, metered=Interval(self.segment.start, self.service.start), open=True)

    def key(self, group: Group) -> ChargeKey:
        """The charge key of one group of these terms: of their period, also where the segment is longer."""
        segment = Interval(self.service.start, self.segment.end if self.key_end is None else self.key_end)
        return ChargeKey(self.customer, self.contract, self.item, self.price.lineage, segment, group, self.currency)


@dataclass(frozen=True, slots=True)
class Grant:
    """A credit granted to a customer, `remaining` in minor units. "before_tax" lowers what is taxed; "after_tax" pays a part of
    the bill, tax included. Grants are used by (priority, lower first, then id). A grant "before_tax" with `prices` lowers lines of
    these price lineages only."""

    id: str
    currency: str
    remaining: int
    applies: Literal["before_tax", "after_tax"]
    priority: int = 50
    prices: tuple[str, ...] | None = None
