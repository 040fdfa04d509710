"""Parameters: from nested texts, or a JSON document, to typed values, as the operation's shapes have them. Nothing is passed over."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from farthing.core.base.currency import parse_currency
from farthing.core.base.exact import parse_number
from farthing.core.base.exact import show as show_number
from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal, RefusalKind
from farthing.core.base.refusals import TEXT_NOT_STORABLE
from farthing.core.base.time import parse_instant
from farthing.core.events.exact_json import decode_json
from farthing.edges.http.refusals import (
    METADATA_INVALID,
    PARAMETER_EMPTY,
    PARAMETER_MISSING,
    PARAMETER_NOT_A_CHOICE,
    PARAMETER_NOT_BOOLEAN,
    PARAMETER_NOT_DECIMAL,
    PARAMETER_NOT_INTEGER,
    PARAMETER_NOT_LIST,
    PARAMETER_NOT_OBJECT,
    PARAMETER_NOT_TEXT,
    PARAMETER_NOT_TIMESTAMP,
    PARAMETER_TOO_LONG,
    PARAMETER_TOO_MANY,
    PARAMETER_UNKNOWN,
)
from farthing.edges.http.wire.contract import Operation, Shape

LAST_SECOND = 9_214_646_399  # the last second of 2261: the last whole year whose microseconds fit 64 bits
MOST_ENTRIES = 1_000
LONGEST_KEY = 200
LONGEST_TEXT = 5_000  # whatever the contract says of a parameter: no text of an answer is longer
METADATA_KEYS, METADATA_KEY, METADATA_VALUE = 50, 40, 500
_INTEGER = re.compile(r"-?\d{1,19}", re.ASCII)
_INDEX = re.compile(r"0|[1-9]\d{0,8}", re.ASCII)


def read(operation: Operation, nested: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a form or a query (`forms.decode`), typed: int, bool, `Decimal` (exact, without trailing zeros), text, list,
    dict; timestamps are whole seconds; currencies are in lower case; None where the empty text unsets. A list may be sent with
    indexes, which need not be without gaps, or plainly in order.

    Errors, each with the parameter as its field (`tiers[0][up_to]`): parameter_unknown, parameter_missing, parameter_invalid_… by type,
    parameter_too_long, parameter_too_many, metadata_invalid, currency_unknown."""
    return _object(operation.params, nested, "")


def read_json(operation: Operation, document: Any) -> dict[str, Any]:
    """The parameters of a JSON body, typed and refused as in `read`. Integers may be texts. An `instant` is UTC microseconds; besides
    the refusals of `read` it is refused as timestamps are."""
    if not isinstance(document, Mapping):
        raise Refusal(PARAMETER_NOT_OBJECT, f"the body is {_named(document)} and no object.")
    return _object(operation.params, document, "")


def _value(shape: Shape, raw: Any, path: str) -> Any:
    if shape.kind == "union":
        return _union(shape, raw, path)
    if raw == "":
        if shape.kind == "empty":
            return None
        raise Refusal(PARAMETER_EMPTY, "it was sent empty, and cannot be unset.", path)
    if shape.kind in _PLAIN:
        return _PLAIN[shape.kind](raw, path)
    return _SHAPED[shape.kind](shape, raw, path)


def _union(shape: Shape, raw: Any, path: str) -> Any:
    if raw == "" and any(option.kind == "empty" for option in shape.options):
        return None
    refused: Refusal | None = None
    for option in _suitable(shape, raw):
        try:
            return _value(option, raw, path)
        except Refusal as refusal:
            if refused is None or len(refusal.field or "") > len(refused.field or ""):
                refused = refusal
    if refused is None:
        raise Refusal(PARAMETER_NOT_TEXT, f"it is {_named(raw)}, and can be {_expected(shape)}.", path)
    if refused.field == path and len(_scalars(shape)) > 1:
        raise Refusal(refused.kind, f"{_named(raw)} is not {_expected(shape)}.", path)
    raise refused


def _suitable(shape: Shape, raw: Any) -> list[Shape]:
    """The options that a value may be meant for, the strictest first: choices before numbers, any text last."""
    options = [option for option in shape.options if option.kind != "empty"]
    if isinstance(raw, Mapping):
        indexed = bool(raw) and all(isinstance(name, str) and _INDEX.fullmatch(name) for name in raw)
        return [option for option in options if option.kind in ("object", "map") or (option.kind == "list" and (indexed or len(options) == 1))]
    if isinstance(raw, list):
        return [option for option in options if option.kind == "list"]
    scalars = sorted(_scalars(shape), key=lambda option: (option.kind != "choice", option.kind == "text"))
    return scalars or options[:1]


