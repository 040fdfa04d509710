"""JSON read exactly: numbers keep every digit, and what another reader could understand differently is refused."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import NUMBER_NOT_FINITE, NUMBER_TOO_LARGE
from farthing.core.events.refusals import JSON_MALFORMED, KEY_REPEATED

DEEPEST = 32


def decode_json(text: str | bytes) -> Any:
    """One JSON document as dicts, lists, str, int, Decimal, bool and None; never float.

    Bytes are UTF-8, with or without a byte order mark. Errors: json_malformed (also for more than 32
    levels of nesting), key_repeated, number_not_finite (NaN, Infinity), number_too_large (thousands of digits).
    """
    if isinstance(text, bytes):
        text = _decoded(text)
    if text.count("{") + text.count("[") > DEEPEST:
        _refuse_depth(text)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Refusal(JSON_MALFORMED, f"{error.msg} at character {error.pos + 1}.") from None
    except (ValueError, InvalidOperation):  # more digits than int() converts, or an exponent beyond Decimal's
        raise Refusal(NUMBER_TOO_LARGE, "a number has thousands of digits.") from None


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
        raise Refusal(KEY_REPEATED, f"{twice[:60]!r} is given twice.", twice[:100])
    return found


def _not_finite(name: str) -> NoReturn:
    raise Refusal(NUMBER_NOT_FINITE, f"{name} is not a finite number.")


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
