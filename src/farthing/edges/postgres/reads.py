"""The event log: reading. What counts at a position is decided by sql/effective_events.sql."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa
from psycopg import sql

from farthing.app.store import AsideCount, EventQuery, LoggedFact, RecordedEvent
from farthing.core.base.time import Instant
from farthing.core.base.timeline import BEGINNING, FOREVER
from farthing.core.events.event import Cancel, Event, Fact, Replace
from farthing.edges.postgres.rows import hash_of, line_of
from farthing.edges.postgres.session import Parameters, Session
from farthing.edges.postgres.statements import statement
from farthing.edges.postgres.streams import Streams

_EVENTS = pa.schema([("customer", pa.string()), ("position", pa.int64()), ("at", pa.int64()), ("identifier", pa.string()), ("payload", pa.string())])
_ACCEPTED = pa.schema(
    [*((name, pa.string()) for name in ("identifier", "hash", "target", "event_name", "customer")), ("at", pa.int64()), ("payload", pa.string())]
)
_decode = msgspec.json.Decoder().decode


class LogReader:
    """Reads the log, at any position."""

    def __init__(self, session: Session, streams: Streams) -> None:
        self._session = session
        self._streams = streams

    def head(self) -> int:
        """The log position up to which the log is complete: no writer can still put a fact at or below it."""
        return int(self._session.value("log_head"))

    def events(self, query: EventQuery) -> Iterator[Event]:
        """The effective events of a query in its order, streamed."""
        order = b'customer COLLATE "C", position' if query.by_customer else b"position"
        text = statement("read_events").replace(b"[[order]]", order).replace(b"[[effective]]", _effective(query))
        for batch in self._streams.batches(text, _parameters(query), _EVENTS):
            for customer, position, at, identifier, payload in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                yield Event(identifier, query.event_name, customer, at, _decode(payload), position)

    def event_columns(self, query: EventQuery, properties: Sequence[str]) -> pa.RecordBatchReader:
        """The same events as columns, by place: customer, position, at (int64 UTC micros), then each property as text (null if absent)."""
        schema = pa.schema([*list(_EVENTS)[:3], *((name, pa.string()) for name in properties)])
        columns = sql.SQL("").join(sql.SQL(", payload ->> {}").format(sql.Literal(name)) for name in properties)
        shown = columns.as_bytes().replace(b"%", b"%%")
        text = statement("read_event_columns").replace(b"[[properties]]", shown).replace(b"[[effective]]", _effective(query))
        return pa.RecordBatchReader.from_batches(schema, self._streams.batches(text, _parameters(query), schema))

    def recorded(self, identifiers: Sequence[str]) -> Mapping[str, RecordedEvent]:
        """The events that the log took under these identifiers, as they came; replacements are none."""
        rows = self._session.rows("recorded_events", {"identifiers": list(identifiers)})
        return {
            name: RecordedEvent(Event(name, event_name, whose, at, payload, place), when)
            for name, event_name, whose, at, payload, place, when in rows
        }

    def facts_between(self, after: int, up_to: int, customers: Sequence[str], before: Instant) -> Iterator[LoggedFact]:
        """The facts at positions (after, up_to] about these customers' events of times before an instant, in position order."""
        for row in self._session.rows("facts_between", {"after": after, "up_to": up_to, "customers": list(customers), "before": before}):
            position, identifier, target, event_name, whose, at, payload, *about = row
            target_event = None if about[0] is None else Event(about[1], about[2], about[3], about[4], _decode(about[5]), about[0])
            if identifier is None:
                yield LoggedFact(position, Cancel(target, event_name, position), target_event)
                continue
            event = Event(identifier, event_name, whose, at, _decode(payload), position)
            yield LoggedFact(position, event, event) if target is None else LoggedFact(position, Replace(target, event), target_event)

    def aside(self) -> Sequence[AsideCount]:
        """What is kept aside as of now, counted by reason, event name and customer."""
        text = statement("aside").replace(b"[[effective]]", statement("effective_events"))
        everything = {"from": BEGINNING, "until": FOREVER, "event_name": None, "customers": None, "up_to": self.head()}
        rows = self._session.run(lambda connection: connection.execute(text, everything, prepare=False).fetchall())
        return [AsideCount(*row) for row in rows]

    def checkpoint(self, source: str) -> str | None:
        """How far a source has been loaded; None if never."""
        mark: str | None = self._session.value("checkpoint", {"source": source})
        return mark

    def put_checkpoint(self, source: str, mark: str) -> None:
        """Remember how far a source has been loaded; durable together with the facts of the same transaction."""
        self._session.run(lambda connection: connection.execute(statement("put_checkpoint"), {"source": source, "mark": mark}))

    def altered(self) -> Iterator[str]:
        """Identifiers of events that are no longer what was accepted: other content than the registry's hash says, gone, or added past it;
        and targets of cancellations and replacements of which the same is true."""
        for batch in self._streams.batches(statement("read_accepted"), {}, _ACCEPTED):
            for identifier, registered, *columns in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                if registered is None or columns[1] is None or hash_of(line_of(_fact(identifier, *columns))) != registered.replace("-", ""):
                    yield identifier
        for (target,) in self._session.rows("altered_adjustments"):
            yield target


def _fact(identifier: str, target: str | None, event_name: str, customer: str, at: int, payload: str) -> Fact:
    event = Event(identifier, event_name, customer, at, _decode(payload))
    return event if target is None else Replace(target, event)


def _effective(query: EventQuery) -> bytes:
    effective = statement("effective_events")
    if not query.carry:
        return effective
    before = effective.replace(b"%(until)s", b"%(from)s").replace(b">= %(from)s", b">= %(beginning)s")
    carried = statement("carried_events").replace(b"[[before]]", before)
    return b"(" + effective + b") UNION ALL (" + carried + b")"


def _parameters(query: EventQuery) -> Parameters:
    customers: list[Any] | None = None if query.customers is None else list(query.customers)
    return {
        "event_name": query.event_name,
        "from": query.span.start,
        "until": query.span.end,
        "up_to": query.up_to,
        "customers": customers,
        "beginning": BEGINNING,
        "carry_by": list(query.carry_by),
        "carry_number": query.carry_number,
    }
