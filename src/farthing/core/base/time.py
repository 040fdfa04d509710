"""Instants, intervals and billing periods.

An *instant* is an int: microseconds since 1970-01-01T00:00Z. Intervals are half-open, [start, end). Calendar arithmetic
happens in a named time zone and always from the original anchor.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import TIME_ZONE_UNKNOWN, TIMESTAMP_MALFORMED, TIMESTAMP_NAIVE, TIMESTAMP_TOO_PRECISE

Instant = int
MICROS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEGINNING: Instant = -62_135_596_800_000_000  # the first microsecond of year 1
FOREVER: Instant = 253_402_300_800_000_000 - 1  # the last microsecond of year 9999
_CALENDAR_CYCLE = 146_097 * 86_400 * MICROS  # 400 years, after which dates fall on the same days again
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ]([01]\d:[0-5]\d:[0-5]\d|2[0-3]:[0-5]\d:[0-5]\d)(?:\.(\d+))?([Zz]|[+-]\d\d:[0-5]\d)?", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A half-open span of time [start, end) in UTC microseconds."""

    start: Instant
    end: Instant

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError("an interval ends after it starts")

    def __contains__(self, at: Instant) -> bool:
        return self.start <= at < self.end

    def overlap(self, other: Interval) -> Interval | None:
        """What both have in common, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Interval(start, end) if start < end else None


def parse_instant(raw: object, field: str | None = "timestamp") -> Instant:
    """Read an RFC 3339 timestamp with an offset, of the years 1 to 9999 in UTC; leap seconds (":60") are not taken.
    Errors: timestamp_malformed, timestamp_naive, timestamp_too_precise."""
    at = parse_any_instant(raw, field)
    if not BEGINNING <= at <= FOREVER:
        raise Refusal(TIMESTAMP_MALFORMED, f"{shown(raw)} is outside of the years 1 to 9999 in UTC.", field)
    return at


def parse_any_instant(raw: object, field: str | None = "timestamp") -> Instant:
    """As `parse_instant`, and without its bounds: also of the year 0000, or of what an offset moves beyond the years 1 to 9999."""
    match = _RFC3339.fullmatch(raw) if isinstance(raw, str) else None
    if match is None:
        raise Refusal(TIMESTAMP_MALFORMED, _why_malformed(raw), field)
    day, clock, fraction, offset = match.groups()
    if offset is None:
        raise Refusal(TIMESTAMP_NAIVE, f"{shown(raw)} does not say its offset from UTC.", field)
    if fraction and fraction[6:].strip("0"):
        raise Refusal(TIMESTAMP_TOO_PRECISE, f"{shown(raw)} has digits beyond the microsecond.", field)
    zone = "+00:00" if offset in "Zz" else offset
    cycle = 0
    if day.startswith("0000"):  # which datetime lacks: read it one cycle of the calendar later
        day, cycle = "0400" + day[4:], _CALENDAR_CYCLE
    try:
        seconds = to_instant(datetime.fromisoformat(f"{day}T{clock}{zone}"))
    except ValueError:
        raise Refusal(TIMESTAMP_MALFORMED, f"{shown(raw)} is not a date and time that exists.", field) from None
    return seconds - cycle + int((fraction or "0")[:6].ljust(6, "0"))


def _why_malformed(raw: object) -> str:
    if isinstance(raw, str) and raw[16:19] == ":60" and _RFC3339.fullmatch(f"{raw[:16]}:59{raw[19:]}"):
        return f"{shown(raw)} has a leap second, which the clocks here don't: send second 59, or 00 of the next minute."
    return f"{shown(raw)} is not an RFC 3339 timestamp."


def to_instant(moment: datetime) -> Instant:
    """Microseconds since the epoch of an aware datetime."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime is no instant")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def to_datetime(at: Instant, zone: str = "UTC") -> datetime:
    """The instant as an aware datetime in a named zone."""
    return (_EPOCH + timedelta(microseconds=at)).astimezone(time_zone(zone))


def show_instant(at: Instant, zone: str = "UTC") -> str:
    """ISO 8601 with offset, in a named zone; "Z" is written as +00:00, microseconds only where there are some."""
    return to_datetime(at, zone).isoformat()


@lru_cache(maxsize=1024)
def time_zone(name: str, field: str | None = "time_zone") -> ZoneInfo:
    """The IANA zone of that name, by the tables of the pinned tzdata package: never the machine's own, so that a bill
    recomputed elsewhere has the same hours. Errors: time_zone_unknown."""
    if name not in _zone_names():
        raise Refusal(TIME_ZONE_UNKNOWN, f"{shown(name)} is not a known time zone.", field)
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as table:
        return ZoneInfo.from_file(table, key=name)


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split())


def wall_to_instant(wall: datetime, zone: str) -> Instant:
    """The instant of a local wall-clock time. A time that occurs twice means its first occurrence; one that a
    daylight-saving gap leaves out is moved forward by the length of the gap."""
    return to_instant(wall.replace(tzinfo=time_zone(zone), fold=0).astimezone(UTC))


@dataclass(frozen=True, slots=True)
class Recurrence:
    """How billing periods repeat: every `count` `unit`s from `anchor` (local wall clock in `zone`).

    Months are added to the anchor itself, never to the previous boundary: from Jan 31 come Feb 28, Mar 31, Apr 30.
    """

    unit: str  # "day" | "week" | "month" | "year"
    count: int
    anchor: datetime  # naive: the wall clock in `zone`
    zone: str

    def boundary(self, n: int) -> Instant:
        """The start of period `n` (0 starts at the anchor; n may be negative)."""
        return wall_to_instant(add_calendar(self.anchor, self.unit, n * self.count), self.zone)

    def period(self, n: int) -> Interval:
        """Period `n`, [boundary(n), boundary(n+1)). Errors: ValueError for the one day that a zone has skipped by moving
        across the date line, which has no length (no other function here gives its number)."""
        return Interval(self.boundary(n), self.boundary(n + 1))

    def index_at(self, at: Instant) -> int:
        """The number of the period that contains an instant."""
        n = self._units_to(to_datetime(at, self.zone)) // self.count
        while self.boundary(n) > at:
            n -= 1
        while self.boundary(n + 1) <= at:
            n += 1
        return n

    def periods_within(self, span: Interval) -> Iterator[Interval]:
        """Every period that overlaps `span`, whole, in order: they tile without gap or overlap."""
        n = self.index_at(span.start)
        while (start := self.boundary(n)) < span.end:
            end = self.boundary(n + 1)
            if start < end:
                yield Interval(start, end)
            n += 1

    def _units_to(self, local: datetime) -> int:
        """About how many units from the anchor to a local date: index_at then walks the last step."""
        if self.unit in ("day", "week"):
            return (local.date() - self.anchor.date()).days // (7 if self.unit == "week" else 1)
        years = local.year - self.anchor.year
        return years if self.unit == "year" else years * 12 + local.month - self.anchor.month


def add_calendar(anchor: datetime, unit: str, n: int) -> datetime:
    """The wall-clock time `n` units from an anchor; a day that a month lacks becomes that month's last day."""
    if unit in ("day", "week"):
        return anchor + timedelta(days=n * (7 if unit == "week" else 1))
    months = anchor.month - 1 + n * (12 if unit == "year" else 1)
    year, month = anchor.year + months // 12, months % 12 + 1
    day = min(anchor.day, calendar.monthrange(year, month)[1])
    return anchor.replace(year=year, month=month, day=day)
