"""The contract: bitemporal, made of versions that are each effective over a span and known from a revision on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from farthing.core.base.time import Interval, Recurrence
from farthing.core.base.timeline import Version
from farthing.core.catalog.terms import Discount, TaxRate

BelowZero = Literal["credit_note", "balance"]
BilledBy = Literal["run", "subscription"]


@dataclass(frozen=True, slots=True)
class Item:
    """One priced item. With a `meter` (its id) the quantity is usage; without, `quantity` is licensed (seats, a flat fee),
    and `in_advance` says that it is billed when a period begins instead of when it has ended."""

    id: str
    description: str
    price: str  # lineage
    meter: str | None = None
    quantity: Fraction | None = None
    in_advance: bool = False


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
    `below_zero` says what a bill does that corrections pull below zero: they stand on a credit note apart, or the invoice has a
    negative total, which is owed to the customer. `billed_by` says whether billing runs make its bills, or its subscription does.
    """

    id: str
    customer: str
    currency: str
    active: Interval
    billing: Recurrence
    versions: tuple[Version[Agreement], ...]
    term: Recurrence | None = None
    below_zero: BelowZero = "credit_note"
    billed_by: BilledBy = "run"

    @property
    def in_advance(self) -> frozenset[str]:
        """The ids of items that are billed in advance, at whatever time they are agreed: an item never changes in this."""
        return frozenset(item.id for version in self.versions for item in version.value.items if item.in_advance)


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
