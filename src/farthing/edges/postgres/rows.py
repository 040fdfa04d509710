"""Facts as rows of bytes, ready for COPY, and the hash by which the registry tells content sent again from other content.

A row is `identifier, target, event_name, customer, at, payload` in COPY's text form, joined by tabs: `\\N` is null, and backslash,
tab, newline and carriage return are escaped. An event has no target; a cancellation has a target and an event_name only; a
replacement has all. The payload is the canonical JSON of the properties. `at` is UTC microseconds.

The hash of an event or replacement is the first 16 bytes of the SHA-256 of its row. It is kept for as long as the event may be billed:
neither the order of the columns nor their form may ever change.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import msgspec

from farthing.core.events.admission import Claim
from farthing.core.events.event import Cancel, Event, Fact, Replace

NULL = b"\\N"
_ESCAPES = ((b"\\", b"\\\\"), (b"\t", b"\\t"), (b"\n", b"\\n"), (b"\r", b"\\r"))
_ESCAPED = re.compile(r"\\(.)")
_MEANINGS = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}
_canonical = msgspec.json.Encoder(order="sorted").encode
_sha256 = hashlib.sha256


@dataclass(frozen=True, slots=True)
class FactRows:
    """Facts by column, each value ready for COPY (escaped, `NULL` for null). `targets` None: all are events that replace nothing.

    `identifiers` is null for cancellations. All columns are equally long.
    """

    identifiers: Sequence[bytes]
    event_names: Sequence[bytes]
    customers: Sequence[bytes]
    ats: Sequence[bytes]
    payloads: Sequence[bytes]
    targets: Sequence[bytes] | None = None

    def __len__(self) -> int:
        return len(self.identifiers)

    @property
    def plain(self) -> bool:
        """Whether all are events that replace nothing, under identifiers that differ."""
        return self.targets is None and len(set(self.identifiers)) == len(self.identifiers)

    @property
    def replacing(self) -> bool:
        """Whether one of them is a replacement."""
        return self.targets is not None and any(NULL not in pair for pair in zip(self.identifiers, self.targets, strict=True))

    def subset(self, indices: Sequence[int]) -> FactRows:
        """The rows at these places."""

        def chosen(column: Sequence[bytes]) -> list[bytes]:
            return [column[index] for index in indices]

        return FactRows(
            chosen(self.identifiers),
            chosen(self.event_names),
            chosen(self.customers),
            chosen(self.ats),
            chosen(self.payloads),
            None if self.targets is None else chosen(self.targets),
        )

    def fact(self, index: int) -> Fact:
        """The fact in one row."""
        identifier = _plain(self.identifiers[index])
        target = None if self.targets is None else _plain(self.targets[index])
        event_name = _plain(self.event_names[index]) or ""
        if identifier is None:
            return Cancel(target or "", event_name)
        properties = msgspec.json.decode(_plain(self.payloads[index]) or "{}")
        event = Event(identifier, event_name, _plain(self.customers[index]) or "", int(self.ats[index]), properties)
        return event if target is None else Replace(target, event)

    def claims(self) -> Iterator[Claim]:
        """What each row asks of the log; its content is the hash."""
        targets = repeat(NULL, len(self)) if self.targets is None else self.targets
        for identifier, target, event_name, line in zip(self.identifiers, targets, self.event_names, self.lines(), strict=True):
            yield Claim(_plain(identifier), _plain(target), _plain(event_name) or "", hash_of(line))

    def lines(self) -> Iterator[bytes]:
        """The rows, without the ordinal and hash that COPY puts before them."""
        targets = repeat(NULL, len(self)) if self.targets is None else self.targets
        return map(b"\t".join, zip(self.identifiers, targets, self.event_names, self.customers, self.ats, self.payloads, strict=True))


def rows_of(facts: Iterable[Fact]) -> FactRows:
    """The rows of facts, in their order."""
    columns: tuple[list[bytes], ...] = ([], [], [], [], [], [])
    any_target = False
    for fact in facts:
        row = _row(fact)
        any_target |= row[1] is not NULL
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    identifiers, targets, event_names, customers, ats, payloads = columns
    return FactRows(identifiers, event_names, customers, ats, payloads, targets if any_target else None)


def _row(fact: Fact) -> tuple[bytes, bytes, bytes, bytes, bytes, bytes]:
    if isinstance(fact, Event):
        return _event_row(fact, NULL)
    if isinstance(fact, Replace):
        return _event_row(fact.event, escaped(fact.target))
    return NULL, escaped(fact.target), escaped(fact.event_name), NULL, NULL, NULL


def _event_row(event: Event, target: bytes) -> tuple[bytes, bytes, bytes, bytes, bytes, bytes]:
    payload = _canonical(event.properties).replace(b"\\", b"\\\\")
    return escaped(event.identifier), target, escaped(event.event_name), escaped(event.customer), b"%d" % event.at, payload


def escaped(text: str) -> bytes:
    """A text value in COPY's text form."""
    value = text.encode()
    if "\\" in text or not text.isprintable():
        for raw, escape in _ESCAPES:
            value = value.replace(raw, escape)
    return value


def _plain(value: bytes) -> str | None:
    """The inverse of `escaped`; None for NULL."""
    if value == NULL:
        return None
    text = value.decode()
    return _ESCAPED.sub(lambda match: _MEANINGS[match[1]], text) if "\\" in text else text


def line_of(fact: Event | Replace | Cancel) -> bytes:
    """The row of one fact."""
    return b"\t".join(_row(fact))


def hash_of(line: bytes) -> str:
    """The registry's hash over a row, as 32 hexadecimal digits."""
    return _sha256(line).hexdigest()[:32]


def copy_lines(rows: FactRows, ordinals: Iterable[int], size: int = 4096) -> Iterator[bytes]:
    """The rows as COPY takes them, `size` at a time: ordinal, hash, row."""
    chunk: list[bytes] = []
    sha256 = _sha256
    for ordinal, line in zip(ordinals, rows.lines(), strict=False):
        chunk.append(b"%d\t%b\t%b\n" % (ordinal, sha256(line).hexdigest()[:32].encode(), line))
        if len(chunk) == size:
            yield b"".join(chunk)
            chunk.clear()
    yield b"".join(chunk)
