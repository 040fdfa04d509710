"""A price over the term, period by period: which part of what the term comes to each period is billed for.

A price over the billing period is the simple case: its segment has one service and nothing before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from farthing.core.base.time import Instant, Interval
from farthing.core.catalog.terms import Group, Terms
from farthing.core.rating.trace import Rated

Rates = Mapping[Group, tuple[Rated, ...]]


@dataclass(frozen=True, slots=True)
class Part:
    """What one rated line of a segment is billed for: what it has reached by the end of a service (`rated`), less what it had reached
    before it. `lowered` is the end of the later period by which it comes to less than at the service's own end: `rated` is then what
    it comes to by that. `quantity` is the service's own, whatever later periods make of its amount."""

    rated: Rated
    before: Rated | None
    quantity: Fraction
    lowered: Instant | None = None


def to_rate(terms: Sequence[Terms]) -> list[Terms]:
    """The terms, and behind them those up to the service of each whose segment began before it and is not among the terms up to there."""
    return [*terms, *(one.before for one, place in zip(terms, _preceding(terms), strict=True) if place is None and one.before is not None)]


def parts(terms: Sequence[Terms], rates: Sequence[Rates], waiting: Interval | None) -> list[Mapping[Group, tuple[Part, ...]]]:
    """What each of the terms is billed for, by group; `rates` are those of `to_rate(terms)`.

    A segment has reached by the end of a service the least that it comes to there or at the end of any later service among the terms.
    So where a term comes to less than before (a volume price that falls), the period in which it falls is billed nothing, and what
    it falls by is taken back from the periods that were billed more, the last first, at their own discounts, credits and tax rates.
    Services in `waiting` (a bill inside a period) take nothing back yet.
    """
    reached = _reached(terms, rates, waiting)
    begun = iter(rates[len(terms) :])
    found: list[Mapping[Group, tuple[Part, ...]]] = []
    for one, own, by_end, place in zip(terms, rates, reached, _preceding(terms), strict=False):
        before: Mapping[Group, Iterable[Rated]] = {}
        quantities: Rates = {}
        if place is not None:
            before, quantities = {group: [rated for rated, _ in row] for group, row in reached[place].items()}, rates[place]
        elif one.before is not None:
            quantities = next(begun)
            before = {group: _at_most(row, by_end.get(group, ())) for group, row in quantities.items()}
        found.append({group: tuple(_parts(row, own[group], before.get(group, ()), quantities.get(group, ()))) for group, row in by_end.items()})
    return found


_Row = tuple[tuple[Rated, Instant | None], ...]


def _reached(terms: Sequence[Terms], rates: Sequence[Rates], waiting: Interval | None) -> list[dict[Group, _Row]]:
    """What each segment has reached by the end of each service, and by which later end where that is less."""
    found: list[dict[Group, _Row]] = [{group: tuple((one, None) for one in row) for group, row in rated.items()} for rated in rates[: len(terms)]]
    for chain in _chains(terms):
        least: dict[tuple[Group, str], tuple[Rated, Instant]] = {}
        for place in reversed(chain):
            service = terms[place].service
            if waiting is not None and service.overlap(waiting):
                continue
            for group, row in found[place].items():
                found[place][group] = tuple(_lowered(rated, least.get((group, rated.label))) for rated, _ in row)
                least |= {(group, rated.label): (rated, lowered or service.end) for rated, lowered in found[place][group]}
    return found


def _lowered(rated: Rated, later: tuple[Rated, Instant] | None) -> tuple[Rated, Instant | None]:
    return later if later is not None and later[0].exact < rated.exact else (rated, None)


def _at_most(rates: Iterable[Rated], reached: _Row) -> list[Rated]:
    """What was reached before, where the services up to then are not among the terms: no more than what is reached after."""
    after = {rated.label: rated for rated, _ in reached}
    return [min(one, after.get(one.label, one), key=lambda rated: rated.exact) for one in rates]


def _parts(row: _Row, own: Sequence[Rated], before: Iterable[Rated], quantities: Iterable[Rated]) -> Iterable[Part]:
    earlier, counted = {one.label: one for one in before}, {one.label: one.quantity for one in quantities}
    for (rated, lowered), mine in zip(row, own, strict=True):
        yield Part(rated, earlier.get(rated.label), mine.quantity - counted.get(rated.label, 0), lowered)


def _preceding(terms: Sequence[Terms]) -> list[int | None]:
    """For each of the terms, the place of those of its segment whose service ends where its own begins; None where there are none."""
    found: list[int | None] = [None] * len(terms)
    for chain in _chains(terms):
        for earlier, place in pairwise(chain):
            if terms[earlier].service.end == terms[place].service.start:
                found[place] = earlier
    return found


def _chains(terms: Sequence[Terms]) -> Iterable[list[int]]:
    """The places of usage terms of one segment, in order of time."""
    chains: dict[tuple[str, Instant], list[int]] = {}
    for place, one in enumerate(terms):
        if one.meter is not None:
            chains.setdefault((one.item, one.segment.start), []).append(place)
    return (sorted(chain, key=lambda place: terms[place].service.start) for chain in chains.values())
