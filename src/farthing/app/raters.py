"""The two ways to rate: the core, event by event, and the column kernel, many customers at once. Each proves what the other made.

Both take terms and the log position up to which events are known, and return for each of the terms the rated lines by group.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Protocol

import pyarrow as pa

from farthing.app.store import EventLog, EventQuery
from farthing.core.base.exact import show
from farthing.core.base.refusal import Refusal
from farthing.core.catalog.terms import Group, Terms
from farthing.core.flow import compiled_program, rate_licensed
from farthing.core.rating.interpret import rate_events
from farthing.core.rating.trace import Rated
from farthing.core.usage.meter import Aggregation, Meter
from farthing.core.usage.select import by_group
from farthing.kernel import Engine, Job, KernelResult, OutsideDomain
from farthing.kernel import rate as rate_columns

Groups = dict[Group, tuple[Rated, ...]]
_LICENSED = Meter(id="licensed", event_name="licensed", aggregation=Aggregation.SUM)


class Rater(Protocol):
    """Rates terms: usage from the log, licensed quantities as agreed.

    `engine` is the name that bills are marked with. `outside` says, after a call, what the engine could not rate itself and left
    to the core, each with the reason.
    """

    engine: str
    outside: list[str]

    def rate(self, terms: Sequence[Terms], up_to: int) -> list[Groups]:
        """The rated lines of each of the terms, by group. Without group-by there is always the one group ()."""
        ...


def query_for(job: Job, customers: tuple[str, ...], up_to: int) -> EventQuery:
    """The events that a job needs, with what came before its interval where the meter carries a level over: for each combination
    of the properties that decide about filter, group and cell, since each such combination has a level of its own."""
    carry = job.meter.aggregation is Aggregation.TIME_WEIGHTED
    tested = (test.property for condition in job.conditions() for test in condition.tests)
    apart = tuple(dict.fromkeys((*job.meter.group_by, *tested))) if carry else ()
    return EventQuery(job.meter.event_name, job.interval, up_to, customers, carry, apart)


@dataclass
class CoreRater:
    """Rates in exact fractions, one charge at a time."""

    log: EventLog
    engine: str = "core"
    outside: list[str] = field(default_factory=list)

    def rate(self, terms: Sequence[Terms], up_to: int) -> list[Groups]:
        """See Rater."""
        return [self.one(term, up_to) for term in terms]

    def one(self, term: Terms, up_to: int) -> Groups:
        """The rated lines of one of the terms, by group. Errors: the refusal of rating, its field below the item's name."""
        try:
            return self._rated(term, up_to)
        except Refusal as refusal:
            raise refusal.within(f"items.{term.item}") from None

    def _rated(self, term: Terms, up_to: int) -> Groups:
        if term.meter is None:
            return {(): (rate_licensed(term),)}
        job = Job(compiled_program(term), term.meter, term.metered)
        groups = by_group(job.meter, self.log.events(query_for(job, (term.customer,), up_to)))
        if not job.meter.group_by:
            groups.setdefault((), [])
        return {group: rate_events(job.program, job.meter, found, job.interval) for group, found in groups.items()}


@dataclass
class KernelRater:
    """Rates in columns: all terms that share price, meter and span at once."""

    log: EventLog
    engine: str = "kernel"
    outside: list[str] = field(default_factory=list)

    def rate(self, terms: Sequence[Terms], up_to: int) -> list[Groups]:
        """See Rater. Errors: the refusal of the first charge that its price refuses, the same as the core's."""
        self.outside.clear()
        jobs: dict[Job, list[int]] = {}
        for place, term in enumerate(terms):
            if term.meter is not None:
                jobs.setdefault(Job(compiled_program(term), term.meter, term.metered), []).append(place)
        found: list[Groups] = [{} for _ in terms]
        with Engine() as duck:
            for place, term in enumerate(terms):
                if term.meter is None:
                    found[place] = self._licensed(duck, term, up_to)
            for job, places in jobs.items():
                for place, groups in self._metered(duck, job, [(place, terms[place]) for place in places], up_to):
                    found[place] = groups
        return found

    def _metered(self, duck: Engine, job: Job, placed: Sequence[tuple[int, Terms]], up_to: int) -> Iterator[tuple[int, Groups]]:
        customers = tuple(dict.fromkeys(term.customer for _, term in placed))
        names = tuple(dict.fromkeys((*job.numbers(), *job.texts(), *job.presences())))
        events = self.log.event_columns(query_for(job, customers, up_to), names).read_all()
        columns = ["charge", "position", "at", *(f"p{n}" for n in range(len(names)))]
        properties = {name: f"p{n}" for n, name in enumerate(names)}
        every = () if job.meter.group_by else customers
        try:
            result = rate_columns(events.rename_columns(columns), job, engine=duck, properties=properties, charges=every)
        except OutsideDomain as outside:
            for place, term in placed:
                yield place, self._by_core(term, up_to, outside.reason)
            return
        for key, refusal in result.refused.items():
            item = next(term.item for _, term in placed if term.customer == _customer(key))
            raise refusal.within(f"items.{item}")
        by_customer = _by_customer(result, job.meter)
        left = {_customer(key): reason for key, reason in result.outside.items()}
        for place, term in placed:
            reason = left.get(term.customer)
            yield place, by_customer.get(term.customer, {}) if reason is None else self._by_core(term, up_to, reason)
        result.close()

    def _licensed(self, duck: Engine, term: Terms, up_to: int) -> Groups:
        """A licensed quantity as the one event of a sum, then counted as no event."""
        quantity = term.quantity or Fraction(0)
        columns = {"charge": ["licensed"], "position": [1], "at": [term.metered.start], "value": [show(quantity)]}
        job = Job(compiled_program(term), _LICENSED, term.metered)
        try:
            result = rate_columns(pa.table(columns), job, engine=duck)
        except OutsideDomain as outside:
            return self._by_core(term, up_to, outside.reason)
        if result.outside:
            return self._by_core(term, up_to, next(iter(result.outside.values())))
        for refusal in result.refused.values():
            raise refusal.within(f"items.{term.item}")
        groups = _by_customer(result, _LICENSED)["licensed"]
        result.close()
        return {group: tuple(_uncounted(rated) for rated in lines) for group, lines in groups.items()}

    def _by_core(self, term: Terms, up_to: int, reason: str) -> Groups:
        self.outside.append(f"{term.item} of {term.customer}: {reason}")
        return CoreRater(self.log).one(term, up_to)


def _by_customer(result: KernelResult, meter: Meter) -> dict[str, Groups]:
    found: dict[str, Groups] = {}
    for key, lines in result.rated().items():
        values = key[1:] if isinstance(key, tuple) else ()
        group = tuple(zip(meter.group_by, (value or "" for value in values), strict=True))
        found.setdefault(_customer(key), {})[group] = lines
    return found


def _customer(key: Hashable) -> str:
    return str(key[0]) if isinstance(key, tuple) else str(key)


def _uncounted(rated: Rated) -> Rated:
    cells = tuple(replace(cell, usage=replace(cell.usage, events=0, first=0, last=0)) for cell in rated.cells)
    return replace(rated, cells=cells)
