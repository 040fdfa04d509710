"""Why a bill that was final is not right any more: the facts since then that touch a charge key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from farthing.core.base.time import Interval
from farthing.core.base.timeline import Version
from farthing.core.catalog.terms import ChargeKey, PriceVersion
from farthing.core.contract.contract import Agreement
from farthing.core.events.event import Cancel, Event, Fact, Replace
from farthing.core.invoice.invoice import Cause, Desired
from farthing.core.usage.meter import Aggregation, Meter
from farthing.core.usage.parse import parse_meter
from farthing.core.usage.select import group_of, matches


@dataclass(frozen=True, slots=True)
class LateFact:
    """A fact at its log position, with the event it is about: the event itself, or the target that it cancels or replaces."""

    position: int
    fact: Fact
    about: Event | None


@dataclass(frozen=True, slots=True)
class News:
    """What became known since the bills in question were made: facts of the customer, versions of prices and of the contract."""

    facts: Sequence[LateFact] = ()
    prices: Sequence[Version[PriceVersion]] = ()
    agreements: Sequence[Version[Agreement]] = ()

    def causes(self, key: ChargeKey, desired: Desired | None) -> tuple[Cause, ...]:
        """The news that touch a key: events that its meter takes in its segment, versions that hold inside it; in that order."""
        return (*self._by_facts(key, desired), *self._by_prices(key), *self._by_agreements(key))

    def _by_facts(self, key: ChargeKey, desired: Desired | None) -> Iterator[Cause]:
        document = desired.derivation["meter"] if desired is not None else None
        if document is None:
            return
        meter = parse_meter(document)
        for late in self.facts:
            if any(_touches(event, meter, key) for event in _events(late)):
                kind, identifier = _named(late.fact)
                yield Cause(kind, identifier, f"position {late.position}")

    def _by_prices(self, key: ChargeKey) -> Iterator[Cause]:
        for version in self.prices:
            if version.value.lineage == key.price and version.effective.overlap(key.segment):
                yield Cause("price", version.value.id, f"revision {version.revision}")

    def _by_agreements(self, key: ChargeKey) -> Iterator[Cause]:
        for version in self.agreements:
            if version.effective.overlap(key.segment):
                yield Cause("contract", key.contract, f"revision {version.revision}")


def touched(news: News, period: Interval, carrying: frozenset[str]) -> bool:
    """Whether any of the news is about a billing period, so that its keys have to be computed again. Events whose name is in
    `carrying` (those of time-weighted meters) are about all later periods too."""
    versions = [*(version.effective for version in news.prices), *(version.effective for version in news.agreements)]
    if any(effective.overlap(period) for effective in versions):
        return True
    events = [event for late in news.facts for event in _events(late)]
    return any(event.at in period or (event.at < period.end and event.event_name in carrying) for event in events)


def carrying_names(meters: Iterable[Meter]) -> frozenset[str]:
    """The names of events whose level is carried over into later periods."""
    return frozenset(meter.event_name for meter in meters if meter.aggregation is Aggregation.TIME_WEIGHTED)


def _events(late: LateFact) -> Iterator[Event]:
    if late.about is not None:
        yield late.about
    if isinstance(late.fact, Replace):
        yield late.fact.event


def _named(fact: Fact) -> tuple[Literal["event", "cancel", "replace"], str]:
    match fact:
        case Event():
            return "event", fact.identifier
        case Cancel():
            return "cancel", fact.target
        case Replace():
            return "replace", fact.target


def _touches(event: Event, meter: Meter, key: ChargeKey) -> bool:
    if event.customer != key.customer or not matches(meter, event):
        return False
    carried = meter.aggregation is Aggregation.TIME_WEIGHTED and event.at < key.segment.end
    if event.at not in key.segment and not carried:
        return False
    group = tuple(pair for pair in key.group if pair[0] != "cell" or "cell" in meter.group_by)
    return not meter.group_by or dict(group_of(meter, event)).items() <= dict(group).items()
