"""The contract: bitemporal, made of versions that are each effective over a span and known from a revision on."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from farthing.core.base.time import Interval, Recurrence
from farthing.core.base.timeline import Version
from farthing.core.catalog.terms import Discount, TaxRate


@dataclass(frozen=True, slots=True)
class Item:
    """One priced item. With a `meter` (its id) the quantity is usage; without, `quantity` is licensed (seats, a flat fee)."""

    id: str
    description: str
    price: str  # lineage
    meter: str | None = None
    quantity: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """What one version of a contract says while it holds."""

    items: tuple[Item, ...]
    discounts: tuple[Discount, ...] = ()
    tax_rates: tuple[TaxRate, ...] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    """A customer's contract: billed every `billing` period, in `currency`; `term` is what term-long tiers run over.

    `active` is the span of service, half-open. `versions` hold the agreements; where two overlap the later-known one holds.
    """

    id: str
    customer: str
    currency: str
    active: Interval
    billing: Recurrence
    versions: tuple[Version[Agreement], ...]
    term: Recurrence | None = None
