"""Local hours and buckets as a table of instants, made from `zoneinfo`: the engine's own time zones are never asked.

All edges of bands and buckets lie on a grid; a *slot* is one step of it. An event finds its slot by a division, and the slot says
which bands and which bucket it is in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from math import gcd

import pyarrow as pa

from farthing.core.base.time import MICROS, Interval, to_datetime
from farthing.core.rating.program import Bands
from farthing.core.usage.windows import bucket_bounds
from farthing.kernel.domain import OutsideDomain
from farthing.kernel.job import Job

HOUR = 3600 * MICROS
DAY = 24 * HOUR
MINUTE = 60 * MICROS
MOST_SLOTS = 2_000_000
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday


@dataclass(frozen=True, slots=True)
class Slots:
    """`table` has slot, bucket, and a boolean b0, b1, … for each of `bands`; slot n is [base + n·step, base + (n+1)·step)."""

    table: pa.Table
    base: int
    step: int
    bands: tuple[Bands, ...]


def needs_slots(job: Job) -> bool:
    """Whether rating depends on an event's hour or bucket."""
    return any(cell.during for cell in job.program.cells) or (job.has_curves and job.meter.windows is not None)


def make_slots(job: Job, since: int) -> Slots:
    """Slots over [min(since, interval start), interval end). Errors: OutsideDomain when the grid is too fine for its length."""
    span = Interval(min(since, job.interval.start), job.interval.end)
    bands = tuple(dict.fromkeys(cell.during for cell in job.program.cells if cell.during is not None))
    spans = [band_spans(band, span) for band in bands]
    windows = job.meter.windows if job.has_curves else None
    starts = [bucket.start for bucket in bucket_bounds(windows, job.interval)] if windows else []
    edges = sorted({edge for pairs in spans for pair in pairs for edge in pair if span.start < edge < span.end} | set(starts[1:]))
    step, base = _grid(edges, span)
    count = -(-(span.end - base) // step)
    if count > MOST_SLOTS:
        raise OutsideDomain(f"the hours and buckets of this span share no step of time coarser than {step} microseconds")
    columns = {"slot": pa.array(range(count), pa.int64()), "bucket": pa.array(_ranks(starts[1:], base, step, count), pa.int64())}
    for index, pairs in enumerate(spans):
        columns[f"b{index}"] = pa.array(_inside(pairs, base, step, count), pa.bool_())
    return Slots(pa.table(columns), base, step, bands)


def _grid(edges: Sequence[int], span: Interval) -> tuple[int, int]:
    if not edges:
        return span.end - span.start, span.start
    step = reduce(gcd, (edge - edges[0] for edge in edges[1:]), 0) or span.end - span.start
    return step, edges[0] + -(-(edges[0] - span.start) // step) * -step


def _ranks(starts: Sequence[int], base: int, step: int, count: int) -> list[int]:
    """For each slot, how many of the starts lie at or before it."""
    ranks, rank = [], 0
    for slot in range(count):
        while rank < len(starts) and starts[rank] <= base + slot * step:
            rank += 1
        ranks.append(rank)
    return ranks


def _inside(pairs: Sequence[tuple[int, int]], base: int, step: int, count: int) -> list[bool]:
    flags = [False] * count
    for start, end in pairs:
        first, last = max(-(-(start - base) // step), 0), min(-(-(end - base) // step), count)
        flags[first:last] = [True] * (last - first)
    if pairs and pairs[0][0] > base and pairs[0][0] - base < step:
        flags[0] = True  # the first slot may begin before the span, of which the band takes all
    return flags


@lru_cache(maxsize=64)
def band_spans(bands: Bands, span: Interval) -> tuple[tuple[int, int], ...]:
    """When the local clock reads a time inside the bands: half-open [start, end), in order, disjoint, clipped to the span."""
    pieces = sorted(piece for start, end, offset in _stretches(bands.zone, span) for piece in _weekly(bands, start, end, offset))
    merged: list[tuple[int, int]] = []
    for start, end in pieces:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _weekly(bands: Bands, start: int, end: int, offset: int) -> Iterator[tuple[int, int]]:
    """The bands' spans within [start, end), throughout which the local clock is UTC + offset."""
    for day in range((start + offset) // DAY, (end + offset) // DAY + 1):
        for weekday, begins, stops in bands.spans:
            if (day + _EPOCH_WEEKDAY) % 7 == weekday:
                midnight = day * DAY - offset
                piece = max(start, midnight + begins * MINUTE), min(end, midnight + min(stops, 1440) * MINUTE)
                if piece[0] < piece[1]:
                    yield piece


def _stretches(zone: str, span: Interval) -> Iterator[tuple[int, int, int]]:
    """(start, end, offset) over which the zone's offset from UTC stays the same. No zone changes it twice within an hour."""
    start, offset = span.start, _offset(span.start, zone)
    at = span.start
    while at < span.end:
        following = min(at + HOUR, span.end)
        later = _offset(following, zone)
        if later != offset:
            change = _change(at, following, zone)
            yield start, change, offset
            start, offset = change, later
        at = following
    if start < span.end:
        yield start, span.end, offset


def _change(before: int, after: int, zone: str) -> int:
    """The first instant in (before, after] at which the offset is the later one."""
    later = _offset(after, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, zone) == later:
            after = middle
        else:
            before = middle
    return after


def _offset(at: int, zone: str) -> int:
    delta = to_datetime(at, zone).utcoffset()
    assert delta is not None
    return (delta.days * 86_400 + delta.seconds) * MICROS + delta.microseconds
