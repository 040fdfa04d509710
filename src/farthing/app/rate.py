"""The price calculator: one line of JSON with a price and what was used → the amount with its trace, or a named refusal.

docs/pricing.md is the contract. Nothing is set aside here: an event that cannot be rated refuses its line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from farthing.core.base.exact import parse_number, show
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_INVALID, FIELD_MISSING, FIELDS_CONFLICT, NOT_AN_OBJECT, NUMBER_MALFORMED
from farthing.core.base.time import Instant
from farthing.core.base.timeline import ALL_TIME
from farthing.core.catalog.fields import TEXT_LONGEST, Field, Reader
from farthing.core.events.condition import number_property
from farthing.core.events.event import Event
from farthing.core.events.exact_json import decode_tolerantly, refuse_bad_numbers
from farthing.core.events.fields import read_object, read_text, shown
from farthing.core.events.parse import CUSTOMER_KEY, event_time
from farthing.core.events.properties import VALUE, normalise
from farthing.core.rating.compile import compile_price
from farthing.core.rating.fees import unreadable
from farthing.core.rating.interpret import rate_events, rate_quantity, takes
from farthing.core.rating.program import Program
from farthing.core.rating.refusals import EVENT_TIME_MISSING, EVENT_UNMATCHED, EVENT_VALUE_UNREADABLE
from farthing.core.rating.trace import Rated
from farthing.core.rating.trace_json import rated_document
from farthing.core.usage.meter import Aggregation, Meter

TIMESTAMP = "timestamp"
LINE_FIELDS = (
    Field("id", "any", "text or a whole number; comes back with the answer", required=True),
    Field("price", "object", "the price document", required=True),
    Field("quantity", "number", "what was used, of either sign"),
    Field("events", "list", "payloads of single events, instead of a quantity"),
)
_METER = Meter(id="calculator", event_name="", aggregation=Aggregation.SUM, value_key=VALUE)


def rate_line(text: str | bytes, number: int | None = None) -> dict[str, Any]:
    """Rate one line of input; `number` is its place, shown where its id cannot be known.

    Returns `{"id", "amount", "amount_exact", "trace"}` or `{"id", "error": {"code", "message", "field"}}`; never raises a Refusal.
    """
    identifier: str | int | None = None
    try:
        document = decode_tolerantly(text)
        if not isinstance(document, Mapping):
            raise Refusal(NOT_AN_OBJECT, f"{shown(document)} is not an object.", None)
        identifier = _identifier(document.get("id"))
        refuse_bad_numbers(document)
        return {"id": identifier, **_answer(Reader.of(document, "", LINE_FIELDS))}
    except Refusal as refusal:
        place = {"line": number} if identifier is None and number is not None else {}
        return {"id": identifier, **place, "error": refusal.document()}


def rate(document: Mapping[str, Any]) -> dict[str, Any]:
    """`{"amount", "amount_exact", "trace"}` of `{"price", "quantity" or "events"}`, whose numbers are exact. Errors: those of the price
    and of what was used, each with its place (`price.tiers[1].up_to`)."""
    return _answer(Reader.of({"id": "", **document}, "", LINE_FIELDS))


def _identifier(raw: object) -> str | int:
    refuse_bad_numbers(raw, "id")
    match raw:
        case None:
            raise Refusal(FIELD_MISSING, "id is missing.", "id")
        case str():
            return read_text(raw, "id", TEXT_LONGEST)
        case int() if not isinstance(raw, bool):
            return raw
    raise Refusal(FIELD_INVALID, f"{shown(raw)} is neither text nor a whole number.", "id")


def _answer(line: Reader) -> dict[str, Any]:
    if line.has("quantity") and line.has("events"):
        raise Refusal(FIELDS_CONFLICT, "both quantity and events are given.", "events")
    program = _compiled(line.need("price"))
    if not line.has("events"):
        return _document((rate_quantity(program, parse_number(line.need("quantity"), "quantity")),), one_line=True)
    try:
        rated = rate_events(program, _METER, _events(program, line.get("events")), ALL_TIME)
    except Refusal as refusal:
        # Rating knows one quantity; here it is made of the events.
        raise Refusal(refusal.kind, refusal.message, "events" if refusal.field == "quantity" else refusal.field) from None
    return _document(rated, one_line=not program.line_per_cell)


def _compiled(price: Any) -> Program:
    try:
        return compile_price(price).program
    except Refusal as refusal:
        raise refusal.within("price") from None


def _document(rated: Sequence[Rated], one_line: bool) -> dict[str, Any]:
    documents = [rated_document(line) for line in rated]
    exact = sum((line.exact for line in rated), start=Fraction(0))
    return {
        "amount": sum(line.amount for line in rated),
        "amount_exact": show(exact),
        "trace": documents[0] if one_line else {"lines": documents},
    }


def _events(program: Program, raw: Any) -> tuple[Event, ...]:
    if not isinstance(raw, list):
        raise Refusal(FIELD_INVALID, f"{shown(raw)} is not a list.", "events")
    payloads = [read_object(payload, f"events[{i}]") for i, payload in enumerate(raw)]
    times = _times(program, payloads)
    events = tuple(_event(payload, i, times[i]) for i, payload in enumerate(payloads))
    for i, event in enumerate(events):
        _check(program, event, f"events[{i}]")
    return events


def _times(program: Program, payloads: Sequence[Mapping[str, Any]]) -> Sequence[Instant]:
    """The time of each event; without times all are alike, and the given order counts."""
    given = [payload.get(TIMESTAMP) is not None for payload in payloads]
    if not any(given) and not any(cell.during for cell in program.cells):
        return [0] * len(payloads)
    for i, timed in enumerate(given):
        if not timed:
            raise Refusal(EVENT_TIME_MISSING, "the event has no timestamp.", f"events[{i}].{TIMESTAMP}")
    return [event_time(payload[TIMESTAMP], f"events[{i}].{TIMESTAMP}") for i, payload in enumerate(payloads)]


def _event(payload: Mapping[str, Any], index: int, at: Instant) -> Event:
    place = f"events[{index}]"
    try:
        properties = normalise({name: value for name, value in payload.items() if name not in (TIMESTAMP, CUSTOMER_KEY)}, place)
    except Refusal as refusal:
        if refusal.kind is NUMBER_MALFORMED and refusal.field == f"{place}.{VALUE}":
            raise Refusal(EVENT_VALUE_UNREADABLE, refusal.message, refusal.field) from None
        raise
    return Event(identifier=str(index), event_name="", customer="", at=at, properties=properties, position=index + 1)


def _check(program: Program, event: Event, place: str) -> None:
    """Refuse an event that metering would set aside or count as unmatched."""
    cell = next((cell for cell in program.cells if takes(cell, event)), None)
    if cell is None:
        raise Refusal(EVENT_UNMATCHED, "no cell of the price takes the event.", place)
    if cell.fees is not None:
        name = unreadable(cell.fees, event.properties)
    else:
        name = VALUE if number_property(event.properties, VALUE) is None else None
    if name is not None:
        text = event.properties.get(name)
        raise Refusal(EVENT_VALUE_UNREADABLE, f"{shown(name)} is {'absent' if text is None else shown(text)}.", f"{place}.{name}")
