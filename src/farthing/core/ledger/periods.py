"""Accounting periods: calendar months of the books' time zone. A closed one is never reopened."""

from __future__ import annotations

import re
from dataclasses import dataclass

from farthing.core.base.time import Instant, to_datetime

_NAME = re.compile(r"(\d{4})-(\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class AccountingPeriod:
    """One calendar month of the books; written "2025-01", ordered by time."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1 <= self.year <= 9999 and 1 <= self.month <= 12):
            raise ValueError(f"{self.year}-{self.month} is no calendar month")

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    def next(self) -> AccountingPeriod:
        """The month after this one."""
        return AccountingPeriod(self.year + self.month // 12, self.month % 12 + 1)


def read_period(text: str) -> AccountingPeriod:
    """The inverse of str(). Errors: ValueError."""
    match = _NAME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no accounting period such as 2025-01")
    return AccountingPeriod(int(match[1]), int(match[2]))


def period_for(booked_at: Instant, zone: str, closed_through: AccountingPeriod | None = None) -> AccountingPeriod:
    """The accounting period of a booking made at that instant: the month it falls into on the books' local calendar, or, if the
    books are closed through that month or a later one, the first open month. Errors: time_zone_unknown."""
    local = to_datetime(booked_at, zone)
    period = AccountingPeriod(local.year, local.month)
    if closed_through is None or period > closed_through:
        return period
    return closed_through.next()
