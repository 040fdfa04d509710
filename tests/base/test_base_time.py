"""Instants, time zones and billing periods: daylight saving, anchors 29 to 31, leap days, and tiling."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.refusal import Refusal
from farthing.core.base.time import (
    BEGINNING,
    FOREVER,
    MICROS,
    Interval,
    Recurrence,
    add_calendar,
    parse_any_instant,
    parse_instant,
    show_instant,
    time_zone,
    to_datetime,
    to_instant,
    wall_to_instant,
)

HOUR = 3600 * MICROS
DAY = 24 * HOUR
ZONES = ["UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "America/St_Johns"]


def at(*parts):
    return to_instant(datetime(*parts, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2025-01-31T12:00:00Z", at(2025, 1, 31, 12)),
        ("2025-01-31t12:00:00z", at(2025, 1, 31, 12)),
        ("2025-01-31 12:00:00+01:00", at(2025, 1, 31, 11)),
        ("2025-01-31T12:00:00-05:30", at(2025, 1, 31, 17, 30)),
        ("2025-01-31T12:00:00.5Z", at(2025, 1, 31, 12) + 500_000),
        ("2025-01-31T12:00:00.000001Z", at(2025, 1, 31, 12) + 1),
        ("2025-01-31T12:00:00.1234560000Z", at(2025, 1, 31, 12) + 123_456),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2024-02-29T00:00:00Z", at(2024, 2, 29)),
        ("0001-01-01T00:00:00Z", BEGINNING),
        ("9999-12-31T23:59:59.999999Z", FOREVER),
    ],
)
def test_timestamps_are_read_to_the_microsecond(text, instant):
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    ("code", "raw"),
    [
        ("timestamp_malformed", ""),
        ("timestamp_malformed", "yesterday"),
        ("timestamp_malformed", "2025-01-31"),
        ("timestamp_malformed", "2025-01-31T12:00Z"),
        ("timestamp_malformed", "2025-02-29T00:00:00Z"),
        ("timestamp_malformed", "2025-13-01T00:00:00Z"),
        ("timestamp_malformed", "2025-01-31T24:00:00Z"),
        ("timestamp_malformed", "2025-01-31T23:60:00Z"),
        ("timestamp_malformed", "2016-12-31T23:59:60Z"),
        ("timestamp_malformed", "2025-01-31T12:00:00+01:60"),
        ("timestamp_malformed", "2025-01-31T12:00:00+24:00"),
        ("timestamp_malformed", "2025-01-31T12:00:00+0100"),
        ("timestamp_malformed", "2025-01-31T12:00:00Z\n"),
        ("timestamp_malformed", "２025-01-31T12:00:00Z"),
        ("timestamp_malformed", "0000-01-01T00:00:00Z"),
        ("timestamp_malformed", "0001-01-01T00:00:00+01:00"),
        ("timestamp_malformed", "9999-12-31T23:59:59-01:00"),
        ("timestamp_malformed", 1738324800),
        ("timestamp_malformed", None),
        ("timestamp_naive", "2025-01-31T12:00:00"),
        ("timestamp_naive", "2025-01-31 12:00:00.25"),
        ("timestamp_too_precise", "2025-01-31T12:00:00.0000001Z"),
        ("timestamp_too_precise", "2025-01-31T12:00:00.123456789+02:00"),
    ],
)
def test_timestamps_that_name_no_microsecond_are_refused(code, raw):
    with pytest.raises(Refusal) as caught:
        parse_instant(raw, "time")
    assert (caught.value.code, caught.value.field) == (code, "time")


@pytest.mark.parametrize("raw", ["2016-12-31T23:59:60Z", "2017-01-01T00:59:60.5+01:00"])
def test_a_leap_second_is_refused_with_what_to_send_instead(raw):
    with pytest.raises(Refusal, match="send second 59, or 00 of the next minute") as refused:
        parse_instant(raw)
    assert refused.value.code == "timestamp_malformed"


def test_an_instant_without_bounds_lies_in_the_calendar_as_it_goes_on():
    day = 86_400 * MICROS
    assert parse_any_instant("0000-12-31T00:00:00Z") == BEGINNING - day
    assert parse_any_instant("0000-01-01T00:00:00Z") == BEGINNING - 366 * day
    assert parse_any_instant("9999-12-31T23:59:59.999999-01:00") == FOREVER + 3600 * MICROS


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.sampled_from(ZONES))
def test_an_instant_written_in_any_zone_reads_back(moment, zone):
    instant = to_instant(moment.replace(tzinfo=UTC))
    if to_datetime(instant, zone).utcoffset() % timedelta(minutes=1) == timedelta(0):  # before 1930 some offsets have seconds
        assert parse_instant(show_instant(instant, zone)) == instant


def test_instants_are_written_with_offset_and_microseconds_only_where_there_are_some():
    assert show_instant(at(2025, 7, 1)) == "2025-07-01T00:00:00+00:00"
    assert show_instant(at(2025, 7, 1) + 250_000, "Europe/London") == "2025-07-01T01:00:00.250000+01:00"


def test_a_naive_datetime_is_no_instant():
    with pytest.raises(ValueError, match="naive"):
        to_instant(datetime(2025, 1, 1))


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "europe/london", "../UTC", "Europe", "localtime", "Europe/London\x00", "zones"])
def test_a_zone_that_the_tables_lack_is_refused(name):
    with pytest.raises(Refusal) as caught:
        time_zone(name, "billing.time_zone")
    assert (caught.value.code, caught.value.field) == ("time_zone_unknown", "billing.time_zone")


def test_every_zone_of_the_pinned_tables_loads_and_knows_its_name():
    assert time_zone("Europe/London").key == "Europe/London"
    assert time_zone("America/Argentina/Buenos_Aires").utcoffset(datetime(2025, 1, 1)) == timedelta(hours=-3)


def test_a_wall_clock_time_that_occurs_twice_means_the_first():
    assert wall_to_instant(datetime(2025, 10, 26, 1, 30), "Europe/London") == at(2025, 10, 26, 0, 30)
    assert wall_to_instant(datetime(2025, 11, 2, 1, 30), "America/New_York") == at(2025, 11, 2, 5, 30)


def test_a_wall_clock_time_in_a_gap_moves_forward_by_its_length():
    assert wall_to_instant(datetime(2025, 3, 30, 1, 30), "Europe/London") == at(2025, 3, 30, 1, 30)  # shown as 02:30
    assert show_instant(wall_to_instant(datetime(2025, 10, 5, 2, 10), "Australia/Lord_Howe"), "Australia/Lord_Howe").startswith("2025-10-05T02:40")


def test_intervals_are_half_open():
    span = Interval(10, 20)
    assert [instant in span for instant in (9, 10, 19, 20)] == [False, True, True, False]
    assert span.overlap(Interval(20, 30)) is None
    assert span.overlap(Interval(19, 30)) == Interval(19, 20)
    for end in (10, 9):
        with pytest.raises(ValueError, match="ends after it starts"):
            Interval(10, end)


def starts(recurrence, first, count):
    return [show_instant(recurrence.boundary(n), recurrence.zone)[:10] for n in range(first, first + count)]


def test_an_anchor_on_the_31st_keeps_its_day_where_the_month_has_it():
    monthly = Recurrence("month", 1, datetime(2024, 1, 31), "UTC")
    assert starts(monthly, 0, 6) == ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31", "2024-06-30"]
    assert starts(monthly, -3, 3) == ["2023-10-31", "2023-11-30", "2023-12-31"]


@pytest.mark.parametrize(("day", "february"), [(28, "2025-02-28"), (29, "2025-02-28"), (30, "2025-02-28"), (31, "2025-02-28")])
def test_anchors_28_to_31_come_back_after_february(day, february):
    monthly = Recurrence("month", 1, datetime(2025, 1, day), "Europe/Berlin")
    assert starts(monthly, 0, 3) == [f"2025-01-{day}", february, f"2025-03-{day}"]


def test_a_leap_day_anchor_bills_on_february_28_and_comes_back_in_leap_years():
    yearly = Recurrence("year", 1, datetime(2024, 2, 29), "UTC")
    assert starts(yearly, 0, 5) == ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]
    assert starts(Recurrence("year", 1, datetime(2096, 2, 29), "UTC"), 4, 1) == ["2100-02-28"]


def test_quarters_and_years_count_from_the_anchor():
    assert starts(Recurrence("month", 3, datetime(2024, 11, 30), "UTC"), 0, 3) == ["2024-11-30", "2025-02-28", "2025-05-30"]
    assert starts(Recurrence("week", 2, datetime(2024, 12, 30), "UTC"), 0, 3) == ["2024-12-30", "2025-01-13", "2025-01-27"]


def test_periods_across_daylight_saving_keep_the_wall_clock():
    daily = Recurrence("day", 1, datetime(2025, 3, 29), "Europe/London")
    assert [(daily.period(n).end - daily.period(n).start) // HOUR for n in range(3)] == [24, 23, 24]
    autumn = Recurrence("day", 1, datetime(2025, 10, 25), "Europe/London")
    assert [(autumn.period(n).end - autumn.period(n).start) // HOUR for n in range(3)] == [24, 25, 24]


def test_an_anchor_inside_a_gap_moves_on_that_day_only():
    daily = Recurrence("day", 1, datetime(2025, 3, 29, 1, 30), "Europe/London")
    assert [show_instant(daily.boundary(n), "Europe/London")[11:16] for n in range(3)] == ["01:30", "02:30", "01:30"]


def test_a_day_that_a_zone_skips_is_no_period():
    """Samoa went from 29 to 31 December 2011 across the date line."""
    daily = Recurrence("day", 1, datetime(2011, 12, 28), "Pacific/Apia")
    span = Interval(daily.boundary(0), daily.boundary(5))
    periods = list(daily.periods_within(span))
    assert [show_instant(period.start, "Pacific/Apia")[:10] for period in periods] == ["2011-12-28", "2011-12-29", "2011-12-31", "2012-01-01"]
    assert all(low.end == high.start for low, high in pairwise(periods))
    assert daily.index_at(daily.boundary(2)) == 3
    with pytest.raises(ValueError, match="ends after it starts"):
        daily.period(2)


def test_a_local_date_that_comes_back_for_an_hour_stays_in_the_period_that_has_begun():
    """Goose Bay moved its clocks back at one minute past midnight: 7 November 2010 began, and it was 6 November again."""
    daily = Recurrence("day", 1, datetime(2010, 11, 5), "America/Goose_Bay")
    again = at(2010, 11, 7, 3, 30)
    assert show_instant(again, "America/Goose_Bay") == "2010-11-06T23:30:00-04:00"
    assert daily.index_at(again) == 2
    assert again in daily.period(2)


recurrences = st.builds(
    Recurrence,
    st.sampled_from(["day", "week", "month", "year"]),
    st.integers(1, 14),
    st.datetimes(datetime(1990, 1, 1), datetime(2060, 12, 31, 23, 59)),
    st.sampled_from(ZONES),
)


@given(recurrences, st.integers(-60, 60))
def test_consecutive_periods_tile_and_every_instant_has_its_period(recurrence, n):
    low, mid = recurrence.boundary(n), recurrence.boundary(n + 1)
    assert low <= mid
    if low < mid:
        for instant in (low, (low + mid) // 2, mid - 1):
            assert recurrence.index_at(instant) == n
            assert instant in recurrence.period(recurrence.index_at(instant))


@given(recurrences, st.datetimes(datetime(1995, 1, 1), datetime(2050, 1, 1)), st.integers(1, 400 * DAY))
def test_periods_within_cover_the_span_without_gap_or_overlap(recurrence, start, length):
    span = Interval(to_instant(start.replace(tzinfo=UTC)), to_instant(start.replace(tzinfo=UTC)) + length)
    periods = list(recurrence.periods_within(span))
    assert span.start in periods[0]
    assert span.end - 1 in periods[-1]
    assert all(low.end == high.start for low, high in pairwise(periods))


@given(st.datetimes(datetime(1950, 1, 1), datetime(2090, 1, 1)), st.integers(-600, 600))
def test_months_are_added_to_the_anchor_and_never_skip_one(anchor, n):
    moved = add_calendar(anchor, "month", n)
    assert (moved.year * 12 + moved.month) - (anchor.year * 12 + anchor.month) == n
    assert moved.time() == anchor.time()
    assert moved.day == anchor.day or (moved.day < anchor.day and (moved + timedelta(days=1)).day == 1)
    assert add_calendar(anchor, "year", n // 12) == add_calendar(anchor, "month", n // 12 * 12)