def _scalars(shape: Shape) -> list[Shape]:
    return [option for option in shape.options if option.kind not in ("object", "map", "list", "empty")]


def _object(shape: Shape, raw: Any, path: str) -> dict[str, Any]:
    if not isinstance(raw, Mapping):
        raise Refusal(PARAMETER_NOT_OBJECT, f"it is {_named(raw)} and no object.", path)
    for name in raw:
        if name not in shape.fields:
            near = get_close_matches(str(name)[:80], shape.fields, 1)
            raise Refusal(PARAMETER_UNKNOWN, f"there is no parameter {shown(name)}{f'; is {near[0]} meant?' if near else '.'}", _join(path, name))
    for name in shape.required:
        if name not in raw:
            raise Refusal(PARAMETER_MISSING, f"{_join(path, name)} is required.", _join(path, name))
    return {name: _value(shape.fields[name], value, _join(path, name)) for name, value in raw.items()}


def _document(_: Shape, raw: Any, path: str) -> dict[str, Any]:
    """An object of any fields: as JSON in one text, which keeps numbers and truth values, or in brackets, where all values are texts."""
    document = _decoded(raw, path) if isinstance(raw, str) else _listed(raw)
    if not isinstance(document, dict):
        raise Refusal(PARAMETER_NOT_OBJECT, f"it is {_named(document)} and no object.", path)
    return document


def _decoded(text: str, path: str) -> Any:
    try:
        return decode_json(text)
    except Refusal as refusal:
        raise Refusal(refusal.kind, refusal.message, path) from refusal


def _listed(raw: Any) -> Any:
    """Objects whose names are 0, 1, … as the lists that they stand for."""
    if isinstance(raw, list):
        return [_listed(value) for value in raw]
    if not isinstance(raw, Mapping):
        return raw
    values = {name: _listed(value) for name, value in raw.items()}
    return [values[str(at)] for at in range(len(values))] if values and set(values) == {str(at) for at in range(len(values))} else values


def _map(shape: Shape, raw: Any, path: str) -> dict[str, Any]:
    if not isinstance(raw, Mapping):
        raise Refusal(PARAMETER_NOT_OBJECT, f"it is {_named(raw)} and no object.", path)
    if path == "metadata" or path.endswith("[metadata]"):
        return _metadata(raw, path)
    if len(raw) > MOST_ENTRIES:
        raise Refusal(PARAMETER_TOO_MANY, f"it has {len(raw)} entries, more than {MOST_ENTRIES}.", path)
    assert shape.inner is not None
    found: dict[str, Any] = {}
    for name, value in raw.items():
        if len(_storable(name, path)) > LONGEST_KEY:
            raise Refusal(PARAMETER_TOO_LONG, f"a key has {len(name)} characters, more than {LONGEST_KEY}.", path)
        at = _join(path, name)
        found[name] = "" if value == "" and shape.inner.kind == "text" else _value(shape.inner, value, at)
    return found


def _metadata(raw: Mapping[str, Any], path: str) -> dict[str, str]:
    if len(raw) > METADATA_KEYS:
        raise Refusal(METADATA_INVALID, f"metadata has {len(raw)} keys, more than {METADATA_KEYS}.", path)
    for name, value in raw.items():
        at = _join(path, name)
        if not name or len(name) > METADATA_KEY:
            raise Refusal(METADATA_INVALID, f"a key of metadata has {len(name)} characters, and not 1 to {METADATA_KEY}.", at)
        if "[" in _storable(name, path) or "]" in name:
            raise Refusal(METADATA_INVALID, f"the key {shown(name)} of metadata has a bracket.", at)
        if not isinstance(value, str):
            raise Refusal(METADATA_INVALID, f"the value of a key of metadata is {_named(value)} and no text.", at)
        if len(_storable(value, at)) > METADATA_VALUE:
            raise Refusal(METADATA_INVALID, f"a value of metadata has {len(value)} characters, more than {METADATA_VALUE}.", at)
    return dict(raw)


def _list(shape: Shape, raw: Any, path: str) -> list[Any]:
    match raw:
        case list():
            entries = [(str(at), value) for at, value in enumerate(raw)]
        case Mapping() if all(isinstance(name, str) and _INDEX.fullmatch(name) for name in raw):
            entries = sorted(raw.items(), key=lambda entry: int(entry[0]))
        case Mapping():
            wrong = next(name for name in raw if not (isinstance(name, str) and _INDEX.fullmatch(name)))
            raise Refusal(PARAMETER_NOT_LIST, f"{shown(wrong)} is no index of a list.", _join(path, wrong))
        case _:
            raise Refusal(PARAMETER_NOT_LIST, f"it is {_named(raw)} and no list.", path)
    if len(entries) > MOST_ENTRIES:
        raise Refusal(PARAMETER_TOO_MANY, f"it has {len(entries)} entries, more than {MOST_ENTRIES}.", path)
    assert shape.inner is not None
    return [_value(shape.inner, value, _join(path, at)) for at, value in entries]


