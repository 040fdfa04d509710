"""The properties of an event: JSON scalars become text, each value in one way only."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from farthing.core.base.exact import parse_number, show
from farthing.core.base.json_value import NumberText
from farthing.core.base.refusal import Refusal
from farthing.core.events.fields import below, read_text, shown
from farthing.core.events.refusals import PAYLOAD_TOO_LARGE, PROPERTIES_TOO_MANY, PROPERTY_NOT_SCALAR

PROPERTY_NAME_LONGEST = 100
PROPERTY_TEXT_LONGEST = 1000
PROPERTIES_MOST = 100
PAYLOAD_LARGEST = 16_384
VALUE = "value"  # the property that, when present, is a number on every path


def normalise(payload: Mapping[str, object], place: str, without: str = "") -> dict[str, str]:
    """The properties of a payload as text: strings as they are, numbers in canonical decimal form, booleans "true"/"false".

    A null property is absent, and `without` is passed over. `value` is a number even when sent as text, and canonical: "1.0" and 1 are "1".
    Errors: property_not_scalar, properties_too_many, payload_too_large, number_…, text_….
    """
    count = len(payload) - (without in payload)
    if count > PROPERTIES_MOST:
        count = sum(1 for name, raw in payload.items() if raw is not None and not (without and name == without))
    if count > PROPERTIES_MOST:
        raise Refusal(PROPERTIES_TOO_MANY, f"{count} properties are more than {PROPERTIES_MOST}.", place)
    properties: dict[str, str] = {}
    size = 0
    for name, raw in payload.items():
        if raw is None or (name == without and without):
            continue
        # What nearly every property is, decided without calls.
        if not (isinstance(name, str) and 0 < len(name) <= PROPERTY_NAME_LONGEST and name.isprintable()):
            read_text(name, below(place, shown(name)), PROPERTY_NAME_LONGEST)
        if isinstance(raw, str) and name != VALUE and len(raw) <= PROPERTY_TEXT_LONGEST and raw.isprintable():
            text = raw
        else:
            text = property_text(raw, below(place, name)) if name != VALUE else value_text(raw, below(place, name))
        properties[name] = text
        size += len(name) + len(text)
    if size > PAYLOAD_LARGEST:
        raise Refusal(PAYLOAD_TOO_LARGE, f"{size} characters are more than {PAYLOAD_LARGEST}.", place)
    return properties


def property_text(raw: object, place: str | None) -> str:
    """One property that is not null as text. Errors: property_not_scalar, text_too_long, text_not_storable, number_…."""
    if isinstance(raw, NumberText):
        return str(raw)
    if isinstance(raw, str):
        return read_text(raw, place, PROPERTY_TEXT_LONGEST, empty=True)
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int | Decimal):
        return value_text(raw, place)
    if raw is None or isinstance(raw, Mapping | list | tuple):
        raise Refusal(PROPERTY_NOT_SCALAR, f"{shown(raw)} is not text, a number, true or false.", place)
    return show(parse_number(raw, place))  # refuses float and everything else by name


def value_text(raw: object, place: str | None) -> str:
    """A number, sent as text or as a number, in canonical form. Errors: number_…, property_not_scalar."""
    if isinstance(raw, int) and not isinstance(raw, bool) and -(10**18) < raw < 10**18:
        return str(raw)
    if isinstance(raw, str | Decimal) and (text := _canonical(str(raw))) is not None:
        return text
    if isinstance(raw, Mapping | list | tuple):
        raise Refusal(PROPERTY_NOT_SCALAR, f"{shown(raw)} is not a number.", place)
    return show(parse_number(raw, place))


@lru_cache(maxsize=4096)
def _canonical(text: str) -> str | None:
    """The canonical form of a number that is fine; None leaves it to the caller to say what is wrong, and where."""
    try:
        return show(parse_number(text))
    except Refusal:
        return None
