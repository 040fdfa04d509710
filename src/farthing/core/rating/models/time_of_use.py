"""Bands of the local week, each with a unit amount.

A band is a set of hours: days of the week and times of day, from (inclusive) to (exclusive), on the wall clock of `time_zone`. An
event belongs to the band in which the local clock stands at the event's own time; hours of no band belong to `rest`. The
quantity of each band is measured over its events alone; the charge is the sum over the bands.

- Daylight saving: the wall clock decides. An hour that the clock shows twice counts twice in the band it names; a skipped
  hour contains no event.
- Boundary: an event at 15:00:00 belongs to a band from 15:00; one at 21:30:00 not to a band to 21:30.
- Hours do not cross midnight; write them as two spans ("22:00" to "24:00", and "00:00" to "06:00" on the days after). Errors in days
  or times are `band_hours_invalid`, at the span's `days[i]`, `from` or `to` (`to` also where it is not after `from`).
- Spans, of the same band or of two, that claim the same minute are refused (`bands_overlap`, at the later span).
- `rest` is required unless the bands cover the whole week (`bands_incomplete` at `rest`), and refused if they do
  (`rule_unreachable` at `rest`).
- Negative quantity of a band: a credit at its unit amount.
- No events: nothing is due but `ext.minimum`. A quantity alone cannot be rated (`events_needed`), not even where one band covers
  the whole week; the calculator needs each event's `timestamp` (`event_time_missing`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from farthing.core.base.refusal import Refusal
from farthing.core.base.time import time_zone
from farthing.core.catalog.fields import Field, Reader
from farthing.core.catalog.refusals import BAND_HOURS_INVALID, BANDS_INCOMPLETE, BANDS_OVERLAP, RULE_UNREACHABLE
from farthing.core.events.fields import shown
from farthing.core.rating.models.form import LINE_PER_CELL, Example, Lowered, Model, Schema, linear
from farthing.core.rating.models.labels import distinct
from farthing.core.rating.program import Bands, Cell

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
Span = tuple[int, int, int]  # weekday (0 = Monday), start minute, end minute

HOURS_FIELDS = (
    Field("days", "list", "of " + ", ".join(f'"{day}"' for day in DAYS), required=True),
    Field("from", "text", '"HH:MM" on the wall clock, inclusive', required=True),
    Field("to", "text", '"HH:MM" on the wall clock, exclusive; "24:00" is the end of the day', required=True),
)
REST_FIELDS = (
    Field("label", "text", "names the rest", default="rest"),
    Field("unit_amount", "amount", "minor units for each unit", required=True),
)
BAND_FIELDS = (
    Field("label", "text", "names the band; no two alike", required=True),
    Field("hours", "list", "spans of the week", required=True, fields=HOURS_FIELDS),
    Field("unit_amount", "amount", "minor units for each unit used in the band", required=True),
)
FIELDS = (
    Field("time_zone", "text", 'IANA name such as "Europe/London"', required=True),
    Field("bands", "list", "the bands", required=True, fields=BAND_FIELDS),
    Field("rest", "object", "all other hours of the week", fields=REST_FIELDS),
    LINE_PER_CELL,
)


@dataclass(frozen=True, slots=True)
class TimeOfUse:
    """`bands` as (label, spans, unit amount); `rest` as (label, unit amount), None when the bands cover the week."""

    zone: str
    bands: tuple[tuple[str, tuple[Span, ...], Fraction], ...]
    rest: tuple[str, Fraction] | None
    line_per_cell: bool


def read(tou: Reader) -> TimeOfUse:
    """Read `ext.time_of_use`."""
    zone = tou.text("time_zone")
    time_zone(zone, tou.at("time_zone"))
    taken: list[Span] = []
    bands = []
    rows = tou.objects("bands", BAND_FIELDS)
    for row in rows:
        spans = tuple(_disjoint_spans(row, taken))
        bands.append((row.text("label"), spans, row.amount("unit_amount")))
    labels = [(band[0], row.at("label")) for band, row in zip(bands, rows, strict=True)]
    rest = _rest(tou, sum(end - start for _, start, end in taken) == 7 * DAY_MINUTES)
    if rest is not None:
        labels.append((rest[0], f"{tou.at('rest')}.label"))
    distinct(labels)
    return TimeOfUse(zone, tuple(bands), rest, tou.flag("line_per_cell"))


def _rest(tou: Reader, covered: bool) -> tuple[str, Fraction] | None:
    if covered and tou.has("rest"):
        raise Refusal(RULE_UNREACHABLE, "the bands cover the whole week.", tou.at("rest"))
    if covered:
        return None
    if not tou.has("rest"):
        raise Refusal(BANDS_INCOMPLETE, "the bands do not cover the whole week and there is no rest.", tou.at("rest"))
    rest = tou.open("rest", REST_FIELDS)
    return rest.text("label", "rest"), rest.amount("unit_amount")


def _disjoint_spans(band: Reader, taken: list[Span]) -> Iterator[Span]:
    for hours in band.objects("hours", HOURS_FIELDS):
        for day, start, end in _spans(hours):
            if any(day == other and start < other_end and other_start < end for other, other_start, other_end in taken):
                raise Refusal(BANDS_OVERLAP, f"{DAYS[day]} {hours.get('from')} to {hours.get('to')} overlaps with an earlier span.", hours.path)
            taken.append((day, start, end))
            yield day, start, end


def _spans(hours: Reader) -> Iterator[Span]:
    start, end = _minute(hours, "from"), _minute(hours, "to")
    if start >= end:
        raise Refusal(BAND_HOURS_INVALID, f"{hours.get('to')} is not after {hours.get('from')}.", hours.at("to"))
    for place, day in hours.entries("days"):
        if day not in DAYS:
            raise Refusal(BAND_HOURS_INVALID, f"{shown(day)} is no day.", place)
        yield DAYS.index(day), start, end


def _minute(hours: Reader, name: str) -> int:
    text = hours.text(name)
    if name == "to" and text == "24:00":
        return DAY_MINUTES
    if (match := _CLOCK.fullmatch(text)) is None:
        raise Refusal(BAND_HOURS_INVALID, f"{shown(text)} is no time of day.", hours.at(name))
    return int(match[1]) * 60 + int(match[2])


def lower(params: TimeOfUse, _currency: str) -> Lowered:
    """A cell for each band, and one for the rest."""
    cells = [Cell(label, curve=linear(unit), during=Bands(params.zone, spans)) for label, spans, unit in params.bands]
    if params.rest is not None:
        cells.append(Cell(params.rest[0], curve=linear(params.rest[1])))
    return Lowered(tuple(cells), params.line_per_cell)


SCHEMA = Schema(
    "time_of_use",
    __doc__ or "",
    FIELDS,
    (
        Example(
            "2 kWh at Monday 15:00 local (summer time) at 52.994 cents, 3 kWh at 21:30 at 22.283",
            {
                "currency": "aud",
                "ext": {
                    "time_of_use": {
                        "time_zone": "Australia/Sydney",
                        "bands": [
                            {
                                "label": "peak",
                                "hours": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "15:00", "to": "21:30"}],
                                "unit_amount_decimal": "52.994",
                            }
                        ],
                        "rest": {"unit_amount_decimal": "22.283"},
                    }
                },
            },
            {
                "events": [
                    {"value": "2", "timestamp": "2013-01-07T04:00:00Z"},
                    {"value": "3", "timestamp": "2013-01-07T10:30:00Z"},
                ]
            },
            173,
            "172.837",
        ),
    ),
)
MODEL = Model(SCHEMA, read, lower, excludes=frozenset({"allowance", "flat_at_zero"}))
