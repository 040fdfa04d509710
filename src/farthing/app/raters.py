"""The two ways to rate: the core, event by event, and the column kernel, many charges at once. Each proves what the other made.

Both are asked for many terms at a time, of any contracts and periods, each with the log position up to which events are known, and
answer for each with its rated lines by group. What one reads and computes for all of them is read and computed once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import groupby
from operator import attrgetter
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from farthing.app.store import EventLog, EventQuery
from farthing.core.base.exact import show
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Interval
from farthing.core.base.timeline import BEGINNING
from farthing.core.catalog.terms import Group, Terms
from farthing.core.events.event import Event
from farthing.core.flow import compiled_program, rate_licensed
from farthing.core.rating.interpret import rate_events
from farthing.core.rating.program import Program
from farthing.core.rating.trace import Rated
from farthing.core.usage.meter import Aggregation, Meter
from farthing.core.usage.select import by_group
from farthing.kernel import Engine, Job, OutsideDomain, domain
from farthing.kernel import rate as rate_columns

Groups = Mapping[Group, tuple[Rated, ...]]
_LICENSED = Meter(id="licensed", event_name="licensed", aggregation=Aggregation.SUM)
ROWS_AT_ONCE = 2_000_000
"""So many events the kernel is given for one job at least, before it is run on them; more only where one read brings more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Terms to rate, by the events known at a log position."""

    terms: Terms
    up_to: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What rating came to: the lines by group (without group-by always the one group ()), or the refusal of the price. `outside` says why
    the core had to do it for the engine that was asked."""

    groups: Groups = field(default_factory=dict)
    refusal: Refusal | None = None
    outside: str | None = None


class Rater(Protocol):
    """Rates terms: usage from the log, licensed quantities as agreed. `engine` is the name that bills are marked with."""

    engine: str

    def rate(self, asked: Sequence[Asked]) -> list[Outcome]:
        """The outcome for each of the terms, in their order. Errors: those of a log that cannot be read."""
        ...


@dataclass
class Answers:
    """The rates of one bill, as the flow asks for them: those that were rated ahead, with many others at once, and the rater's own for
    terms that nobody foresaw. `outside` collects what the engine left to the core, each with the reason."""

    rater: Rater
    up_to: int
    foreseen: Sequence[Terms] = ()
    outcomes: Sequence[Outcome] = ()
    outside: list[str] = field(default_factory=list)

    def rate(self, terms: Sequence[Terms]) -> list[Groups]:
        """The lines by group for each of the terms. Errors: the first one's refusal, its field below the item's name."""
        ready = tuple(terms) == tuple(self.foreseen) and len(terms) == len(self.outcomes)
        outcomes = self.outcomes if ready else self.rater.rate([Asked(term, self.up_to) for term in terms])
        for term, outcome in zip(terms, outcomes, strict=True):
            if outcome.refusal is not None:
                raise outcome.refusal.within(f"items.{term.item}")
            if outcome.outside is not None:
                self.outside.append(f"{term.item} of {term.customer}: {outcome.outside}")
        return [outcome.groups for outcome in outcomes]


def query_for(job: Job, customers: tuple[str, ...], up_to: int) -> EventQuery:
    """The events that a job needs, with what came before its interval where the meter carries a level over: for each combination
    of the properties that decide about filter, group and cell the latest that can be read, since each such combination has a level of
    its own. Where the hour decides about the cell as well, all that came before."""
    carry = job.carries
    if carry and any(cell.during for cell in job.program.cells):
        return EventQuery(job.meter.event_name, Interval(BEGINNING, job.interval.end), up_to, customers)
    tested = (test.property for condition in job.conditions() for test in condition.tests)
    apart = tuple(dict.fromkeys((*job.meter.group_by, *tested))) if carry else ()
    return EventQuery(job.meter.event_name, job.interval, up_to, customers, carry, apart, job.meter.value_key if carry else None)


