"""Forms: from the bytes of a body or a query to nested values, bounded whatever they are."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote_to_bytes

from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import TEXT_NOT_STORABLE
from farthing.edges.http.refusals import FORM_CONFLICT, FORM_MALFORMED, FORM_TOO_LARGE

MOST_BYTES = 1_048_576
MOST_FIELDS = 5_000
MOST_LEVELS = 10
LONGEST_NAME = 500
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def decode(body: bytes) -> dict[str, Any]:
    """The nested values of a form or a query: texts, objects (`a[b]=1`, and `a[0]=1` with the key "0": only a parameter's shape tells
    a list from a map) and lists (`a[]=1`; in `a[][b]=1&a[][c]=2` the next entry begins where a name comes again).

    Errors: form_too_large, form_malformed, form_conflict, text_not_storable."""
    if len(body) > MOST_BYTES:
        raise Refusal(FORM_TOO_LARGE, f"the form has {len(body)} bytes, more than {MOST_BYTES}.")
    pairs = [pair for pair in body.split(b"&") if pair]
    if len(pairs) > MOST_FIELDS:
        raise Refusal(FORM_TOO_LARGE, f"the form has {len(pairs)} fields, more than {MOST_FIELDS}.")
    form: dict[str, Any] = {}
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        path = _text(name, None)
        _put(form, path, _text(value, path[:80]))
    return form


def _text(raw: bytes, field: str | None) -> str:
    if _BAD_ESCAPE.search(raw):
        raise Refusal(FORM_MALFORMED, "a percent sign is not followed by two hexadecimal digits.", field)
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode()
    except UnicodeDecodeError as wrong:
        raise Refusal(FORM_MALFORMED, f"byte {wrong.start} of a name or value is not UTF-8.", field) from wrong
    if "\0" in text:
        raise Refusal(TEXT_NOT_STORABLE, "a name or value contains the NUL character.", field)
    return text


def _put(form: dict[str, Any], path: str, value: str) -> None:
    if len(path) > LONGEST_NAME:
        raise Refusal(FORM_TOO_LARGE, f"the name of a field has {len(path)} characters, more than {LONGEST_NAME}.", path[:80])
    if "[" not in path and "]" not in path and path:
        parts = [path]
    else:
        parts = _parts(path)
    node: Any = form
    for at, part in enumerate(parts[:-1]):
        node = _inside(node, part, [] if parts[at + 1] == "" else {}, parts[at + 1 :], path)
    last = parts[-1]
    if last == "":
        node.append(value)
    elif last in node:
        raise Refusal(FORM_CONFLICT, f"{shown(path)} is sent twice, or both as a value and as an object or list.", path)
    else:
        node[last] = value


def _parts(path: str) -> list[str]:
    found = _NAME.fullmatch(path)
    if found is None:
        raise Refusal(FORM_MALFORMED, f"{shown(path)} is not the name of a field.", path[:80] or None)
    parts = [found[1], *_PART.findall(found[2])]
    if len(parts) > MOST_LEVELS:
        raise Refusal(FORM_TOO_LARGE, f"{shown(path)} has {len(parts)} levels, more than {MOST_LEVELS}.", path[:80])
    return parts


def _inside(node: Any, part: str, fresh: Any, rest: list[str], path: str) -> Any:
    """What stands at `part` of an object or list, made where it is missing; it must be of the same type as `fresh`."""
    if part == "":
        if not node or not isinstance(node[-1], type(fresh)) or _has(node[-1], rest):
            node.append(fresh)
        return node[-1]
    inner = node.setdefault(part, fresh)
    if not isinstance(inner, type(fresh)):
        raise Refusal(FORM_CONFLICT, f"{shown(path)} is sent both as a value and as an object or list.", path)
    return inner


def _has(node: Any, rest: list[str]) -> bool:
    """Whether an entry of a list has this place already, so that the next entry begins."""
    for part in rest:
        if part == "" or not isinstance(node, dict):
            return False
        if part not in node:
            return False
        node = node[part]
    return True
