"""What a meter is, and what it measured."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from farthing.core.events.condition import ALWAYS, Condition


class Aggregation(StrEnum):
    """How the events of an interval become one quantity."""

    COUNT = "count"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    LATEST = "latest"
    UNIQUE_COUNT = "unique_count"
    TIME_WEIGHTED = "time_weighted"
    PERCENTILE = "percentile"
    WINDOWED = "windowed"


@dataclass(frozen=True, slots=True)
class Windows:
    """Buckets for the windowed aggregation: `inner` in each bucket, `outer` over the buckets.

    `unit` with `count` sets the length: minutes are counted from the UTC epoch; hours, days, and months begin on the
    local clock of `zone` (an hour of the clock that occurs twice makes two buckets, each an hour long). `bucket_bounds` in
    windows.py is the exact rule, and gives the kernel the same instants. `count` divides 24 for hours and 12 for months.
    `inner` is one of count, sum, min, max, latest, unique_count; `outer` one of sum, min, max, percentile.
    Buckets without an event are skipped, or, with `empty_as_zero`, count as quantity 0.
    """

    unit: str  # "minute" | "hour" | "day" | "month"
    count: int
    inner: Aggregation
    outer: Aggregation
    zone: str = "UTC"
    empty_as_zero: bool = False


@dataclass(frozen=True, slots=True)
class Meter:
    """A declared way from events to a quantity. Immutable: a change is a new version under a new id.

    `value_key` names the payload property that is measured (unused by count; any text for unique_count).
    `group_by` names properties; each combination of their values is metered, rated and billed apart ("" for an absent one).
    `percentile` is in (0, 100], for the percentile aggregation or a percentile `outer`.
    `per_micros` is the unit of time of a time-weighted quantity in microseconds (an hour: kWh from kW); 0 divides by
    the length of the interval, which makes it the mean level.
    `display_name` and `event_time_window` are kept for the wire and change no quantity.

    What each aggregation computes, to the last digit, is said at the top of aggregate.py.
    """

    id: str
    event_name: str
    aggregation: Aggregation
    value_key: str = "value"
    filters: Condition = ALWAYS
    group_by: tuple[str, ...] = ()
    percentile: Fraction | None = None
    windows: Windows | None = None
    per_micros: int = 3_600_000_000
    display_name: str = ""
    event_time_window: Literal["day", "hour"] | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a meter measured over one interval, for one group and cell, and how it came to it.

    `events` counts the events measured; `set_aside` those left out because their value is absent or no number (each is listed
    by `farthing explain`). `first`/`last` are the lowest and highest log position measured (0 when there is none).
    `details` are named exact figures of the aggregation, in a fixed order: percentile ("rank", r), ("of", n); time_weighted
    ("carried", level); windowed ("buckets", b), and ("rank", r), ("of", n) after it for a percentile; the others none.
    """

    aggregation: Aggregation
    quantity: Fraction
    events: int
    set_aside: int = 0
    first: int = 0
    last: int = 0
    details: tuple[tuple[str, Fraction], ...] = ()