@dataclass(frozen=True, slots=True)
class _Read:
    """A job and the log position that it is rated at: what one reading of the log serves, for any number of customers."""

    job: Job
    up_to: int


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Places in what was asked: metered terms by what is read for them and customer, licensed ones by program; and those whose price
    does not compile, with its refusal."""

    metered: dict[_Read, dict[str, list[int]]] = field(default_factory=dict)
    licensed: dict[Program, list[int]] = field(default_factory=dict)
    refused: dict[int, Outcome] = field(default_factory=dict)


def _sorted(asked: Sequence[Asked]) -> _Sorted:
    """Each price is compiled once for the same share of its bounds."""
    found = _Sorted()
    programs: dict[tuple[object, ...], Program | Refusal] = {}
    for place, one in enumerate(asked):
        term = one.terms
        alike = (id(term.price.document), term.share, term.open, term.meter is None)  # documents outlive this call: `asked` holds them
        if alike not in programs:
            programs[alike] = _compiled(term)
        program = programs[alike]
        if isinstance(program, Refusal):
            found.refused[place] = Outcome(refusal=program)
        elif term.meter is None:
            found.licensed.setdefault(program, []).append(place)
        else:
            read = _Read(Job(program, term.meter, term.metered), one.up_to)
            found.metered.setdefault(read, {}).setdefault(term.customer, []).append(place)
    return found


def _compiled(term: Terms) -> Program | Refusal:
    try:
        return compiled_program(term)
    except Refusal as refusal:
        return refusal


@dataclass
class CoreRater:
    """Rates in exact fractions, one charge at a time; only the events of one are in memory."""

    log: EventLog
    engine: str = "core"

    def rate(self, asked: Sequence[Asked]) -> list[Outcome]:
        """See Rater."""
        work = _sorted(asked)
        found = work.refused | {place: _licensed(asked[place].terms) for places in work.licensed.values() for place in places}
        for read, customers in work.metered.items():
            for customer, outcome in self._rated(read, tuple(customers)):
                found |= dict.fromkeys(customers[customer], outcome)
        return [found[place] for place in range(len(asked))]

    def _rated(self, read: _Read, customers: tuple[str, ...]) -> Iterator[tuple[str, Outcome]]:
        waiting = set(customers)
        query = replace(query_for(read.job, customers, read.up_to), by_customer=True)
        for customer, events in groupby(self.log.events(query), key=attrgetter("customer")):
            waiting.remove(customer)
            yield customer, _by_events(read.job, by_group(read.job.meter, events))
        yield from ((customer, _by_events(read.job, {})) for customer in customers if customer in waiting)


def _licensed(term: Terms) -> Outcome:
    try:
        return Outcome({(): (rate_licensed(term),)})
    except Refusal as refusal:
        return Outcome(refusal=refusal)


def _by_events(job: Job, groups: dict[Group, list[Event]]) -> Outcome:
    if not job.meter.group_by:
        groups.setdefault((), [])
    try:
        return Outcome({group: rate_events(job.program, job.meter, events, job.interval) for group, events in groups.items()})
    except Refusal as refusal:
        return Outcome(refusal=refusal)


@dataclass(frozen=True, slots=True)
class _Charge:
    """What the kernel rates as one charge of a job: the places in `asked` that it answers."""

    customer: str
    places: Sequence[int]


@dataclass
class KernelRater:
    """Rates in columns: all terms that share price and meter at once, whoever's they are. Where only the choice of events depends on the
    span, terms of any spans; they differ by charge then."""

    log: EventLog
    engine: str = "kernel"

    def rate(self, asked: Sequence[Asked]) -> list[Outcome]:
        """See Rater. What the kernel leaves to the core is asked of it, and marked so."""
        work = _sorted(asked)
        found: dict[int, Outcome] = {}
        with Engine() as duck:
            for program, places in work.licensed.items():
                job = Job(program, _LICENSED, _hull(asked[place].terms.metered for place in places))
                found |= _answers(duck, job, _quantities(job, asked, places), [_Charge("", [place]) for place in places], {})
            found = {place: _uncounted(outcome) for place, outcome in found.items()}
            for reads in _alike(work.metered).values():
                for job, events, charges in self._read(reads, work.metered):
                    found |= _answers(duck, job, events, charges, {name: f"p{n}" for n, name in enumerate(_properties(job))})
        found |= work.refused
        left = [place for place in range(len(asked)) if found[place].outside is not None]
        for place, outcome in zip(left, CoreRater(self.log).rate([asked[place] for place in left]), strict=True):
            found[place] = replace(outcome, outside=found[place].outside)
        return [found[place] for place in range(len(asked))]

    def _read(self, reads: Sequence[_Read], metered: Mapping[_Read, Mapping[str, list[int]]]) -> Iterator[tuple[Job, pa.Table, list[_Charge]]]:
        """The events of several reads as charges of one job, numbered; as several jobs where they are many."""
        job = replace(reads[0].job, interval=_hull(read.job.interval for read in reads))
        tables: list[pa.Table] = []
        charges: list[_Charge] = []
        for read in reads:
            customers = metered[read]
            tables.append(self._events(read, tuple(customers), len(charges)))
            charges += [_Charge(customer, places) for customer, places in customers.items()]
            if sum(table.num_rows for table in tables) >= ROWS_AT_ONCE:
                yield job, pa.concat_tables(tables), charges
                tables, charges = [], []
        if tables:
            yield job, pa.concat_tables(tables), charges

    def _events(self, read: _Read, customers: tuple[str, ...], first: int) -> pa.Table:
        """One reading of the log, as columns charge (the customer's number, from `first`), position, at, and p0, p1, … of the job."""
        names = _properties(read.job)
        events = self.log.event_columns(query_for(read.job, customers, read.up_to), names).read_all()
        numbers = pc.add(pc.cast(pc.index_in(events.column(0), value_set=pa.array(customers, pa.string())), pa.int64()), first)
        columns = [numbers, *events.columns[1:]]
        return pa.table(columns, names=["charge", "position", "at", *(f"p{n}" for n in range(len(names)))])


def _alike(metered: Mapping[_Read, object]) -> dict[Hashable, list[_Read]]:
    """The reads whose events one job can rate."""
    found: dict[Hashable, list[_Read]] = {}
    for read in metered:
        job = read.job
        found.setdefault((job.program, job.meter, None if job.only_chooses else job.interval), []).append(read)
    return found


def _hull(spans: Iterable[Interval]) -> Interval:
    every = list(spans)
    return Interval(min(span.start for span in every), max(span.end for span in every))


def _properties(job: Job) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*job.numbers(), *job.texts(), *job.presences())))


