"""A small world in memory to tell billing stories in: one log, one catalogue, contracts and their bills, over the core alone.

It keeps facts and documents and nothing else; every amount comes from `farthing.core.flow`. Revisions and log positions are counted
here, document numbers too. Where a store would look for what is touched, the world simply computes all billed periods again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from farthing.core.base.time import Instant, Interval
from farthing.core.base.timeline import ALL_TIME, FOREVER, Version
from farthing.core.catalog.price import parse_price
from farthing.core.catalog.terms import ChargeKey, Grant, PriceVersion, Terms
from farthing.core.contract.amend import amend, amended_contract
from farthing.core.contract.contract import Contract
from farthing.core.contract.parse import parse_contract
from farthing.core.contract.resolve import Shelf
from farthing.core.events.event import Cancel, Event, Fact, Replace
from farthing.core.events.log import effective, position_of
from farthing.core.flow import Due, Facts, bill, bills_due, desired_amounts, over_term, periods_due, rate_terms
from farthing.core.invoice.adjustment import Adjustment
from farthing.core.invoice.causes import LateFact, News
from farthing.core.invoice.document import issued_from, key_text
from farthing.core.invoice.invoice import Document, Issued, Line
from farthing.core.invoice.voids import given_up, refuse_followed
from farthing.core.rating.trace import Rated
from farthing.core.settlement.originals import originals
from farthing.core.usage.meter import Meter
from farthing.core.usage.parse import parse_meter


@dataclass(frozen=True, slots=True)
class Bill:
    """A final document: its number, and the log position and revision that it was computed at. `period` is what it billed."""

    number: str
    contract: str
    document: Document
    position: int
    revision: int
    period: Interval | None
    part: bool = False
    ahead: Interval | None = None
    waivers: int = 0  # how many there were when it was made
    void: bool = False
    void_after: str = ""  # the last bill of the contract when it became void


@dataclass
class World:
    """See the module."""

    revision: int = 0
    facts: list[Fact] = field(default_factory=list)
    meters: dict[str, Meter] = field(default_factory=dict)
    prices: dict[str, list[Version[PriceVersion]]] = field(default_factory=dict)
    contracts: dict[str, Contract] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    bills: list[Bill] = field(default_factory=list)
    waivers: list[tuple[str, str, int]] = field(default_factory=list)  # contract, key, amount
    adjustments: dict[str, list[Adjustment]] = field(default_factory=dict)  # of each contract, those that wait for its next bill

    def meter(self, document: Mapping[str, Any]) -> None:
        """Add a meter."""
        meter = parse_meter(document)
        self.revision += 1
        self.meters[meter.id] = meter

    def price(self, lineage: str, document: Mapping[str, Any], span: Interval = ALL_TIME) -> None:
        """Add a version of a price that holds over a span."""
        parsed = parse_price(document)
        self.revision += 1
        self.prices.setdefault(lineage, []).append(Version(span, self.revision, PriceVersion(parsed.id, lineage, parsed.document)))

    def contract(self, document: Mapping[str, Any]) -> Contract:
        """Add a contract."""
        parsed = parse_contract(document)
        self.revision += 1
        versions = tuple(replace(version, revision=self.revision) for version in parsed.versions)
        self.contracts[parsed.id] = replace(parsed, versions=versions)
        return self.contracts[parsed.id]

    def amend(self, document: Mapping[str, Any]) -> None:
        """Amend a contract."""
        known = self.contracts[amended_contract(document)]
        versions = amend(known, document)
        self.revision += 1
        made = (replace(version, revision=self.revision) for version in versions)
        self.contracts[known.id] = replace(known, versions=(*known.versions, *made))

    def grant(self, grant: Grant) -> None:
        """Grant a credit; its id is its name for all contracts."""
        self.grants[grant.id] = grant

    def adjust(self, contract: str, adjustment: Adjustment) -> None:
        """Put an adjustment on the contract's next bill."""
        self.adjustments.setdefault(contract, []).append(adjustment)

    def log(self, fact: Fact) -> None:
        """Put a fact at the next position of the log."""
        position = len(self.facts) + 1
        if isinstance(fact, Replace):
            self.facts.append(replace(fact, event=replace(fact.event, position=position)))
        else:
            self.facts.append(replace(fact, position=position))

    def bill(self, contract: str, until: Instant) -> list[Bill]:
        """Make every bill that is due and was not made, in order."""
        billed, begun = self.billed(contract), self.begun(contract)
        due = bills_due(self.contracts[contract], until)
        missing = [one for one in due if not (one.period in billed or (one.period is None and one.ahead in {*begun, *billed}))]
        return [made for one in missing for made in self._run(contract, one)]

    def part(self, contract: str, at: Instant) -> list[Bill]:
        """Bill the open period up to an instant inside it."""
        span = self.contracts[contract]
        period = span.billing.period(span.billing.index_at(at)).overlap(span.active)
        assert period is not None
        return self._run(contract, Due(Interval(period.start, at)), part=True)

    def correct(self, contract: str) -> list[Bill]:
        """Correct what was billed, apart from any period's bill."""
        return self._run(contract, Due(None))

    def void(self, number: str, waive: bool) -> None:
        """Void a bill: what it billed is due again, or is given up. Errors: document_followed."""
        place, found = next((n, one) for n, one in enumerate(self.bills) if one.number == number)
        later = [one for one in self.bills[place + 1 :] if one.contract == found.contract and not one.void]
        refuse_followed(number, found.document, [(one.number, one.document) for one in later])
        last = [one.number for one in self.bills if one.contract == found.contract][-1]
        self.bills[place] = replace(found, void=True, void_after=last, period=found.period if waive else None, ahead=found.ahead if waive else None)
        for grant, units in found.document.grants_used:
            self.grants[grant] = replace(self.grants[grant], remaining=self.grants[grant].remaining + units)
        if waive:
            self.waivers += [(found.contract, key, amount) for key, amount in given_up(found.document)]

    def waive(self, contract: str, key: ChargeKey, amount: int) -> None:
        """Give up an amount of a key."""
        self.waivers.append((contract, key_text(key), amount))

    def billed(self, contract: str) -> list[Interval]:
        """The periods that have a final bill (void ones too, if what they billed was given up)."""
        return [one.period for one in self.bills if one.contract == contract and one.period is not None and not one.part]

    def begun(self, contract: str) -> list[Interval]:
        """The periods whose items in advance were billed when they began."""
        return [one.ahead for one in self.bills if one.contract == contract and one.ahead is not None]

    def opened(self, contract: str, due: Due) -> tuple[Interval, ...]:
        """The period that follows the last billed one, of which items in advance are billed; not the one that is due."""
        told, billed = self.contracts[contract], self.billed(contract)
        for period in periods_due(told, FOREVER):
            if not any(one.start == period.start for one in billed):
                begun = bool(told.in_advance) and (bool(billed) or period in self.begun(contract))
                return (period,) if begun and period not in (due.period, due.ahead) else ()
        return ()

    def issued(self, contract: str) -> tuple[Issued, ...]:
        """What final documents have billed, by charge key."""
        by_key: dict[ChargeKey, list[tuple[str, Line]]] = {}
        for one in self._final(contract):
            for line in one.document.lines:
                if line.key.rated:
                    by_key.setdefault(line.key, []).append((one.number, line))
        return tuple(issued_from(lines) for lines in by_key.values())

    def waived(self, contract: str) -> dict[str, int]:
        """Minor units given up, by key."""
        return self._waived(contract, self.waivers)

    def from_scratch(self, contract: str) -> dict[ChargeKey, int]:
        """What every key of the billed periods should come to by all that is known now, as if nothing had ever been billed."""
        facts = replace(self._facts(contract, Due(None), False), issued=(), waived={}, adjustments=())
        return {want.key: want.amount for want in desired_amounts(facts, self.rate)}

    def rate(self, terms: Sequence[Terms]) -> list[Mapping[tuple[tuple[str, str], ...], tuple[Rated, ...]]]:
        """Rate terms from the log as it is now."""
        events = effective(self.facts, len(self.facts))
        return [rate_terms(one, events) for one in terms]

    def _waived(self, contract: str, waivers: Sequence[tuple[str, str, int]]) -> dict[str, int]:
        sums: dict[str, int] = {}
        for whose, key, amount in waivers:
            if whose == contract:
                sums[key] = sums.get(key, 0) + amount
        return sums

    def _final(self, contract: str) -> Iterator[Bill]:
        return (one for one in self.bills if one.contract == contract and not one.void)

    def _facts(self, contract: str, due: Due, part: bool) -> Facts:
        return Facts(
            contract=self.contracts[contract],
            shelf=Shelf(self.prices, self.meters, over_term),
            period=due.period,
            ahead=due.ahead,
            adjustments=tuple(self.adjustments.get(contract, ())),
            opened=self.opened(contract, due),
            earlier=tuple(sorted(self.billed(contract))),
            known=self.revision,
            position=len(self.facts),
            issued=self.issued(contract),
            waived=self.waived(contract),
            grants=tuple(self.grants.values()),
            news=self._news(contract),
            part=part,
            originals=originals((one.number, one.document) for one in self._final(contract)),
        )

    def _news(self, contract: str) -> News:
        made = [one for one in self.bills if one.contract == contract]
        position, revision, last = (made[-1].position, made[-1].revision, made[-1].number) if made else (len(self.facts), self.revision, None)
        known = {event.identifier: event for fact in self.facts for event in _brought(fact)}
        late = [fact for fact in self.facts if position_of(fact) > position]
        return News(
            facts=tuple(LateFact(position_of(fact), fact, _about(fact, known)) for fact in late),
            prices=tuple(version for versions in self.prices.values() for version in versions if version.revision > revision),
            agreements=tuple(version for version in self.contracts[contract].versions if version.revision > revision),
            voids=tuple((one.number, frozenset(key_text(line.key) for line in one.document.lines)) for one in made if one.void_after == last),
            waived=self._waived(contract, self.waivers[made[-1].waivers :] if made else []),
        )

    def _run(self, contract: str, due: Due, part: bool = False) -> list[Bill]:
        made = []
        for document in bill(self._facts(contract, due, part), self.rate):
            prefix = "INV" if document.kind == "invoice" else "CN"
            number = f"{prefix}-{1 + sum(one.document.kind == document.kind for one in self.bills)}"
            bills = due if document.kind == "invoice" else Due(None)
            places = (len(self.facts), self.revision)
            made.append(Bill(number, contract, document, *places, bills.period, part, bills.ahead, len(self.waivers)))
            for grant, units in document.grants_used:
                self.grants[grant] = replace(self.grants[grant], remaining=self.grants[grant].remaining - units)
            self.bills.append(made[-1])
            self.adjustments.pop(contract, None)
        return made


def _brought(fact: Fact) -> Iterator[Event]:
    if isinstance(fact, Replace):
        yield fact.event
    elif isinstance(fact, Event):
        yield fact


def _about(fact: Fact, known: Mapping[str, Event]) -> Event | None:
    return fact if isinstance(fact, Event) else known.get(fact.target) if isinstance(fact, Cancel | Replace) else None
