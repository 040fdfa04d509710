"""Values of JSON documents: a bare number kept as text, and how a message shows any value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from itertools import islice


class NumberText(str):
    """The canonical decimal of a number that a document gave bare, not as text: readers of numbers take it, readers of text do not."""

    __slots__ = ()


def shown(raw: object) -> str:
    """A value as a message shows it: as JSON has it (`null`, `true`, `1.5`, `"text"`), at most 60 characters, whatever it is."""
    text = _json(raw)
    return text if len(text) <= 60 else text[:57] + "..."


def _json(raw: object) -> str:
    match raw:
        case NumberText() | Decimal():
            return str(raw)
        case str():
            return json.dumps(raw[:80], ensure_ascii=not raw.isprintable())
        case None | bool():
            return json.dumps(raw)
        case int() if raw.bit_length() > 1000:  # Python refuses to write ints beyond 4,300 digits
            return f"a number of {raw.bit_length()} bits"
        case Mapping():
            return "{" + ", ".join(f"{_json(name)}: {_json(value)}" for name, value in islice(raw.items(), 60)) + "}"
        case list() | tuple():
            return "[" + ", ".join(_json(value) for value in islice(raw, 60)) + "]"
    return repr(raw)
