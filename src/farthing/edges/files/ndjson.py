"""NDJSON: one JSON document a line. Blank lines are passed over."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedIOBase
from typing import Any

from farthing.core.base.refusal import Refusal
from farthing.core.events.parse import decode_json
from farthing.edges.files.lines import physical_lines, skip_to
from farthing.edges.files.rows import Mark, Row


def read_ndjson(content: BufferedIOBase, name: str, start: Mark) -> Iterator[Row]:
    """The documents after `start`. A line that is no JSON is refused, and costs no other line."""
    skip_to(content, start.offset)
    row = start.row
    for line in physical_lines(content, name, start.offset, start.line):
        if line.refusal is None and not line.data.strip():
            continue
        row += 1
        yield Row(line.number, Mark(line.end, line.number, row), line.data, line.refusal or decoded(line.data))


def decoded(raw: bytes) -> Any:
    """The document in `raw`, or its refusal."""
    try:
        return decode_json(raw)
    except Refusal as refusal:
        return refusal
