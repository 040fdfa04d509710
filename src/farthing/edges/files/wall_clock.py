"""Times as files write them → RFC 3339 timestamps. A local time becomes an instant only in a zone that was declared for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Literal

from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import TIMESTAMP_MALFORMED, TIMESTAMP_NAIVE, TIMESTAMP_TOO_PRECISE
from farthing.core.base.time import time_zone
from farthing.core.events.fields import shown
from farthing.edges.files.refusals import TIME_FORMAT_MISMATCH, WALL_CLOCK_REPEATED, WALL_CLOCK_SKIPPED

Repeated = Literal["earlier", "later", "refuse"]
UNIX = {"unix": 0, "unix_ms": 3, "unix_us": 6}
"""Formats that count from 1970-01-01T00:00Z: seconds (with decimals), milliseconds, microseconds."""

_EPOCH = datetime(1970, 1, 1)
_WALL = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ Tt](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?)?", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,9})?", re.ASCII)
_FRACTION = re.compile(r"(\.\d{6})\d+")


@dataclass(frozen=True, slots=True)
class TimeRules:
    """How a column of times is written.

    `zone`: whose wall clock times without an offset are; None refuses them. `format`: as `strptime` has it, or one of `UNIX`; None
    reads RFC 3339 and its forms without offset, with a space, without seconds, or of a date alone (midnight). `repeated`: which
    instant a local time that occurs twice means. `truncate`: drop digits beyond the microsecond instead of refusing them.
    """

    zone: str | None = None
    format: str | None = None
    repeated: Repeated = "earlier"
    truncate: bool = False


AS_WRITTEN = TimeRules()


def timestamp_text(raw: object, rules: TimeRules) -> str:
    """The RFC 3339 timestamp of a cell; one that has an offset already is left to the parser of events.

    Errors: timestamp_malformed, time_format_mismatch, timestamp_naive, timestamp_too_precise, wall_clock_skipped, wall_clock_repeated.
    """
    if rules.format in UNIX:
        return _from_unix(str(raw), UNIX[rules.format], rules)
    if not isinstance(raw, str):
        raise Refusal(TIMESTAMP_MALFORMED, f"{shown(raw)} is not a timestamp; if it counts from 1970, declare its unit.", "timestamp")
    if rules.truncate:
        raw = _FRACTION.sub(r"\1", raw)
    if rules.format is not None:
        return _formatted(raw, rules.format, rules)
    match = _WALL.fullmatch(raw)
    if match is None:
        return raw
    day, clock, fraction = match.groups()
    if fraction and fraction[6:].strip("0"):
        raise Refusal(TIMESTAMP_TOO_PRECISE, f"{raw!r} has digits beyond the microsecond.", "timestamp")
    try:
        wall = datetime.fromisoformat(f"{day}T{clock or '00:00'}")
    except ValueError:
        raise Refusal(TIMESTAMP_MALFORMED, f"{raw!r} is not a date and time that exists.", "timestamp") from None
    return _utc(wall + timedelta(microseconds=int((fraction or "0")[:6].ljust(6, "0"))), raw, rules)


def _formatted(raw: str, form: str, rules: TimeRules) -> str:
    try:
        moment = datetime.strptime(raw, form)
        if moment.tzinfo is not None:
            return _shown(moment.astimezone(UTC).replace(tzinfo=None))
    except (ValueError, OverflowError):
        raise Refusal(TIME_FORMAT_MISMATCH, f"{shown(raw)} is not written as {form}.", "timestamp") from None
    return _utc(moment, raw, rules)


def _from_unix(raw: str, decimals: int, rules: TimeRules) -> str:
    if _NUMBER.fullmatch(raw) is None:
        raise Refusal(TIME_FORMAT_MISMATCH, f"{shown(raw)} is not a number of units since 1970.", "timestamp")
    micros = Fraction(raw) * Fraction(10) ** (6 - decimals)
    if micros.denominator != 1 and not rules.truncate:
        raise Refusal(TIMESTAMP_TOO_PRECISE, f"{raw} has digits beyond the microsecond.", "timestamp")
    try:
        return _shown(_EPOCH + timedelta(microseconds=micros.__floor__()))
    except OverflowError:
        raise Refusal(TIME_FORMAT_MISMATCH, f"{raw} lies beyond the year 9999 in the declared unit.", "timestamp") from None


def _utc(wall: datetime, raw: str, rules: TimeRules) -> str:
    """The instant at which the clock of the declared zone shows `wall`."""
    if rules.zone is None:
        raise Refusal(TIMESTAMP_NAIVE, f"{shown(raw)} has no offset, and no time zone is declared for it.", "timestamp")
    local = wall.replace(tzinfo=time_zone(rules.zone), fold=0)
    later = local.replace(fold=1)
    before, after = local.utcoffset(), later.utcoffset()
    assert before is not None and after is not None
    if before < after:
        raise Refusal(WALL_CLOCK_SKIPPED, f"clocks in {rules.zone} never showed {shown(raw)}.", "timestamp")
    if before > after and rules.repeated == "refuse":
        raise Refusal(WALL_CLOCK_REPEATED, f"clocks in {rules.zone} showed {shown(raw)} twice.", "timestamp")
    try:
        return _shown(wall - (after if rules.repeated == "later" else before))
    except OverflowError:
        raise Refusal(TIMESTAMP_MALFORMED, f"{shown(raw)} is beyond the calendar.", "timestamp") from None


def _shown(utc: datetime) -> str:
    return f"{utc.isoformat()}Z"
