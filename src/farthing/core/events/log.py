"""What the log says: which events count, as known at a position, and what became of each.

The rules need no order of arrival: whichever fact comes first, the same events count in the end.

- An identifier is taken by the first fact that brings an event under it. A later fact that brings an event under a taken
  identifier changes nothing, whatever else it says (with other content the log refuses it: identifier_conflict).
- A cancellation takes out the event that it identifies if that has the event_name it states. Unknown targets wait: an event that
  arrives after its cancellation never counts. Cancelling twice is cancelling once.
- A replacement takes out its target, now or when it arrives, and brings its own event, which counts from then on. That event is
  one like any other: it can be cancelled (which does not bring the first one back) or replaced in turn.
- A target has one replacement, the first. A second one brings nothing (the log refuses it: event_replaced_already).
- Nor does one that would close a circle of replacements, in which each takes another out and nothing would count (the log refuses it:
  replacement_circular).
- A target that was cancelled can still be replaced: the replacement counts. Cancelling what was replaced changes nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from farthing.core.events.admission import closes_circle
from farthing.core.events.event import Cancel, Event, Fact, Replace


@dataclass(frozen=True, slots=True)
class Metered:
    """The event was measured, by these meters."""

    meters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetAside:
    """The event is not billed as things stand: customer_unknown, contract_missing, meter_unknown, value_unreadable."""

    reason: str


@dataclass(frozen=True, slots=True)
class Superseded:
    """The event counts no longer: a fact at position `by` cancelled or replaced it."""

    how: Literal["cancelled", "replaced"]
    by: int


Fate = Metered | SetAside | Superseded


@dataclass(slots=True)
class _Known:
    """The log as read so far."""

    events: dict[str, Event] = field(default_factory=dict)
    cancels: dict[tuple[str, str], int] = field(default_factory=dict)  # (target, event_name) → position of the first
    replacements: dict[str, str] = field(default_factory=dict)  # target → identifier of its replacement

    def add(self, fact: Fact) -> None:
        match fact:
            case Cancel():
                self.cancels.setdefault((fact.target, fact.event_name), fact.position)
            case Replace():
                if fact.event.identifier not in self.events and self._takes(fact):
                    self.events[fact.event.identifier] = fact.event
                    self.replacements[fact.target] = fact.event.identifier
            case Event():
                self.events.setdefault(fact.identifier, fact)

    def _takes(self, fact: Replace) -> bool:
        return fact.target not in self.replacements and not closes_circle(self.replacements, fact.target, fact.event.identifier)

    def superseded(self, event: Event) -> Superseded | None:
        replaced = self.replacements.get(event.identifier)
        if replaced is not None:
            return Superseded("replaced", self.events[replaced].position)
        cancelled = self.cancels.get((event.identifier, event.event_name))
        return None if cancelled is None else Superseded("cancelled", cancelled)


def position_of(fact: Fact) -> int:
    """The fact's place in the log."""
    return fact.event.position if isinstance(fact, Replace) else fact.position


def effective(facts: Iterable[Fact], up_to: int) -> list[Event]:
    """The events that count, knowing the facts at positions up to and including `up_to`; facts come in position order, and so
    do the events."""
    known = _read(facts, up_to)
    return [event for event in known.events.values() if known.superseded(event) is None]


def fates(facts: Iterable[Fact], up_to: int, judge: Callable[[Event], Metered | SetAside]) -> dict[str, Fate]:
    """What became of each event known at `up_to`, by identifier, exactly one fate each. `judge` decides for those that count
    (`farthing.core.usage.select.judge` does so by meters)."""
    known = _read(facts, up_to)
    return {identifier: known.superseded(event) or judge(event) for identifier, event in known.events.items()}


def _read(facts: Iterable[Fact], up_to: int) -> _Known:
    known = _Known()
    for fact in facts:
        if position_of(fact) <= up_to:
            known.add(fact)
    return known
