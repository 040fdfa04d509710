"""Reading the fields of a document strictly: what is missing, unknown, or of the wrong type is refused with its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from farthing.core.base.json_value import NumberText
from farthing.core.base.json_value import shown as shown
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_INVALID, FIELD_MISSING, FIELD_UNKNOWN, NOT_AN_OBJECT, TEXT_EMPTY, TEXT_NOT_STORABLE, TEXT_TOO_LONG


def below(place: str | None, name: str) -> str:
    """The dotted path of field `name` of the object at `place`."""
    return f"{place}.{name}" if place else name


def read_object(raw: object, place: str | None, allowed: Collection[str] | None = None) -> Mapping[str, Any]:
    """`raw` as an object that has no fields but `allowed` (None allows any). Errors: not_an_object, field_unknown."""
    if not isinstance(raw, Mapping):
        raise Refusal(NOT_AN_OBJECT, f"{shown(raw)} is not an object.", place)
    if allowed is not None:
        for name in raw:
            if name not in allowed:
                raise Refusal(FIELD_UNKNOWN, f"{shown(name)} is not a field here.", below(place, str(name)[:100]))
    return raw


def required(document: Mapping[str, Any], name: str, place: str | None = None) -> Any:
    """The field's value, which must be present and not null. Errors: field_missing."""
    value = document.get(name)
    if value is None:
        raise Refusal(FIELD_MISSING, f"{name} is missing.", below(place, name))
    return value


def read_text(raw: object, place: str | None, longest: int, empty: bool = False) -> str:
    """`raw` as text of at most `longest` characters. Errors: field_invalid, text_empty, text_too_long, text_not_storable."""
    if not isinstance(raw, str) or isinstance(raw, NumberText):
        raise Refusal(FIELD_INVALID, f"{shown(raw)} is not text.", place)
    if not raw and not empty:
        raise Refusal(TEXT_EMPTY, "the text is empty.", place)
    if len(raw) > longest:
        raise Refusal(TEXT_TOO_LONG, f"{len(raw)} characters are more than {longest}.", place)
    return read_storable(raw, place)


def read_storable(text: str, place: str | None) -> str:
    """`text`, which can be stored. Errors: text_not_storable."""
    if not storable(text):
        raise Refusal(TEXT_NOT_STORABLE, f"{shown(text)} contains NUL or half of a surrogate pair.", place)
    return text


def storable(text: str) -> bool:
    """Whether a text can be stored as UTF-8 without NUL."""
    if text.isprintable():
        return True
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def read_choice(raw: object, place: str | None, choices: Collection[str]) -> str:
    """`raw`, which must be one of `choices`. Errors: field_invalid."""
    if not isinstance(raw, str) or raw not in choices:
        raise Refusal(FIELD_INVALID, f"{shown(raw)} is not one of {', '.join(choices)}.", place)
    return raw


def read_list(raw: object, place: str | None, longest: int, empty: bool = False) -> list[Any]:
    """`raw` as a list of at most `longest` items. Errors: field_invalid, field_missing."""
    if not isinstance(raw, list | tuple):
        raise Refusal(FIELD_INVALID, f"{shown(raw)} is not a list.", place)
    if not raw and not empty:
        raise Refusal(FIELD_MISSING, "the list is empty.", place)
    if len(raw) > longest:
        raise Refusal(FIELD_INVALID, f"{len(raw)} items are more than {longest}.", place)
    return list(raw)


def read_flag(raw: object, place: str | None) -> bool:
    """`raw`, which must be true or false. Errors: field_invalid."""
    if not isinstance(raw, bool):
        raise Refusal(FIELD_INVALID, f"{shown(raw)} is not true or false.", place)
    return raw
