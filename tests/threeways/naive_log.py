"""Naive reading and admission of facts: a literal transcription of docs/events.md. Imports nothing from the package.

The folder tests/reference has to be on sys.path: numbers, times and texts are read as there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from naive_values import Refused, exact_text, property_text, read_number, read_time, text_fault

Document = dict[str, Any]
Event = dict[str, Any]  # identifier, event_name, customer, at, payload, position


@dataclass
class Fact:
    """What a document states: an event, the identifier that it cancels or replaces, the event_name that it means."""

    event: Event | None
    target: str | None
    event_name: str


def read_fact(document: Document) -> Fact:
    """Raises Refused, without a place."""
    if "specversion" in document:
        return of_event(read_cloudevent(document), None)
    if document.get("type") == "cancel":
        return Fact(None, document["cancel"]["identifier"], document["event_name"])
    if document.get("type") == "replace":
        event = read_cloudevent(document["event"]) if "specversion" in document["event"] else read_event(document["event"])
        target = document["replace"]["identifier"]
        if target == event["identifier"]:
            raise Refused("replacement_names_itself", None)
        return of_event(event, target)
    return of_event(read_event(document), None)


def of_event(event: Event, target: str | None) -> Fact:
    return Fact(event, target, event["event_name"])


def read_event(document: Document) -> Event:
    payload = document["payload"]
    return made(document["identifier"], document["event_name"], payload["stripe_customer_id"], document["timestamp"], payload)


def read_cloudevent(document: Document) -> Event:
    """The identifier is the source, a space, the id."""
    name = f"{document['source']} {document['id']}"
    return made(name, document["type"], document["subject"], document["time"], document.get("data") or {})


def made(identifier: str, event_name: str, customer: str, time: Any, payload: Document) -> Event:
    at = read_time(time)
    texts = {name: read_property(name, value) for name, value in payload.items() if name != "stripe_customer_id"}
    kept = {name: text for name, text in texts.items() if text is not None}
    return {"identifier": identifier, "event_name": event_name, "customer": customer, "at": at, "payload": kept}


def read_property(name: str, value: Any) -> str | None:
    """Text stays as it is; numbers, and `value` however it is sent, become the shortest decimal; null is absent."""
    if name == "value" and isinstance(value, str):
        return exact_text(read_number(value))
    if name == "value" and isinstance(value, bool):
        raise Refused("number_malformed", None)
    if isinstance(value, str) and value and (wrong := text_fault(value, 1000)):
        raise Refused(wrong, None)
    return property_text(value)


@dataclass
class NaiveLog:
    """The facts that were taken, in order, and what they say together."""

    taken: list[Document] = field(default_factory=list)
    events: dict[str, Event] = field(default_factory=dict)
    contents: dict[str, Any] = field(default_factory=dict)
    cancelled: set[tuple[str, str]] = field(default_factory=set)
    replaced: dict[str, str] = field(default_factory=dict)  # what was replaced, by what

    def admit(self, document: Document) -> list[str]:
        """["accepted"], ["duplicate"], or the codes of what is wrong, one of which is to be reported."""
        try:
            fact = read_fact(document)
        except Refused as refused:
            return [refused.code]
        answer = self._cancel(fact) if fact.event is None else self._bring(fact, fact.event)
        if answer == ["accepted"]:
            self.taken.append(document)
        return answer

    def _cancel(self, fact: Fact) -> list[str]:
        assert fact.target is not None
        if (fact.target, fact.event_name) in self.cancelled:
            return ["duplicate"]
        if fact.target in self.events and self.events[fact.target]["event_name"] != fact.event_name:
            return ["cancel_names_other_event"]
        self.cancelled.add((fact.target, fact.event_name))
        return ["accepted"]

    def _bring(self, fact: Fact, event: Event) -> list[str]:
        content = (fact.target, dict(event))
        if event["identifier"] in self.events:
            return ["duplicate"] if self.contents[event["identifier"]] == content else ["identifier_conflict"]
        if fact.target is not None:
            if fact.target in self.replaced:
                return ["event_replaced_already"]
            if fact.target in self._chain(event["identifier"]):
                return ["replacement_circular"]
            self.replaced[fact.target] = event["identifier"]
        self.contents[event["identifier"]] = content
        self.events[event["identifier"]] = event | {"position": len(self.taken) + 1}
        return ["accepted"]

    def _chain(self, identifier: str) -> list[str]:
        """An identifier, what replaced it, what replaced that, and so on."""
        chain = [identifier]
        while chain[-1] in self.replaced:
            chain.append(self.replaced[chain[-1]])
        return chain

    def known_at(self, position: int) -> NaiveLog:
        """The log as it was when it ended at a position."""
        earlier = NaiveLog()
        for document in self.taken[:position]:
            earlier.admit(document)
        return earlier

    def counting(self) -> list[Event]:
        """The events that count: neither cancelled nor replaced."""
        return [
            event
            for identifier, event in self.events.items()
            if identifier not in self.replaced and (identifier, event["event_name"]) not in self.cancelled
        ]
