"""Values of documents: what may be kept, and where in a document a condition looks. Both stores go by this."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from farthing.app.resources.table import Row, Test
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import TEXT_TOO_LONG
from farthing.core.events.fields import read_storable

METADATA = "metadata"
CREATED = "created"
COMPARISONS = ("gt", "gte", "lt", "lte")
LONGEST_NAME = 500
"""In characters: an index takes a row of some 2,700 bytes."""
_INDEX = re.compile(r"-?\d+", re.ASCII)


def kept(value: Any, place: str | None = None) -> Any:
    """A copy of a document or of a part of it, which shares nothing that can be changed. Numbers are ints, or Decimals where the API shows
    a fraction. TypeError for anything else, a float above all. Errors: text_not_storable."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return read_storable(value, place)
        case Mapping():
            return {read_storable(name, place): kept(one, f"{place}.{name}" if place else name) for name, one in value.items()}
        case list() | tuple():
            return [kept(one, f"{place or ''}[{n}]") for n, one in enumerate(value)]
        case Decimal() if value.is_finite():
            return value
    raise TypeError(f"a document cannot hold {type(value).__name__} (at {place})")


def named(text: str, field: str) -> str:
    """A text that is to be found by: an id, the name of a claim or of a series. ValueError if it is empty. Errors: text_too_long,
    text_not_storable."""
    if not text:
        raise ValueError(f"{field} is empty")
    if len(text) > LONGEST_NAME:
        raise Refusal(TEXT_TOO_LONG, f"it has {len(text)} characters, and {LONGEST_NAME} are kept.", field)
    return read_storable(text, field)


def steps(path: str) -> tuple[str, ...]:
    """The names on the way to a field. All behind `metadata.` is one key, whatever is in it."""
    first, dot, rest = path.partition(".")
    return (first, rest) if dot and first == METADATA else tuple(path.split("."))


def passes(row: Row, test: Test) -> bool:
    """Whether a row fulfils a condition. `created` compares the row's own; a comparison with what is no number is not fulfilled."""
    checked(test)
    value = row.created if test.path == CREATED and test.op in COMPARISONS else _at(row.document, steps(test.path))
    return _holds(test.op, value, test.value) is not test.negated


def checked(test: Test) -> Test:
    """The condition, whose value fits its `op`. ValueError where it does not. Errors: text_not_storable."""
    wanted = (int,) if test.op in COMPARISONS else (str,) if test.op == "has" else (str, int, bool, type(None))
    if type(test.value) not in wanted:
        raise ValueError(f"{test.op} cannot compare with a {type(test.value).__name__}")
    for text in (test.path, test.value):
        if isinstance(text, str):
            read_storable(text, test.path)
    return test


def folded(text: str) -> str:
    """A text for comparison regardless of case: each character's own lower case, as PostgreSQL has it (`pg_c_utf8`)."""
    return "".join(character.lower()[0] for character in text)


def _at(value: Any, names: tuple[str, ...]) -> Any:
    """What stands at a path, None where nothing does; in lists a name is a place from 0, or from the end."""
    for name in names:
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and _INDEX.fullmatch(name) and -len(value) <= int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _holds(op: str, found: Any, wanted: Any) -> bool:
    if op == "eq":
        return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)
    if op == "has":
        return isinstance(found, str) and folded(wanted) in folded(found)
    if isinstance(found, bool) or not isinstance(found, int | Decimal):
        return False
    return bool({"gt": found > wanted, "gte": found >= wanted, "lt": found < wanted}.get(op, found <= wanted))
