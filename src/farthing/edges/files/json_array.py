"""A JSON array of documents, as CloudEvents are batched: streamed, element by element, however long the array is.

An element's place is its number, from 1: an array may be a single line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from io import BufferedIOBase

from farthing.core.base.refusal import Refusal
from farthing.core.events.refusals import JSON_MALFORMED
from farthing.edges.files.lines import DAMAGE, LINE_LARGEST, RAW_KEPT, skip_to, unreadable
from farthing.edges.files.ndjson import decoded
from farthing.edges.files.refusals import LINE_TOO_LONG
from farthing.edges.files.rows import START, Mark, Row

CHUNK = 1 << 18
_IN_TEXT = re.compile(rb'["\\]')
# Everything up to the next bracket, or to a text that does not end in this piece. Possessive: nothing is tried twice.
_FLAT = re.compile(rb'(?:[^"\[\]{}]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+', re.DOTALL)
_QUOTE = ord('"')
_DEEPER = {ord("{"): 1, ord("["): 1, _QUOTE: 0}
_IN_SCALAR = re.compile(rb"[,\]\s]")
_SPACE = re.compile(rb"[ \t\r\n]*")


class _Element:
    """Finds where one element of an array ends, fed piece by piece; what it keeps between pieces is the depth and the quoting."""

    def __init__(self, first: int) -> None:
        self.find = self._nested if first in b'{["' else self._scalar
        self.depth, self.quoted, self.escaped = 0, False, False
        self.is_text = first == _QUOTE

    def _scalar(self, data: bytes, at: int) -> int | None:
        match = _IN_SCALAR.search(data, at)
        return None if match is None else match.start()

    def _nested(self, data: bytes, at: int) -> int | None:
        """The index just behind the element, or None when it goes on beyond `data`."""
        if self.is_text:
            self.quoted, self.is_text, at = True, False, at + 1
        while True:
            if self.quoted:
                at = self._text(data, at)
            else:
                flat = _FLAT.match(data, at)
                assert flat is not None
                at = flat.end()
                if at < len(data):
                    self.depth += _DEEPER.get(data[at], -1)
                    self.quoted = data[at] == _QUOTE
                    at += 1
            if at == len(data) and (self.quoted or self.depth > 0):
                return None
            if self.depth <= 0 and not self.quoted:
                return at

    def _text(self, data: bytes, at: int) -> int:
        """Go on inside a text that began in an earlier piece, to its end or that of `data`."""
        while at < len(data):
            if self.escaped:
                self.escaped, at = False, at + 1
                continue
            match = _IN_TEXT.search(data, at)
            if match is None:
                return len(data)
            at = match.end()
            if match[0] == b'"':
                self.quoted = False
                return at
            self.escaped = True
        return at


class _Array:
    """The array as read so far: the chunk in hand, how far it is consumed, and how many elements there were."""

    def __init__(self, content: BufferedIOBase, start: Mark) -> None:
        self.content, self.data, self.at = content, b"", 0
        self.consumed, self.row = start.offset, start.row

    def more(self) -> bool:
        """Read the next chunk when this one is consumed; False at the end of the file."""
        if self.at == len(self.data):
            self.consumed += self.at
            self.data, self.at = self.content.read1(CHUNK), 0
        return bool(self.data)

    def next_byte(self) -> int | None:
        """The next byte that is no white space, not consumed; None at the end."""
        while self.more():
            match = _SPACE.match(self.data, self.at)
            assert match is not None
            self.at = match.end()
            if self.at < len(self.data):
                return self.data[self.at]
        return None

    def mark(self) -> Mark:
        return Mark(self.consumed + self.at, self.row, self.row)

    def element(self, first: int) -> tuple[bytes, int]:
        """Consume one element: its bytes, as many as an element may have, and how many there are."""
        element, kept, size = _Element(first), b"", 0
        while self.more():
            end = element.find(self.data, self.at)
            stop = len(self.data) if end is None else end
            size += stop - self.at
            if len(kept) <= LINE_LARGEST:
                kept += self.data[self.at : stop]
            self.at = stop
            if end is not None:
                break
        self.row += 1
        return kept, size


def read_json_array(content: BufferedIOBase, name: str, start: Mark) -> Iterator[Row]:
    """The elements after `start`. One that is no JSON is refused alone, as long as its brackets and quotes close."""
    skip_to(content, start.offset)
    array = _Array(content, start)
    try:
        if start.offset or _opened(array):
            yield from _elements(array, start.offset == 0)
        else:
            yield Row(1, START, array.data[:RAW_KEPT], Refusal(JSON_MALFORMED, "the file does not start with [."))
    except DAMAGE as error:
        yield Row(array.row + 1, array.mark(), b"", unreadable(name, error))


def _opened(array: _Array) -> bool:
    if array.more() and array.data.startswith(b"\xef\xbb\xbf"):
        array.at = 3
    found = array.next_byte() == ord("[")
    array.at += found
    return found


def _elements(array: _Array, fresh: bool) -> Iterator[Row]:
    """The elements and what is wrong between them. Marks stand behind elements, never behind a comma or the end of the array: so
    reading on from one needs no more than its offset."""
    comma = False
    while (byte := array.next_byte()) is not None:
        missing = comma and byte in b",]"
        if missing:
            yield _fault(array, "an element is missing after a comma.")
        if byte == ord("]"):
            last = array.mark()
            array.at += 1
            if array.next_byte() is not None:
                yield replace(_fault(array, "something follows the end of the array."), after=last)
            return
        if byte == ord(","):
            if fresh:
                yield _fault(array, "an element is missing before the first comma.")
            array.at += 1
            comma, fresh = True, False
            continue
        yield _row(array, byte, comma or fresh)
        comma, fresh = False, False
    yield _fault(array, "the array does not end; the file may be cut off.")


def _fault(array: _Array, message: str) -> Row:
    return Row(array.row + 1, array.mark(), array.data[array.at : array.at + RAW_KEPT], Refusal(JSON_MALFORMED, message))


def _row(array: _Array, first: int, parted: bool) -> Row:
    raw, size = array.element(first)
    if size > LINE_LARGEST:
        return Row(array.row, array.mark(), raw[:RAW_KEPT], Refusal(LINE_TOO_LONG, f"the element has {size} bytes."))
    if not parted:
        return Row(array.row, array.mark(), raw, Refusal(JSON_MALFORMED, "a comma is missing before this element."))
    return Row(array.row, array.mark(), raw, decoded(raw))
