"""Accounting periods: the month of the books' calendar, and the first open one where that is closed."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.refusal import Refusal
from farthing.core.base.time import to_instant
from farthing.core.ledger.periods import AccountingPeriod, period_for, read_period

months = st.builds(AccountingPeriod, st.integers(1971, 2100), st.integers(1, 12))


def at(*parts):
    return to_instant(datetime(*parts, tzinfo=UTC))


def test_a_booking_falls_into_the_month_of_the_books_local_calendar():
    assert str(period_for(at(2025, 1, 31, 23, 30), "UTC")) == "2025-01"
    assert str(period_for(at(2025, 1, 31, 23, 30), "Europe/Berlin")) == "2025-02"
    assert str(period_for(at(2025, 2, 1, 4, 59), "America/New_York")) == "2025-01"


@pytest.mark.parametrize(
    ("closed", "expected"),
    [(None, "2025-01"), ("2024-12", "2025-01"), ("2025-01", "2025-02"), ("2025-03", "2025-04"), ("2025-12", "2026-01")],
)
def test_a_closed_month_books_into_the_first_open_one(closed, expected):
    assert str(period_for(at(2025, 1, 15), "UTC", read_period(closed) if closed else None)) == expected


def test_an_unknown_zone_is_refused():
    with pytest.raises(Refusal) as refused:
        period_for(0, "Mars/Olympus")
    assert refused.value.code == "time_zone_unknown"


@pytest.mark.parametrize("text", ["2025", "2025-13", "2025-00", "0000-01", "25-01", "2025-1", "2025-01-01", "２０２５-01", ""])
def test_what_is_no_month_cannot_be_read(text):
    with pytest.raises(ValueError, match=r"month|period"):
        read_period(text)


@given(months)
def test_periods_are_written_and_read_and_ordered_as_their_text(period):
    assert read_period(str(period)) == period
    assert period < period.next()
    assert str(period) < str(period.next())


@given(st.integers(0, 4_000_000_000_000_000), st.sampled_from(["UTC", "Asia/Tokyo", "America/Sao_Paulo"]), months)
def test_no_booking_falls_into_a_closed_month(booked_at, zone, closed):
    period = period_for(booked_at, zone, closed)
    assert period > closed
    assert period == max(period_for(booked_at, zone), closed.next())
