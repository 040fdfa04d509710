"""Recording usage: what is sent for a meter becomes facts of the log, each identifier once, however often and by whatever way it comes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from farthing.app.clocks.desks import time_of
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Document
from farthing.app.store import RecordedEvent
from farthing.app.usage.meters import meter_of_name
from farthing.app.usage.refusals import (
    ARCHIVED_METER,
    EVENT_CUSTOMER_MISSING,
    EVENT_VALUE_MISSING,
    NO_METER,
    TIMESTAMP_IN_FUTURE,
    TIMESTAMP_TOO_OLD,
)
from farthing.core.base.exact import not_negative, parse_number
from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELDS_CONFLICT, NUMBER_NEGATIVE
from farthing.core.base.time import MICROS, Instant
from farthing.core.events.event import Event
from farthing.core.events.fields import read_text
from farthing.core.events.parse import CUSTOMER_KEY, CUSTOMER_LONGEST
from farthing.core.events.properties import VALUE, normalise
from farthing.core.events.refusals import identifier_conflict
from farthing.core.usage.meter import Aggregation

MOST_PAST: Instant = 35 * 24 * 3600 * MICROS
MOST_AHEAD: Instant = 5 * 60 * MICROS


@dataclass(frozen=True, slots=True)
class Sent:
    """An event as it was sent. `at` is when it was used, `timed` whether the sender said so; `named` is whether the sender would send it
    again under this identifier. `place` is where it stands in its request (`events[2]`), empty where it is the request."""

    event_name: str
    payload: Mapping[str, str]
    identifier: str
    at: Instant
    timed: bool
    named: bool
    place: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event that is in the log, with the field of the payload that named its customer, when it came there, and whether it was there
    before this request."""

    event: Event
    customer_key: str
    recorded_at: Instant
    repeated: bool = False

    @property
    def payload(self) -> dict[str, str]:
        """The payload as it is kept."""
        return {self.customer_key: self.event.customer, **self.event.properties}


@dataclass(frozen=True, slots=True)
class _Read:
    """An event that can be read; `but` is why it could not be taken if it was not in the log already."""

    sent: Sent
    event: Event
    customer_key: str
    but: Refusal | None


Outcome = tuple[Recorded, ...] | Refusal


def identifier_of(key: str, place: str = "") -> str:
    """The identifier of an event that was sent with an idempotency key and none of its own: a repetition has the same one, which the log's
    registry counts once."""
    return "idem_" + hashlib.sha256(f"{key} {place}".encode()).hexdigest()[:32]


def record(desk: Desk, requests: Sequence[Sequence[Sent]]) -> list[Outcome]:
    """Put the events of many requests into the log, in one transaction, and tell each what became of it: its events in order, or why it was
    refused; a refused one leaves nothing.

    An event that is in the log with the same content is answered as it was then (without a time of its own, whatever the time is now), also
    when its meter is inactive by now or its time too old. Refusals: no_meter, archived_meter, timestamp_…, meter_event_…, number_…, text_…,
    identifier_conflict."""
    with desk.store.transaction():
        return _Recording(desk).outcomes(requests)


@dataclass(slots=True)
class _Recording:
    """The work of one transaction: facts to append in order, whose each is, and what the log or this transaction has already."""

    desk: Desk
    known: dict[str, RecordedEvent] = field(default_factory=dict)
    facts: list[_Read] = field(default_factory=list)
    first: dict[str, _Read] = field(default_factory=dict)  # identifier → what brings it into the log
    _readers: dict[str, _Reader | None] = field(default_factory=dict)

    def outcomes(self, requests: Sequence[Sequence[Sent]]) -> list[Outcome]:
        store = self.desk.store
        self.known = dict(store.recorded([sent.identifier for request in requests for sent in request if sent.named]))
        found = [self._planned(request) for request in requests]
        receipt = store.append([one.event for one in self.facts], self.desk.at)
        if receipt.accepted < len(self.facts):  # known with other content, or another writer was faster
            self._look_again(receipt.conflicts)
        return [outcome if isinstance(outcome, Refusal) else self._outcome(outcome) for outcome in found]

    def _planned(self, request: Sequence[Sent]) -> list[_Read] | Refusal:
        """Plan a request: what of it is new goes among the facts, all or nothing."""
        try:
            reads = [self._read(sent) for sent in request]
        except Refusal as refusal:
            return refusal
        new: dict[str, _Read] = {}
        for one in reads:
            name = one.event.identifier
            known = self.known.get(name)
            if known is not None and not _same(one, known.event):
                self.facts.append(one)  # the log refuses it, and keeps that it did
                return _conflict(one)
            if known is None and one.but is not None:
                return one.but
            if known is None and not _same(one, new.setdefault(name, one).event):
                return _conflict(one)
        self.facts += new.values()
        self.first |= new
        self.known.update({name: RecordedEvent(one.event, self.desk.at) for name, one in new.items()})
        return reads

    def _look_again(self, conflicts: Iterable[tuple[int, Refusal]]) -> None:
        fresh = self.desk.store.recorded([one.event.identifier for one in self.facts])
        self.known.update(fresh)
        for index, _ in conflicts:
            event = self.facts[index].event
            if event.identifier not in fresh:  # a replacement has the identifier
                self.known[event.identifier] = RecordedEvent(event, None)

    def _outcome(self, reads: Sequence[_Read]) -> Outcome:
        made: list[Recorded] = []
        for one in reads:
            known = self.known[one.event.identifier]
            if known.recorded_at is None or not _same(one, known.event):
                return _conflict(one)
            repeated = self.first.get(one.event.identifier) is not one or known.recorded_at != self.desk.at
            made.append(Recorded(known.event, one.customer_key, known.recorded_at, repeated))
        return tuple(made)

    def _read(self, sent: Sent) -> _Read:
        if sent.event_name not in self._readers:
            meter = meter_of_name(self.desk, sent.event_name)
            self._readers[sent.event_name] = None if meter is None else _Reader.of(meter.document)
        reader = self._readers[sent.event_name]
        if reader is None:
            raise _placed(Refusal(NO_METER, f"no meter takes {shown(sent.event_name)}.", "event_name"), sent.place)
        try:
            event = reader.event(sent)
            return _Read(sent, event, reader.customer_key, self._but(sent, reader, event.customer))
        except Refusal as refusal:
            raise _placed(refusal, sent.place) from None

    def _but(self, sent: Sent, reader: _Reader, customer: str) -> Refusal | None:
        now = self.desk.at
        if not now - MOST_PAST <= sent.at <= now + MOST_AHEAD:
            now = time_of(self.desk, customer)
        if not reader.active:
            return _placed(Refusal(ARCHIVED_METER, f"the meter of {shown(sent.event_name)} is inactive.", "event_name"), sent.place)
        if sent.at < now - MOST_PAST:
            return _placed(Refusal(TIMESTAMP_TOO_OLD, f"it is {(now - sent.at) // MICROS} seconds ago.", "timestamp"), sent.place)
        if sent.at > now + MOST_AHEAD:
            return _placed(Refusal(TIMESTAMP_IN_FUTURE, f"it is {(sent.at - now) // MICROS} seconds ahead.", "timestamp"), sent.place)
        return None


