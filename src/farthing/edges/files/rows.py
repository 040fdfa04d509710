"""What readers yield: rows with their place, each a document or a refusal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from farthing.core.base.refusal import Refusal
from farthing.core.events.event import Fact
from farthing.edges.files.refusals import FILE_CHANGED


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """How far a file has been read: bytes consumed (of what the file contains, decompressed; 0 for Parquet), and the lines and
    data rows before them. Reading on from a mark yields exactly the rows after it."""

    offset: int = 0
    line: int = 0
    row: int = 0

    def text(self) -> str:
        """The mark as text to keep, `offset:line:row`."""
        return f"{self.offset}:{self.line}:{self.row}"

    @classmethod
    def parse(cls, text: str) -> Mark:
        """The inverse of `text`. Errors: file_changed when it is none."""
        parts = text.split(":")
        if len(parts) != 3 or not all(part.isdecimal() and part.isascii() for part in parts):
            raise Refusal(FILE_CHANGED, f"{text[:60]!r} is no place in a file.")
        return cls(*(int(part) for part in parts))


START = Mark()
Raw = bytes | Mapping[str, Any]


@dataclass(slots=True)
class Row:
    """One row as a reader found it: `line` is where it begins (from 1; the row number in Parquet), `after` the mark behind it.

    `content` is a JSON document, or column → value, or the refusal of the row. `raw` is the row as it was.
    """

    line: int
    after: Mark
    raw: Raw
    content: Any


@dataclass(frozen=True, slots=True)
class Accepted:
    """A row that states a fact."""

    line: int
    fact: Fact
    raw: Raw

    def refused(self, refusal: Refusal) -> Rejected:
        """The same row, refused by the log."""
        return Rejected(self.line, refusal, self.raw)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was refused."""

    line: int
    refusal: Refusal
    raw: Raw


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive rows of a file: their facts, their refusals, the mark after them, and how much of `Source.total` is done."""

    accepted: tuple[Accepted, ...]
    rejected: tuple[Rejected, ...]
    after: Mark
    done: int


def shown_row(raw: Raw, longest: int = 65_536) -> str:
    """A row as text for a reject file: bytes that are no UTF-8 as \\xNN, columns as JSON, cut off at `longest` characters."""
    if isinstance(raw, bytes):
        return raw[: 4 * longest].decode("utf-8", "backslashreplace")[:longest]
    return json.dumps(dict(raw), ensure_ascii=False, default=_plain)[:longest]


def _plain(value: object) -> str:
    return value.code if isinstance(value, Refusal) else str(value)
