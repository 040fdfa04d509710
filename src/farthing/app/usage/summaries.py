"""What a meter measured for a customer between two times, by the core's aggregation over the log as it is known now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.store import EventQuery
from farthing.app.usage.kinds import METER
from farthing.app.usage.refusals import METER_GROUPED, SUMMARY_CURSOR_UNKNOWN, SUMMARY_RANGE_INVALID
from farthing.core.base.exact import show
from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal
from farthing.core.base.rounding import round_to_whole
from farthing.core.base.time import MICROS, Interval
from farthing.core.events.event import Event
from farthing.core.usage.aggregate import aggregate
from farthing.core.usage.meter import Aggregation, Meter
from farthing.core.usage.select import matches

Window = Literal["hour", "day"]
LENGTHS = {"hour": 3_600, "day": 86_400}
PLACES = 18
"""Decimals of a figure that does not terminate, such as a mean level of a third."""
_OF_ALL = (Aggregation.SUM, Aggregation.COUNT)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which summaries are asked for: of a meter and customer, from `start` up to `end` (seconds), one for all or one for each window.
    `after` and `before` are ids of summaries; at most one of them is sent."""

    meter: str
    customer: str
    start: int
    end: int
    window: Window | None = None
    after: str | None = None
    before: str | None = None

    @property
    def length(self) -> int:
        """Seconds that one summary covers."""
        return self.end - self.start if self.window is None else LENGTHS[self.window]

    @property
    def starts(self) -> range:
        """Where each begins, the newest first."""
        return range(self.end - self.length, self.start - 1, -self.length)


def summaries(desk: Desk, asked: Asked, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """A page of summaries, newest first, windows without events among them; and whether there are more in its direction. Only the page's
    events are read.

    Errors: resource_missing (404), summary_range_invalid, summary_cursor_unknown, meter_grouped."""
    plain.need(desk, METER, asked.meter)
    _check(asked)
    meter = desk.store.meters()[asked.meter]
    if meter.group_by and meter.aggregation not in _OF_ALL:
        raise Refusal(METER_GROUPED, f"{meter.aggregation} by {', '.join(meter.group_by)} has no figure for all groups.", None)
    starts, more = _page(asked, limit)
    if not starts:
        return [], more
    events = measured(desk, meter, asked.customer, Interval(starts[-1] * MICROS, (starts[0] + asked.length) * MICROS))
    found = []
    for start, mine in zip(starts, _by_window(meter, events, starts, asked.length), strict=True):
        quantity = aggregate(meter, mine, Interval(start * MICROS, (start + asked.length) * MICROS)).quantity
        found.append(
            {
                "id": _id(asked, start),
                "object": "billing.meter_event_summary",
                "aggregated_value": decimal_of(quantity),
                "end_time": start + asked.length,
                "livemode": desk.live,
                "meter": asked.meter,
                "start_time": start,
            }
        )
    return found, more


def decimal_of(value: Fraction) -> Decimal:
    """A figure as the wire has it: exactly where its decimals end, else rounded half away from zero at the eighteenth."""
    text = show(value)
    if "/" not in text:
        return Decimal(text)
    return Decimal(show(Fraction(round_to_whole(value * 10**PLACES), 10**PLACES)))


def _check(asked: Asked) -> None:
    if asked.start >= asked.end:
        raise Refusal(SUMMARY_RANGE_INVALID, f"{asked.end} is not after {asked.start}.", "end_time")
    unit, name = (60, "minute") if asked.window is None else (asked.length, asked.window)
    for field, second in (("start_time", asked.start), ("end_time", asked.end)):
        if second % unit:
            raise Refusal(SUMMARY_RANGE_INVALID, f"{second} is not at a full {name} (UTC).", field)


def _page(asked: Asked, limit: int) -> tuple[Sequence[int], bool]:
    """The starts on a page, newest first, and whether there are more."""
    starts = asked.starts
    if asked.before is not None:
        before = starts[: _place(asked, asked.before, "ending_before")]
        return before[-limit:], len(before) > limit
    after = starts if asked.after is None else starts[_place(asked, asked.after, "starting_after") + 1 :]
    return after[:limit], len(after) > limit


def _place(asked: Asked, cursor: str, field: str) -> int:
    digits = cursor[-10:]
    start = int(digits, 16) if len(digits) == 10 and set(digits) <= set("0123456789abcdef") else -1
    if start not in asked.starts or cursor != _id(asked, start):
        raise Refusal(SUMMARY_CURSOR_UNKNOWN, f"{shown(cursor)} is no summary of this list.", field)
    return asked.starts.index(start)


def _id(asked: Asked, start: int) -> str:
    """A summary's id, which follows from what it is of."""
    what = f"{asked.meter} {asked.customer} {asked.window} {asked.length}"
    return f"mtrusg_{hashlib.sha256(what.encode()).hexdigest()[:20]}{start:010x}"


def measured(desk: Desk, meter: Meter, customer: str, span: Interval) -> list[Event]:
    """The customer's events that the meter takes, in order of their times; with what its level is carried over from."""
    carry = meter.aggregation is Aggregation.TIME_WEIGHTED
    apart = tuple(dict.fromkeys(test.property for test in meter.filters.tests)) if carry else ()
    query = EventQuery(meter.event_name, span, desk.store.head(), (customer,), carry, apart, meter.value_key if carry else None)
    found = [event for event in desk.store.events(query) if matches(meter, event)]
    return sorted(found, key=lambda event: (event.at, event.position))


def _by_window(meter: Meter, events: Sequence[Event], starts: Sequence[int], length: int) -> Iterator[Sequence[Event]]:
    """The events of each window; all of them for a level that is carried over."""
    if meter.aggregation is Aggregation.TIME_WEIGHTED:
        yield from (events for _ in starts)
        return
    found: dict[int, list[Event]] = {}
    for event in events:
        found.setdefault((event.at // MICROS - starts[-1]) // length, []).append(event)
    for start in starts:
        yield found.get((start - starts[-1]) // length, ())
