"""The event log in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import pyarrow as pa

from farthing.app.store import AsideCount, EventQuery, LoggedFact, Receipt, RecordedEvent
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Instant, Interval
from farthing.core.events.admission import Admission, Claim
from farthing.core.events.event import Cancel, Event, Fact, Replace
from farthing.core.events.log import effective
from farthing.core.events.parse import content_hash
from farthing.testing.memory_state import Held

Reason = Literal["customer_unknown", "meter_unknown", "contract_missing"]
_PLAIN = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{0,18})?")  # surely a number; as in carried_events.sql


class MemoryLog(Held):
    """The log."""

    def append(self, facts: Sequence[Fact], recorded_at: Instant | None = None) -> Receipt:
        """Put facts into the log, each identifier once. Refusals are in the receipt, by index."""
        state = self._state
        admission = Admission(state.identifiers, state.cancels, state.replacements)
        accepted = duplicates = 0
        conflicts: list[tuple[int, Refusal]] = []
        for index, fact in enumerate(facts):
            try:
                new = admission.admit(_claim(fact))
            except Refusal as refusal:
                conflicts.append((index, refusal))
                state.refused.append((fact, refusal))
                continue
            if new:
                state.facts.append(_placed(fact, len(state.facts) + 1))
                state.recorded.append(recorded_at)
            accepted, duplicates = accepted + new, duplicates + (not new)
        return Receipt(accepted, duplicates, tuple(conflicts), self.head())

    def head(self) -> int:
        """The position of the last fact."""
        return len(self._state.facts)

    def recorded(self, identifiers: Sequence[str]) -> Mapping[str, RecordedEvent]:
        """The events that the log took under these identifiers, as they came; replacements are none."""
        wanted, state = set(identifiers), self._state
        taken = zip(state.facts, state.recorded, strict=True)
        return {fact.identifier: RecordedEvent(fact, at) for fact, at in taken if isinstance(fact, Event) and fact.identifier in wanted}

    def events(self, query: EventQuery) -> Iterator[Event]:
        """The effective events of a query in position order."""
        named = [event for event in self._effective(query.up_to) if event.event_name == query.event_name]
        mine = [event for event in named if query.customers is None or event.customer in query.customers]
        found = [event for event in mine if event.at in query.span]
        if query.carry:
            found += _latest([event for event in mine if event.at < query.span.start], query.carry_by, query.carry_number)
        yield from sorted(found, key=lambda event: (event.customer if query.by_customer else "", event.position))

    def event_columns(self, query: EventQuery, properties: Sequence[str]) -> pa.RecordBatchReader:
        """The same events as columns, by place: customer, position, at (int64 UTC micros), then each property as text (null if absent)."""
        events = list(self.events(query))
        schema = pa.schema([("customer", pa.string()), ("position", pa.int64()), ("at", pa.int64()), *((name, pa.string()) for name in properties)])
        fixed = [[event.customer for event in events], [event.position for event in events], [event.at for event in events]]
        values = fixed + [[event.properties.get(name) for event in events] for name in properties]
        columns = [pa.array(column, one.type) for column, one in zip(values, schema, strict=True)]
        return pa.RecordBatchReader.from_batches(schema, [pa.RecordBatch.from_arrays(columns, schema=schema)] if events else [])

    def facts_between(self, after: int, up_to: int, customers: Sequence[str], before: Instant) -> Iterator[LoggedFact]:
        """The facts at positions (after, up_to] about these customers' events of times before an instant, in position order."""
        known = {event.identifier: event for fact in self._state.facts[:up_to] if (event := _event(fact)) is not None}
        for position, fact in enumerate(self._state.facts[after:up_to], after + 1):
            about = fact if isinstance(fact, Event) else known.get(fact.target)
            if isinstance(fact, Cancel) and about is not None and about.event_name != fact.event_name:
                about = None
            if any(event is not None and event.customer in customers and event.at < before for event in (about, _event(fact))):
                yield LoggedFact(position, fact, about)

    def aside(self) -> Sequence[AsideCount]:
        """What is kept aside as of now, counted by reason, event name and customer."""
        billed = self._billed()
        names = {meter.event_name for _, meter in self._state.meters.values()}
        found: dict[tuple[Reason, str, str], list[Instant]] = {}
        for event in self._effective(self.head()):
            if any(event.at in span for span in billed.get((event.customer, event.event_name), ())):
                continue
            reason: Reason = "contract_missing" if event.event_name in names else "meter_unknown"
            if event.customer not in self._state.customers:
                reason = "customer_unknown"
            found.setdefault((reason, event.event_name, event.customer), []).append(event.at)
        return [AsideCount(*key, len(times), min(times), max(times)) for key, times in sorted(found.items())]

    def checkpoint(self, source: str) -> str | None:
        """How far a source has been loaded; None if never."""
        return self._state.checkpoints.get(source)

    def put_checkpoint(self, source: str, mark: str) -> None:
        """Remember how far a source has been loaded."""
        self._state.checkpoints[source] = mark

    def altered(self) -> Iterator[str]:
        """Identifiers of events whose content is not what was accepted."""
        for fact in self._state.facts:
            event = _event(fact)
            if event is not None and self._state.identifiers[event.identifier][0] != content_hash(fact):
                yield event.identifier

    def _effective(self, up_to: int) -> list[Event]:
        return effective(self._state.facts, up_to)

    def _billed(self) -> dict[tuple[str, str], list[Interval]]:
        """(customer, event_name) → the spans of contracts of which a version has a meter for it."""
        spans: dict[tuple[str, str], list[Interval]] = {}
        for contract in self._state.contracts.values():
            for item in (item for version in contract.versions for item in version.value.items):
                known = self._state.meters.get(item.meter or "")
                if known is not None:
                    spans.setdefault((contract.customer, known[1].event_name), []).append(contract.active)
        return spans


def _claim(fact: Fact) -> Claim:
    match fact:
        case Cancel():
            return Claim(None, fact.target, fact.event_name, None)
        case Replace():
            return Claim(fact.event.identifier, fact.target, fact.event.event_name, content_hash(fact))
        case Event():
            return Claim(fact.identifier, None, fact.event_name, content_hash(fact))


def _placed(fact: Fact, position: int) -> Fact:
    if isinstance(fact, Replace):
        return replace(fact, event=replace(fact.event, position=position))
    return replace(fact, position=position)


def _event(fact: Fact) -> Event | None:
    """The event that a fact brings."""
    return fact if isinstance(fact, Event) else fact.event if isinstance(fact, Replace) else None


def _latest(events: Sequence[Event], carry_by: Sequence[str], carry_number: str | None) -> list[Event]:
    """For each customer and combination of properties the latest event, those with a plain number apart from each other text."""
    found: dict[tuple[str | None, ...], Event] = {}
    for event in sorted(events, key=lambda event: (event.at, event.position)):
        level = None if carry_number is None else event.properties.get(carry_number)
        kind = "plain" if level is not None and _PLAIN.fullmatch(level) else None if level is None else f"text {level}"
        found[(event.customer, *(event.properties.get(name) for name in carry_by), kind)] = event
    return list(found.values())
