"""Documents → facts and back: the one event document of every path, cancellations, replacements, and CloudEvents."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_INVALID, FIELDS_CONFLICT
from farthing.core.base.time import Instant, parse_any_instant
from farthing.core.events.event import Cancel, Event, Fact, Replace
from farthing.core.events.exact_json import decode_json
from farthing.core.events.fields import below, read_object, read_text, required, shown
from farthing.core.events.properties import normalise
from farthing.core.events.refusals import (
    CLOUDEVENT_DATA_NOT_JSON,
    CLOUDEVENT_VERSION_UNSUPPORTED,
    EVENT_TIME_OUT_OF_RANGE,
    FACT_TYPE_UNKNOWN,
    REPLACEMENT_NAMES_ITSELF,
)

__all__ = ["CUSTOMER_KEY", "content_hash", "decode_json", "event_document", "event_time", "parse_fact"]

CUSTOMER_KEY = "stripe_customer_id"
IDENTIFIER_LONGEST = 255
EVENT_NAME_LONGEST = 100
CUSTOMER_LONGEST = 255
EARLIEST: Instant = 0  # 1970-01-01T00:00Z
LATEST: Instant = 9_214_646_400_000_000  # 2262-01-01T00:00Z, exclusive

_EPOCH = datetime(1970, 1, 1)  # in UTC
_EVENT_FIELDS = frozenset({"identifier", "event_name", "timestamp", "payload"})
_CANCEL_FIELDS = frozenset({"type", "event_name", "cancel"})
_REPLACE_FIELDS = frozenset({"type", "replace", "event"})
_TARGET_FIELDS = frozenset({"identifier"})
_CLOUDEVENT_CORE = frozenset({"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data", "data_base64"})
_JSON_TYPES = ("application/json", "text/json")


def parse_fact(document: object) -> Fact:
    """The fact that a document states; its position is 0, for it is in no log yet.

    An event document has `identifier`, `event_name`, `timestamp` (RFC 3339 with offset) and `payload`, which names the
    customer in `stripe_customer_id` and holds the properties. A document with `type` is a cancellation or a replacement, one with
    `specversion` a CloudEvent. Errors: field_…, text_…, timestamp_…, number_…, and those of this stage.
    """
    if not isinstance(document, dict):
        document = dict(read_object(document, None))
    if "specversion" in document:
        return _parse_cloudevent(document, None)
    if "type" in document:
        return _parse_adjustment(document)
    return _parse_event(document, None)


def _parse_event(raw: object, place: str | None) -> Event:
    document = read_object(raw, place, _EVENT_FIELDS)
    at, payload_at = _places(place)
    payload = read_object(required(document, "payload", place), payload_at)
    return Event(
        identifier=read_text(required(document, "identifier", place), at["identifier"], IDENTIFIER_LONGEST),
        event_name=read_text(required(document, "event_name", place), at["event_name"], EVENT_NAME_LONGEST),
        customer=read_text(required(payload, CUSTOMER_KEY, payload_at), at[CUSTOMER_KEY], CUSTOMER_LONGEST),
        at=event_time(required(document, "timestamp", place), at["timestamp"]),
        properties=normalise(payload, payload_at, CUSTOMER_KEY),
    )


@lru_cache(maxsize=4)
def _places(place: str | None) -> tuple[dict[str, str], str]:
    """Where the fields of an event document stand (made once: nearly every document is in order), and where its payload does."""
    payload = below(place, "payload")
    return {**{name: below(place, name) for name in _EVENT_FIELDS}, CUSTOMER_KEY: below(payload, CUSTOMER_KEY)}, payload


def event_time(raw: object, place: str | None = "timestamp") -> Instant:
    """The instant of use. Errors: timestamp_…, event_time_out_of_range (before 1970 or after 2261)."""
    at = parse_any_instant(raw, place)
    if not EARLIEST <= at < LATEST:
        raise Refusal(EVENT_TIME_OUT_OF_RANGE, f"{shown(raw)} is not in the years 1970 to 2261 (UTC).", place)
    return at


def _parse_adjustment(document: Mapping[str, Any]) -> Cancel | Replace:
    kind = document["type"]
    if kind == "cancel":
        read_object(document, None, _CANCEL_FIELDS)
        event_name = read_text(required(document, "event_name"), "event_name", EVENT_NAME_LONGEST)
        return Cancel(_target(document, "cancel"), event_name)
    if kind == "replace":
        read_object(document, None, _REPLACE_FIELDS)
        event = _parse_replacement(required(document, "event"))
        target = _target(document, "replace")
        if target == event.identifier:
            raise Refusal(REPLACEMENT_NAMES_ITSELF, f"{shown(target)} would replace itself.", "event.identifier")
        return Replace(target, event)
    raise Refusal(FACT_TYPE_UNKNOWN, f"{shown(kind)} is not a type of fact.", "type")


def _parse_replacement(raw: object) -> Event:
    document = read_object(raw, "event")
    return _parse_cloudevent(document, "event") if "specversion" in document else _parse_event(document, "event")


def _target(document: Mapping[str, Any], name: str) -> str:
    target = read_object(required(document, name), name, _TARGET_FIELDS)
    return read_text(required(target, "identifier", name), below(name, "identifier"), IDENTIFIER_LONGEST)


def _parse_cloudevent(document: Mapping[str, Any], place: str | None) -> Event:
    """CloudEvents 1.0 in structured JSON. Extension attributes and dataschema carry no usage and are not kept."""
    if document["specversion"] != "1.0":
        raise Refusal(CLOUDEVENT_VERSION_UNSUPPORTED, f"{shown(document['specversion'])} is not 1.0.", below(place, "specversion"))
    extensions = {name for name in document if isinstance(name, str) and name.isascii() and name.isalnum() and name == name.lower()}
    read_object(document, place, _CLOUDEVENT_CORE | extensions)
    customer = read_text(required(document, "subject", place), below(place, "subject"), CUSTOMER_LONGEST)
    data = _cloudevent_data(document, place)
    if data.get(CUSTOMER_KEY) not in (None, customer):
        raise Refusal(FIELDS_CONFLICT, f"subject is {shown(customer)}, but the data names another customer.", below(place, f"data.{CUSTOMER_KEY}"))
    return Event(
        identifier=_cloudevent_identifier(document, place),
        event_name=read_text(required(document, "type", place), below(place, "type"), EVENT_NAME_LONGEST),
        customer=customer,
        at=event_time(required(document, "time", place), below(place, "time")),
        properties=normalise(data, below(place, "data"), CUSTOMER_KEY),
    )


def _cloudevent_identifier(document: Mapping[str, Any], place: str | None) -> str:
    """`source`, a space, `id`. A source is a URI reference and has no white space, so the first space parts the two again."""
    source = read_text(required(document, "source", place), below(place, "source"), IDENTIFIER_LONGEST)
    if any(character.isspace() for character in source):
        raise Refusal(FIELD_INVALID, f"{shown(source)} contains white space, which no URI does.", below(place, "source"))
    name = read_text(required(document, "id", place), below(place, "id"), IDENTIFIER_LONGEST)
    return read_text(f"{source} {name}", below(place, "id"), IDENTIFIER_LONGEST)


def _cloudevent_data(document: Mapping[str, Any], place: str | None) -> Mapping[str, Any]:
    if document.get("data_base64") is not None:
        raise Refusal(CLOUDEVENT_DATA_NOT_JSON, "data_base64 holds bytes.", below(place, "data_base64"))
    media_type = document.get("datacontenttype")
    if media_type is not None:
        essence = read_text(media_type, below(place, "datacontenttype"), 255).split(";")[0].strip().lower()
        if essence not in _JSON_TYPES and not essence.endswith("+json"):
            raise Refusal(CLOUDEVENT_DATA_NOT_JSON, f"{shown(media_type)} is not JSON.", below(place, "datacontenttype"))
    data = document.get("data")
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise Refusal(CLOUDEVENT_DATA_NOT_JSON, f"{shown(data)} is not an object.", below(place, "data"))
    return data


def event_document(fact: Fact) -> dict[str, Any]:
    """The document of a fact, in canonical form: `parse_fact(event_document(fact))` is the fact at position 0."""
    match fact:
        case Event():
            return {
                "identifier": fact.identifier,
                "event_name": fact.event_name,
                "timestamp": f"{(_EPOCH + timedelta(microseconds=fact.at)).isoformat()}Z",
                "payload": {CUSTOMER_KEY: fact.customer, **fact.properties},
            }
        case Cancel():
            return {"type": "cancel", "event_name": fact.event_name, "cancel": {"identifier": fact.target}}
        case Replace():
            return {"type": "replace", "replace": {"identifier": fact.target}, "event": event_document(fact.event)}


# The bytes of canonical_json, without its check of types: an event document holds text alone.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def content_hash(fact: Fact) -> bytes:
    """16 bytes by which the log tells whether an identifier came with the same content again: the start of the SHA-256 of the
    canonical JSON of `event_document(fact)`. The position does not count."""
    return hashlib.sha256(_encode(event_document(fact)).encode("utf-8")).digest()[:16]
