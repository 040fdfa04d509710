"""The contract: bitemporal, made of versions that are each effective over a span and known from a revision on."""

from __future__ import annotations

from collections.abc import Sequence
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


def additions(known: Sequence[Version[Agreement]], given: Sequence[Version[Agreement]]) -> tuple[Version[Agreement], ...]:
    """The versions that a contract given again adds to those on record: what comes behind their common beginning.

    So the same contract again adds nothing, nor does an earlier state of it, while a version that repeats an older one is kept
    where another came between. Versions are the same by span and agreement, whatever their revision.
    """
    shared = 0
    for old, new in zip(known, given, strict=False):
        if (old.effective, old.value) != (new.effective, new.value):
            break
        shared += 1
    return tuple(given[shared:])
