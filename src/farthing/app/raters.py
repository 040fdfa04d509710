"""The two ways to rate the usage in the log: the core, event by event, and the column kernel. Each proves what the other made.

Both take terms and the log position up to which events are known, and return for each of the terms the rated lines by group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from farthing.app.store import EventLog, EventQuery
from farthing.core.base.time import Interval
from farthing.core.catalog.terms import Group, Terms
from farthing.core.flow import compiled_program
from farthing.core.rating.interpret import rate_events
from farthing.core.rating.trace import Rated
from farthing.core.usage.meter import Aggregation, Meter
from farthing.core.usage.select import by_group

Engine = Literal["core", "kernel"]
Groups = dict[Group, tuple[Rated, ...]]


class Rater(Protocol):
    """Rates metered terms from the log."""

    engine: Engine

    def rate(self, terms: Sequence[Terms], up_to: int) -> list[Groups]:
        """The rated lines of each of the terms, by group. Without group-by there is always the one group ()."""
        ...


def query_for(meter: Meter, metered: Interval, customers: tuple[str, ...], up_to: int) -> EventQuery:
    """The events that a meter needs over a span, with what came before it where the meter carries a level over."""
    carry = meter.aggregation is Aggregation.TIME_WEIGHTED
    return EventQuery(meter.event_name, metered, up_to, customers, carry, meter.group_by if carry else ())


@dataclass
class CoreRater:
    """Rates in exact fractions, one charge at a time."""

    log: EventLog
    engine: Engine = "core"

    def rate(self, terms: Sequence[Terms], up_to: int) -> list[Groups]:
        """See Rater."""
        return [self._one(term, up_to) for term in terms]

    def _one(self, term: Terms, up_to: int) -> Groups:
        assert term.meter is not None
        events = self.log.events(query_for(term.meter, term.metered, (term.customer,), up_to))
        groups = by_group(term.meter, list(events))
        if not term.meter.group_by:
            groups.setdefault((), [])
        program = compiled_program(term)
        return {group: rate_events(program, term.meter, found, term.metered) for group, found in groups.items()}
