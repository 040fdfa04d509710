"""Why a bill that was final is not right any more: the facts since then that touch a charge key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from farthing.core.base.time import Interval
from farthing.core.base.timeline import Version
from farthing.core.catalog.terms import ChargeKey, PriceVersion, Terms
from farthing.core.contract.contract import Agreement, Contract
from farthing.core.contract.resolve import agreed, priced
from farthing.core.events.event import Cancel, Event, Fact, Replace
from farthing.core.invoice.document import key_text, read_key
from farthing.core.invoice.invoice import Cause
from farthing.core.invoice.rated import over_term
from farthing.core.rating.compile import compile_price
from farthing.core.rating.fees import unreadable
from farthing.core.rating.interpret import takes
from farthing.core.rating.program import Program
from farthing.core.usage.aggregate import read
from farthing.core.usage.meter import Aggregation, Meter
from farthing.core.usage.select import group_of, matches


@dataclass(frozen=True, slots=True)
class LateFact:
    """A fact at its log position, with the event it is about: the event itself, or the target that it cancels or replaces."""

    position: int
    fact: Fact
    about: Event | None

    def customers(self) -> frozenset[str]:
        """Whose events it is about."""
        return frozenset(event.customer for event in _events(self))


@dataclass(frozen=True, slots=True)
class News:
    """What became known since the bills in question were made: facts of the customer, versions of prices and of the contract; and what was
    decided: bills that became `void` (number, its charge keys) and minor units `waived`, both by the keys' text."""

    facts: Sequence[LateFact] = ()
    prices: Sequence[Version[PriceVersion]] = ()
    agreements: Sequence[Version[Agreement]] = ()
    voids: Sequence[tuple[str, frozenset[str]]] = ()
    waived: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Finds the causes of corrections: the news, the contract and all price versions, and the terms that keys are rated by now."""

    news: News
    contract: Contract
    prices: Mapping[str, Sequence[Version[PriceVersion]]]
    terms: Mapping[ChargeKey, Terms]  # by the key without its group

    def causes(self, key: ChargeKey) -> tuple[Cause, ...]:
        """The news that changed what a key comes to, in this order: facts whose event its meter measures in its span (and group and cell),
        by position; then revisions that changed its price inside its segment or made it begin; then those that changed its item there;
        then decisions about the key itself."""
        return (*self._by_facts(key), *self._by_prices(key), *self._by_contract(key), *self._by_decision(key_text(key)))

    def _by_facts(self, key: ChargeKey) -> Iterator[Cause]:
        terms = self.terms.get(replace(key, group=()))
        if terms is None or terms.meter is None:
            return
        program = compile_price(terms.price.document).program
        for late in self.news.facts:
            if any(_measures(event, terms, program, key) for event in _events(late)):
                kind, identifier = _named(late.fact)
                yield Cause(kind, identifier, f"position {late.position}")

    def _by_prices(self, key: ChargeKey) -> Iterator[Cause]:
        every, around = self.prices.get(key.price, ()), self._around(key)
        for version in self.news.prices:
            if version.value.lineage == key.price and version.effective.overlap(around):
                before, after = (priced(every, around, version.revision - n) for n in (1, 0))
                if before != after:
                    yield Cause("price", version.value.id, f"revision {version.revision}")

    def _by_contract(self, key: ChargeKey) -> Iterator[Cause]:
        for revision in sorted({version.revision for version in self.news.agreements}):
            before, after = (agreed(self.contract, key.item, self._around(key), revision - n) for n in (1, 0))
            if before != after:
                yield Cause("contract", key.contract, f"revision {revision}")

    def _by_decision(self, key: str) -> Iterator[Cause]:
        yield from (Cause("void", number, "") for number, keys in self.news.voids if key in keys)
        if units := self.news.waived.get(key):
            yield Cause("waiver", str(units), "")

    def _around(self, key: ChargeKey) -> Interval:
        """The key's segment, from the beginning of the segment that it is rated over (a price over the term), with the microsecond before
        it where that begins inside its period (or term): a change up to there is what made it begin, or, where the key is no longer
        wanted, what joined it to the segment before."""
        terms, term = self.terms.get(replace(key, group=())), self.contract.term
        start = key.segment.start if terms is None else terms.segment.start
        versions = [one.value for one in self.prices.get(key.price, ())] if terms is None else [terms.price]
        cycle = self.contract.billing if term is None or not any(map(over_term, versions)) else term
        whole = cycle.period(cycle.index_at(start))
        return Interval(start if start <= max(whole.start, self.contract.active.start) else start - 1, key.segment.end)


def touched(news: News, period: Interval, carrying: frozenset[str]) -> bool:
    """Whether any of the news is about a billing period, so that its keys have to be computed again. Events whose name is in
    `carrying` (those of time-weighted meters) are about all later periods too."""
    keys = {*news.waived, *(key for _, keys in news.voids for key in keys)}
    versions = [*(version.effective for version in news.prices), *(version.effective for version in news.agreements)]
    if any(span.overlap(period) for span in (*versions, *(read_key(key).segment for key in keys))):
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


def _measures(event: Event, terms: Terms, program: Program, key: ChargeKey) -> bool:
    """Whether the event is one that the key's quantity is, or would have been, made from."""
    meter = terms.meter
    if meter is None or event.customer != key.customer or not matches(meter, event):
        return False
    carried = meter.aggregation is Aggregation.TIME_WEIGHTED and event.at < terms.metered.start
    if event.at not in terms.metered and not carried:
        return False
    if key.group[: len(meter.group_by)] != group_of(meter, event):
        return False
    cell = next((cell for cell in program.cells if takes(cell, event)), None)
    if cell is None or (program.line_per_cell and key.group[len(meter.group_by) :] != (("cell", cell.label),)):
        return False
    return read(meter, event) is not None if cell.fees is None else unreadable(cell.fees, event.properties) is None
