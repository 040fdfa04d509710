"""Canonical JSON and digests: the same content gives the same bytes, on every machine and in every year."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(document: Any) -> str:
    """JSON with sorted keys, no white space, non-ASCII kept, and only str, int, bool, None, lists and dicts inside."""
    _check(document)
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(document: Any) -> str:
    """SHA-256 over the canonical JSON of `document`, as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(canonical_json(document).encode("utf-8")).hexdigest()


def _check(node: Any) -> None:
    match node:
        case None | bool() | int() | str():
            return
        case dict():
            for key, value in node.items():
                if not isinstance(key, str):
                    raise TypeError("keys of a canonical document are text")
                _check(value)
        case list() | tuple():
            for value in node:
                _check(value)
        case _:
            raise TypeError(f"{type(node).__name__} has no canonical form; write numbers as exact text")