def _quantities(job: Job, asked: Sequence[Asked], places: Sequence[int]) -> pa.Table:
    """Licensed quantities, each as the one event of a sum."""
    columns = {
        "charge": pa.array(range(len(places)), pa.int64()),
        "position": pa.array([1] * len(places), pa.int64()),
        "at": pa.array([job.interval.start] * len(places), pa.int64()),
        job.meter.value_key: pa.array([show(asked[place].terms.quantity or Fraction(0)) for place in places], pa.string()),
    }
    return pa.table(columns)


def _answers(duck: Engine, job: Job, events: pa.Table, charges: Sequence[_Charge], properties: Mapping[str, str]) -> dict[int, Outcome]:
    """The outcome for each place. What one charge's numbers make impossible for all is found by halving them: only that one is left."""
    try:
        by_charge = _rated(duck, job, events, properties, len(charges))
    except OutsideDomain as outside:
        if len(charges) == 1 or domain(job, events.schema, properties=properties) is not None:
            left = Outcome(outside=outside.reason)
            return {place: left for charge in charges for place in charge.places}
        half = len(charges) // 2
        first, second = (events.filter(rows) for rows in (pc.less(events["charge"], half), pc.greater_equal(events["charge"], half)))
        second = second.set_column(0, "charge", pc.subtract(second["charge"], half))
        return _answers(duck, job, first, charges[:half], properties) | _answers(duck, job, second, charges[half:], properties)
    return {place: by_charge.get(number, Outcome()) for number, charge in enumerate(charges) for place in charge.places}


def _rated(duck: Engine, job: Job, events: pa.Table, properties: Mapping[str, str], charges: int) -> dict[int, Outcome]:
    """The outcome by charge, of those that have any. Of several refused groups the first decides, as in core."""
    result = rate_columns(events, job, engine=duck, properties=properties, charges=() if job.meter.group_by else range(charges))
    groups: dict[int, dict[Group, tuple[Rated, ...]]] = {}
    refused: dict[int, tuple[Group, Refusal]] = {}
    for key, decoded in result.decoded():
        number, group = _split(key, job.meter)
        if isinstance(decoded, Refusal):
            refused[number] = min(refused.get(number, (group, decoded)), (group, decoded), key=lambda found: found[0])
        else:
            groups.setdefault(number, {})[group] = decoded
    outside = {_split(key, job.meter)[0]: Outcome(outside=reason) for key, reason in result.outside.items()}
    result.close()
    return (
        {number: Outcome(found) for number, found in groups.items()}
        | {number: Outcome(refusal=refusal) for number, (_, refusal) in refused.items()}
        | outside
    )


def _split(key: Hashable, meter: Meter) -> tuple[int, Group]:
    """A key of the kernel as the charge's number and its group."""
    number, *values = key if isinstance(key, tuple) else (key,)
    return int(number), tuple(zip(meter.group_by, (value or "" for value in values), strict=True))


def _uncounted(outcome: Outcome) -> Outcome:
    """A licensed quantity is no event."""
    groups = {group: tuple(_without_events(rated) for rated in lines) for group, lines in outcome.groups.items()}
    return replace(outcome, groups=groups)


def _without_events(rated: Rated) -> Rated:
    cells = tuple(replace(cell, usage=replace(cell.usage, events=0, first=0, last=0)) for cell in rated.cells)
    return replace(rated, cells=cells)