@dataclass(frozen=True, slots=True)
class _Reader:
    """What a meter wants of an event: `needs` is whether its value is a number, any text, or not read at all."""

    customer_key: str
    value_key: str
    needs: str
    active: bool

    @classmethod
    def of(cls, meter: Document) -> _Reader:
        ext = meter["ext"]
        inner = ext["windows"]["inner"] if ext["aggregation"] == Aggregation.WINDOWED else ext["aggregation"]
        needs = {Aggregation.COUNT: "nothing", Aggregation.UNIQUE_COUNT: "text"}.get(inner, "number")
        return cls(meter["customer_mapping"]["event_payload_key"], meter["value_settings"]["event_payload_key"], needs, meter["status"] == "active")

    def event(self, sent: Sent) -> Event:
        """The fact that was sent. Errors: meter_event_…, number_…, text_…, fields_conflict."""
        customer = sent.payload.get(self.customer_key)
        if not customer:
            raise Refusal(EVENT_CUSTOMER_MISSING, f"{self.customer_key} is missing or empty.", f"payload[{self.customer_key}]")
        read_text(customer, f"payload[{self.customer_key}]", CUSTOMER_LONGEST)
        properties = self._properties(sent.payload, customer)
        if self.needs != "nothing":
            self._check_value(properties)
        return Event(sent.identifier, sent.event_name, customer, sent.at, properties)

    def _properties(self, payload: Mapping[str, str], customer: str) -> dict[str, str]:
        try:
            properties = normalise(payload, "payload", self.customer_key)
        except Refusal as refusal:
            raise Refusal(refusal.kind, refusal.message, bracketed_payload(refusal.field)) from None
        if self.customer_key != CUSTOMER_KEY and properties.pop(CUSTOMER_KEY, customer) != customer:
            raise Refusal(FIELDS_CONFLICT, f"{self.customer_key} names another customer than {CUSTOMER_KEY}.", f"payload[{CUSTOMER_KEY}]")
        return properties

    def _check_value(self, properties: Mapping[str, str]) -> None:
        """Refuse an event that the meter would set aside, and one that takes usage back: that is what cancelling is for."""
        place = f"payload[{self.value_key}]"
        text = properties.get(self.value_key)
        if not text:
            raise Refusal(EVENT_VALUE_MISSING, f"{self.value_key} is missing or empty.", place)
        if self.needs == "text":
            return
        if self.value_key == VALUE:  # canonical already
            if text.startswith("-"):
                raise Refusal(NUMBER_NEGATIVE, f"{text} is negative.", place)
        else:
            not_negative(parse_number(text, place), place)


def bracketed_payload(field_: str | None) -> str | None:
    """`payload.a.b` as parameters have it: a property's name may have dots."""
    first, dot, rest = (field_ or "").partition(".")
    return f"{first}[{rest}]" if dot else field_


def _same(one: _Read, before: Event) -> bool:
    """Whether an event says what the one before it said. One that was sent without a time says nothing of it."""
    event = one.event
    said = (event.event_name, event.customer, event.properties) == (before.event_name, before.customer, before.properties)
    return said and (not one.sent.timed or event.at == before.at)


def _conflict(one: _Read) -> Refusal:
    return _placed(identifier_conflict(one.event.identifier), one.sent.place)


def _placed(refusal: Refusal, place: str) -> Refusal:
    """The refusal with its field inside of the event at a place."""
    if not place or refusal.field is None:
        return refusal
    first, bracket, rest = refusal.field.partition("[")
    return Refusal(refusal.kind, refusal.message, f"{place}[{first}]{bracket}{rest}")
