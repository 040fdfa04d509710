"""JSON read exactly: numbers keep every digit, and what another reader could understand differently is refused."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from farthing.core.base.json_value import NumberText, shown
from farthing.core.base.refusal import Refusal, RefusalKind
from farthing.core.base.refusals import NUMBER_NOT_FINITE, NUMBER_TOO_LARGE
from farthing.core.events.fields import below
from farthing.core.events.refusals import JSON_MALFORMED, KEY_REPEATED

DEEPEST = 32


@dataclass(frozen=True, slots=True)
class BadNumber:
    """What stands for a bare number that cannot be read: the literal (shortened), and what is wrong with it."""

    literal: str
    kind: RefusalKind
    message: str

    def __repr__(self) -> str:
        return self.literal


def decode_json(text: str | bytes) -> Any:
    """One JSON document as dicts, lists, str, int, Decimal, bool and None; never float.

    Bytes are UTF-8, with or without a byte order mark. Errors: json_malformed (also for more than 32 levels of nesting),
    key_repeated; at the place of the number: number_not_finite (NaN, Infinity), number_too_large (thousands of digits).
    """
    text = _checked(text)
    try:
        return _DECODER.decode(text)
    except (ValueError, InvalidOperation, _NotFinite):  # a second, slower look tells what is wrong, and where
        document = _decode_tolerantly(text)
        refuse_bad_numbers(document)
        return document


def decode_tolerantly(text: str | bytes) -> Any:
    """As `decode_json`, but bare numbers that cannot be read come back as BadNumber, for the caller to refuse."""
    return _decode_tolerantly(_checked(text))


def refuse_bad_numbers(document: object, place: str | None = None) -> None:
    """Refuse the first BadNumber in a document, with its place. Errors: number_not_finite, number_too_large."""
    if isinstance(document, BadNumber):
        raise Refusal(document.kind, document.message, place)
    if isinstance(document, dict):
        for name, value in document.items():
            refuse_bad_numbers(value, below(place, name[:100]))
    elif isinstance(document, list):
        for i, value in enumerate(document):
            refuse_bad_numbers(value, f"{place or ''}[{i}]")


def _checked(text: str | bytes) -> str:
    if isinstance(text, bytes):
        text = _decoded(text)
    if text.count("{") + text.count("[") > DEEPEST:
        _refuse_depth(text)
    return text


def _decode_tolerantly(text: str) -> Any:
    try:
        return _TOLERANT.decode(text)
    except json.JSONDecodeError as error:
        raise Refusal(JSON_MALFORMED, f"{error.msg} at character {error.pos + 1}.") from None


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(JSON_MALFORMED, f"byte {error.start + 1} is not UTF-8.") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise Refusal(KEY_REPEATED, f"{shown(twice)} is given twice.", twice[:100])
    return found


class _NotFinite(Exception):
    pass


def _not_finite(_name: str) -> NoReturn:
    raise _NotFinite


def _bad_constant(name: str) -> BadNumber:
    return BadNumber(name, NUMBER_NOT_FINITE, f"{name} is not a finite number.")


def _number(literal: str) -> int | Decimal | BadNumber:
    try:
        return int(literal) if literal.lstrip("-").isdigit() else Decimal(literal)
    except (ValueError, InvalidOperation):  # more digits than int() converts, or an exponent beyond Decimal's
        return BadNumber(shown(NumberText(literal)), NUMBER_TOO_LARGE, f"a number of {len(literal)} characters is too large.")


def _refuse_depth(text: str) -> None:
    """Refuse a text whose brackets, those inside strings apart, nest too deep. Malformed texts are left to the decoder."""
    depth, quoted, escaped = 0, False, False
    for character in text:
        if quoted:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                quoted = False
        elif character == '"':
            quoted = True
        elif character in "{[":
            depth += 1
            if depth > DEEPEST:
                raise Refusal(JSON_MALFORMED, f"the document nests deeper than {DEEPEST} levels.")
        elif character in "}]":
            depth -= 1


# Decimal keeps the digits as written; its own limits lie far beyond those of parse_number, which judges the value.
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=Decimal, parse_constant=_not_finite)
_TOLERANT = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_number, parse_float=_number, parse_constant=_bad_constant)
