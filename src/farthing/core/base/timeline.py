"""Bitemporal timelines: versions that hold over a span of time, of which a later-known one overrides an earlier-known one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from farthing.core.base.time import BEGINNING, FOREVER, Interval

__all__ = ["ALL_TIME", "BEGINNING", "FOREVER", "Span", "Version", "merged", "overlay", "within"]

T = TypeVar("T")

ALL_TIME = Interval(BEGINNING, FOREVER)


@dataclass(frozen=True, slots=True)
class Version(Generic[T]):
    """`value` holds over `effective`; it is known from `revision` on (a dense count of changes to catalogue and contracts)."""

    effective: Interval
    revision: int
    value: T


@dataclass(frozen=True, slots=True)
class Span(Generic[T]):
    """What holds over one stretch of a resolved timeline."""

    interval: Interval
    value: T


def overlay(versions: Iterable[Version[T]], known: int) -> tuple[Span[T], ...]:
    """What holds when, as known at `known` (inclusive): spans in time order, gaps where nothing holds, none overlapping.

    Versions are laid over each other by revision: where two overlap, the later-known one holds, and the earlier keeps what is
    left of it on either side. Neighbouring spans are not merged: a version boundary stays a boundary.
    """
    spans: list[Span[T]] = []
    for version in sorted((v for v in versions if v.revision <= known), key=lambda v: v.revision):
        spans = [rest for span in spans for rest in _without(span, version.effective)]
        spans.append(Span(version.effective, version.value))
    return tuple(sorted(spans, key=lambda span: span.interval.start))


def _without(span: Span[T], taken: Interval) -> Iterable[Span[T]]:
    if span.interval.overlap(taken) is None:
        yield span
        return
    if span.interval.start < taken.start:
        yield Span(Interval(span.interval.start, taken.start), span.value)
    if taken.end < span.interval.end:
        yield Span(Interval(taken.end, span.interval.end), span.value)


def within(spans: Iterable[Span[T]], interval: Interval) -> tuple[Span[T], ...]:
    """The parts of spans that lie inside an interval, in order."""
    clipped = ((span.interval.overlap(interval), span.value) for span in spans)
    return tuple(Span(overlap, value) for overlap, value in clipped if overlap is not None)


def merged(spans: Iterable[Span[T]]) -> tuple[Span[T], ...]:
    """Spans in time order, neighbours without a gap and with equal values joined."""
    found: list[Span[T]] = []
    for span in spans:
        joins = found and found[-1].value == span.value and found[-1].interval.end == span.interval.start
        start = found.pop().interval.start if joins else span.interval.start
        found.append(Span(Interval(start, span.interval.end), span.value))
    return tuple(found)


def holds(versions: Sequence[Version[T]], version: Version[T]) -> bool:
    """Whether a version would change nothing: all over its span its value holds already."""
    latest = max((known.revision for known in versions), default=0)
    spans = within(overlay(versions, latest), version.effective)
    covered = sum(span.interval.end - span.interval.start for span in spans)
    return covered == version.effective.end - version.effective.start and all(span.value == version.value for span in spans)
