"""Buckets of windowed meters on real clocks."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.time import Interval, parse_instant, show_instant, to_datetime
from farthing.core.usage.aggregate import bucket_bounds
from farthing.core.usage.meter import Aggregation, Windows

MINUTE = 60_000_000
HOUR = 60 * MINUTE


def windows(unit, count=1, zone="UTC"):
    return Windows(unit, count, Aggregation.MAX, Aggregation.SUM, zone)


def span(start, end):
    return Interval(parse_instant(start), parse_instant(end))


def starts(unit, count, zone, interval):
    return [show_instant(bucket.start, zone) for bucket in bucket_bounds(windows(unit, count, zone), interval)]


@pytest.mark.parametrize(
    ("zone", "interval", "hours"),
    [
        ("Europe/London", span("2024-03-31T00:00:00Z", "2024-03-31T23:00:00Z"), 23),
        ("Europe/London", span("2024-10-26T23:00:00Z", "2024-10-28T00:00:00Z"), 25),
        ("America/New_York", span("2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z"), 25),
        ("Asia/Kolkata", span("2024-01-01T18:30:00Z", "2024-01-02T18:30:00Z"), 24),
        ("America/Havana", span("2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z"), 25),
        ("Asia/Beirut", span("2024-10-25T21:00:00Z", "2024-10-26T22:00:00Z"), 25),
    ],
)
def test_a_day_has_as_many_hours_as_its_clock(zone, interval, hours):
    buckets = bucket_bounds(windows("hour", 1, zone), interval)
    assert [bucket.end - bucket.start for bucket in buckets] == [HOUR] * hours


def test_a_repeated_hour_is_two_buckets():
    interval = span("2024-10-26T23:00:00Z", "2024-10-27T02:00:00Z")
    assert starts("hour", 1, "Europe/London", interval) == [
        "2024-10-27T00:00:00+01:00",
        "2024-10-27T01:00:00+01:00",
        "2024-10-27T01:00:00+00:00",
    ]
    assert starts("hour", 2, "Europe/London", interval) == ["2024-10-27T00:00:00+01:00"]


def test_only_single_hours_are_told_apart_when_the_clock_repeats_them():
    # Havana's clock shows 00:00 to 01:00 twice; half a day is then 13 hours long, not one hour and twelve.
    interval = span("2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z")
    assert [b.end - b.start for b in bucket_bounds(windows("hour", 12, "America/Havana"), interval)] == [13 * HOUR, 12 * HOUR]


def test_a_skipped_hour_is_no_bucket():
    interval = span("2024-03-31T00:00:00Z", "2024-03-31T02:00:00Z")
    assert starts("hour", 1, "Europe/London", interval) == ["2024-03-31T00:00:00+00:00", "2024-03-31T02:00:00+01:00"]


def test_half_hour_changes_make_one_bucket_of_half_an_hour_more_or_less():
    # Lord Howe turns its clocks by 30 minutes at 02:00: 01:30 is shown twice in April, 02:00 to 02:30 never in October.
    autumn = span("2024-04-06T13:00:00Z", "2024-04-06T16:30:00Z")
    assert [b.end - b.start for b in bucket_bounds(windows("hour", 1, "Australia/Lord_Howe"), autumn)] == [HOUR, HOUR + HOUR // 2, HOUR]
    spring = span("2024-10-05T14:30:00Z", "2024-10-05T16:30:00Z")
    assert starts("hour", 1, "Australia/Lord_Howe", spring) == [
        "2024-10-06T01:00:00+10:30",
        "2024-10-06T02:30:00+11:00",
        "2024-10-06T03:00:00+11:00",
    ]


def test_days_begin_at_the_first_midnight_and_a_day_that_never_was_has_none():
    assert starts("day", 1, "America/Havana", span("2024-11-02T04:00:00Z", "2024-11-05T05:00:00Z")) == [
        "2024-11-02T00:00:00-04:00",
        "2024-11-03T00:00:00-04:00",
        "2024-11-04T00:00:00-05:00",
    ]
    assert starts("day", 1, "Pacific/Apia", span("2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z")) == [
        "2011-12-29T00:00:00-10:00",
        "2011-12-31T00:00:00+14:00",
    ]
    # St John's turned its clocks back at 00:01, so it saw midnight twice; the day began at the first.
    assert starts("day", 1, "America/St_Johns", span("2010-11-06T02:30:00Z", "2010-11-08T03:30:00Z")) == [
        "2010-11-06T00:00:00-02:30",
        "2010-11-07T00:00:00-02:30",
    ]


def test_weeks_begin_on_monday_and_quarters_in_january():
    weeks = starts("day", 7, "Europe/London", span("2024-01-01T00:00:00Z", "2024-05-01T00:00:00Z"))
    assert len(weeks) == 18
    assert {to_datetime(parse_instant(week), "Europe/London").weekday() for week in weeks} == {0}
    quarters = starts("month", 3, "Europe/London", span("2024-02-10T00:00:00Z", "2025-01-01T00:00:00Z"))
    assert quarters == ["2024-02-10T00:00:00+00:00", "2024-04-01T00:00:00+01:00", "2024-07-01T00:00:00+01:00", "2024-10-01T00:00:00+01:00"]


def test_minutes_are_counted_from_the_epoch():
    assert starts("minute", 7, "Asia/Kolkata", Interval(7 * MINUTE + 1, 22 * MINUTE)) == [
        show_instant(at, "Asia/Kolkata") for at in (7 * MINUTE + 1, 14 * MINUTE, 21 * MINUTE)
    ]


@given(
    start=st.integers(1_600_000_000, 1_800_000_000),
    seconds=st.integers(1, 4 * 86_400),
    zone=st.sampled_from(["UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "America/Havana", "Pacific/Chatham"]),
    unit_count=st.sampled_from([("minute", 5), ("minute", 7), ("hour", 1), ("hour", 6), ("day", 1), ("day", 2), ("month", 1)]),
)
def test_buckets_tile_the_interval_and_agree_with_the_clock(start, seconds, zone, unit_count):
    unit, count = unit_count
    interval = Interval(start * 1_000_000, (start + seconds) * 1_000_000)
    buckets = bucket_bounds(windows(unit, count, zone), interval)
    assert buckets[0].start == interval.start and buckets[-1].end == interval.end
    assert all(before.end == after.start for before, after in pairwise(buckets))
    for bucket in buckets[1:]:
        clock = to_datetime(bucket.start, zone)
        just_before = to_datetime(bucket.start - 1, zone)
        if unit == "minute":
            assert bucket.start % (count * MINUTE) == 0
        elif unit == "hour":
            jumped = clock.utcoffset() != just_before.utcoffset()
            assert jumped or (clock.minute == 0 and clock.second == 0 and clock.hour % count == 0)
        elif unit == "day":
            assert clock.date() - just_before.date() >= timedelta(days=1)
        else:
            assert clock.day == 1 and just_before.month != clock.month