def _text(shape: Shape, raw: Any, path: str) -> str:
    text = _plain(raw, path)
    longest = min(shape.longest or LONGEST_TEXT, LONGEST_TEXT)
    if len(text) > longest:
        raise Refusal(PARAMETER_TOO_LONG, f"it has {len(text)} characters, more than {longest}.", path)
    return text


def _choice(shape: Shape, raw: Any, path: str) -> str:
    if not isinstance(raw, str) or raw not in shape.choices:
        raise Refusal(PARAMETER_NOT_A_CHOICE, f"{_named(raw)} is none of {', '.join(shape.choices)}.", path)
    return raw


def _currency(raw: Any, path: str) -> str:
    return parse_currency(_plain(raw, path), path)


def _integer(raw: Any, path: str, kind: RefusalKind = PARAMETER_NOT_INTEGER) -> int:
    number = int(raw) if isinstance(raw, str) and _INTEGER.fullmatch(raw) else raw
    if isinstance(number, bool) or not isinstance(number, int) or not -(2**63) <= number < 2**63:
        raise Refusal(kind, f"{_named(raw)} is no whole number of 64 bits.", path)
    return number


def _timestamp(raw: Any, path: str) -> int:
    seconds = _integer(raw, path, PARAMETER_NOT_TIMESTAMP)
    if not 0 <= seconds <= LAST_SECOND:
        raise Refusal(PARAMETER_NOT_TIMESTAMP, f"{seconds} is not between 0 and {LAST_SECOND}.", path)
    return seconds


def _instant(raw: Any, path: str) -> int:
    return parse_instant(_plain(raw, path), path)


def _decimal(raw: Any, path: str) -> Decimal:
    if isinstance(raw, Mapping | list):
        raise Refusal(PARAMETER_NOT_DECIMAL, f"it is {_named(raw)} and no number.", path)
    try:
        return Decimal(show_number(parse_number(raw)))
    except Refusal as refusal:
        raise Refusal(PARAMETER_NOT_DECIMAL, refusal.message, path) from refusal


def _boolean(raw: Any, path: str) -> bool:
    if raw is True or raw is False:
        return bool(raw)
    if raw not in ("true", "false"):
        raise Refusal(PARAMETER_NOT_BOOLEAN, f"{_named(raw)} is neither true nor false.", path)
    return bool(raw == "true")


def _empty(raw: Any, path: str) -> None:
    raise Refusal(PARAMETER_NOT_A_CHOICE, f"{_named(raw)} is not empty.", path)


_SHAPED: dict[str, Callable[[Shape, Any, str], Any]] = {
    "object": _object,
    "map": _map,
    "document": _document,
    "list": _list,
    "text": _text,
    "choice": _choice,
}
_PLAIN: dict[str, Callable[[Any, str], Any]] = {
    "currency": _currency,
    "integer": _integer,
    "timestamp": _timestamp,
    "instant": _instant,
    "decimal": _decimal,
    "boolean": _boolean,
    "empty": _empty,
}
_NAMES = {
    "object": "an object",
    "map": "an object",
    "document": "an object",
    "list": "a list",
    "text": "a text",
    "currency": "a currency",
    "integer": "a whole number",
    "timestamp": "a time in seconds",
    "instant": "a time",
    "decimal": "a decimal number",
    "boolean": "true or false",
    "empty": "empty",
}


def _expected(shape: Shape) -> str:
    return " or ".join(", ".join(option.choices) if option.kind == "choice" else _NAMES[option.kind] for option in shape.options)


def _named(raw: Any) -> str:
    """A value as a message shows it; objects and lists, which may be of any depth, only by name."""
    if isinstance(raw, Mapping):
        return "an object"
    return "a list" if isinstance(raw, list) else shown(raw)


def _plain(raw: Any, path: str) -> str:
    if not isinstance(raw, str):
        raise Refusal(PARAMETER_NOT_TEXT, f"it is {_named(raw)} and no text.", path)
    return _storable(raw, path)


def _storable(text: str, path: str) -> str:
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text if letter > "\ud7ff"):
        raise Refusal(TEXT_NOT_STORABLE, f"{shown(text)} cannot be stored.", path)
    return text


def _join(path: str, name: object) -> str:
    """A place as it is named to the client; a name longer than any parameter is cut."""
    part = str(name)[:100]
    return f"{path}[{part}]" if path else part
