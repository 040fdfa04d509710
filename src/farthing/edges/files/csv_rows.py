"""CSV as RFC 4180 has it: quoted fields may span lines. Records are found line by line, so that a bad one costs no other."""

from __future__ import annotations

import codecs
import csv
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_INVALID, TEXT_NOT_STORABLE
from farthing.edges.files.lines import LINE_LARGEST, Line, physical_lines, skip_to
from farthing.edges.files.refusals import (
    COLUMN_REPEATED,
    CSV_FIELD_COUNT,
    CSV_HEADER_MISSING,
    CSV_MALFORMED,
    CSV_QUOTE_UNCLOSED,
    ENCODING_MALFORMED,
    ENCODING_UNSUPPORTED,
)
from farthing.edges.files.rows import START, Mark, Row

RECORD_LINES_MOST = 1000
ENCODINGS = ("utf-8", "iso8859-1", "iso8859-15", "cp1252", "ascii")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written. Quotes are always `"`, doubled inside a quoted field. A `delimiter` of None goes by the file's
    name: a tab for .tsv, else a comma."""

    delimiter: str | None = None
    encoding: str = "utf-8"
    header: bool = True


PLAIN = Dialect()


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a file, and the mark behind the line that names them."""

    columns: tuple[str, ...]
    after: Mark


def dialect(delimiter: str | None = None, encoding: str = "utf-8", header: bool = True) -> Dialect:
    """A dialect that can be read. Errors: field_invalid (delimiter), encoding_unsupported."""
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\0' or not delimiter.isascii()):
        raise Refusal(FIELD_INVALID, f"{delimiter[:10]!r} is not one ASCII character that can part fields.", "delimiter")
    try:
        known = codecs.lookup(encoding).name.replace("utf-8-sig", "utf-8")
    except LookupError:
        known = ""
    if known not in ENCODINGS:
        raise Refusal(ENCODING_UNSUPPORTED, f"{encoding[:40]!r} is not one of {', '.join(ENCODINGS)}.", "encoding")
    return Dialect(delimiter, known, header)


def delimiter_of(form: Dialect, file: str) -> str:
    """The character that parts the fields of a file."""
    if form.delimiter is not None:
        return form.delimiter
    return "\t" if ".tsv" in Path(file.lower()).suffixes else ","


def read_header(content: BufferedIOBase, name: str, form: Dialect) -> Header:
    """The columns of a file: from its first record, or "1", "2", … where it has no header.

    Errors: csv_header_missing, column_repeated, and what can be wrong with any record.
    """
    skip_to(content, 0)
    for record in _records(content, name, form, START, None):
        if isinstance(record.content, Refusal):
            raise record.content
        if not form.header:
            return Header(tuple(str(i) for i in range(1, len(record.content) + 1)), START)
        columns = tuple(column.strip() for column in record.content)
        check_names([column for column in columns if column], name)
        return Header(columns, Mark(record.after.offset, record.after.line, 0))
    raise Refusal(CSV_HEADER_MISSING, f"{name} is empty.")


def check_names(columns: Sequence[str], file: str) -> None:
    """Refuse a file in which two columns have the same name. Errors: column_repeated."""
    twice = next((name for name, count in Counter(columns).items() if count > 1), None)
    if twice is not None:
        raise Refusal(COLUMN_REPEATED, f"{file} has two columns {twice[:60]!r}.", twice[:100])


def read_csv(content: BufferedIOBase, name: str, form: Dialect, header: Header, start: Mark) -> Iterator[Row]:
    """The records after `start` as column → text, empty fields left out. A bad record is refused with its first line.

    A quote that is never closed, or a quoted field that spans lines and makes no record, is refused as the one line where it
    begins; reading goes on with the next line, for more likely that line is at fault than all that follow.
    """
    start = max(start, header.after)
    skip_to(content, start.offset)
    columns = header.columns
    for record in _records(content, name, form, start, len(columns)):
        if not isinstance(record.content, Refusal):
            record.content = {column: text for column, text in zip(columns, record.content, strict=True) if text and column}
        yield record


def _records(content: BufferedIOBase, name: str, form: Dialect, start: Mark, width: int | None) -> Iterator[Row]:
    lines = _Lines(physical_lines(content, name, start.offset, start.line), form.encoding)
    delimiter, row = delimiter_of(form, name), start.row
    while (line := lines.next()) is not None:
        if line.refusal is None and not line.text:
            continue
        row += 1
        content_of, taken = _record(line, lines, delimiter, width)
        raw = b"\n".join(part.line.data for part in taken)
        last = taken[-1].line
        yield Row(line.line.number, Mark(last.end, last.number, row), raw, content_of)


@dataclass(slots=True)
class _Text:
    line: Line
    text: str
    refusal: Refusal | None


class _Lines:
    """Lines as text, some of which may be given back."""

    def __init__(self, lines: Iterator[Line], encoding: str) -> None:
        self._lines, self._encoding = lines, encoding
        self._returned: deque[_Text] = deque()

    def next(self) -> _Text | None:
        if self._returned:
            return self._returned.popleft()
        line = next(self._lines, None)
        return None if line is None else self._text(line)

    def give_back(self, lines: Sequence[_Text]) -> None:
        self._returned.extendleft(reversed(lines))

    def _text(self, line: Line) -> _Text:
        if line.refusal is not None:
            return _Text(line, "", line.refusal)
        data = line.data.removeprefix(codecs.BOM_UTF8) if line.number == 1 else line.data
        try:
            text = data.decode(self._encoding)
        except UnicodeDecodeError as error:
            return _Text(line, "", Refusal(ENCODING_MALFORMED, f"byte {error.start + 1} of the line is not {self._encoding}."))
        if "\0" in text:
            return _Text(line, text, Refusal(TEXT_NOT_STORABLE, f"character {text.index(chr(0)) + 1} of the line is NUL."))
        return _Text(line, text, None)


def _record(first: _Text, lines: _Lines, delimiter: str, width: int | None) -> tuple[list[str] | Refusal, list[_Text]]:
    """The fields of the record that begins with `first`, or why it is none, with the lines it takes."""
    if first.refusal is not None:
        return first.refusal, [first]
    if '"' not in first.text:
        return _checked(_plain(first.text, delimiter), width), [first]
    taken, state = [first], _scan(first.text, delimiter, False)
    size = len(first.text)
    while state is None and len(taken) < RECORD_LINES_MOST and size <= LINE_LARGEST:
        following = lines.next()
        if following is None:
            break
        if following.refusal is not None:
            lines.give_back([following])
            break
        taken.append(following)
        size += len(following.text)
        state = _scan(following.text, delimiter, True)
    fields = _quoted(taken, state, delimiter, width)
    if isinstance(fields, Refusal) and len(taken) > 1:
        lines.give_back(taken[1:])
        taken = taken[:1]
    return fields, taken


def _scan(text: str, delimiter: str, inside: bool) -> bool | None:
    """Walk the fields of one line, `inside` a quoted one or not: True when the record ends with it, None when a quoted field goes
    on in the next line, False when something follows a closing quote."""
    at, end = 0, len(text)
    while True:
        if inside:
            close = text.find('"', at)
            if close < 0:
                return None
            if text.startswith('"', close + 1):
                at = close + 2
                continue
            at, inside = close + 1, False
            if at == end:
                return True
            if text[at] != delimiter:
                return False
            at += 1
        elif text.startswith('"', at):
            at, inside = at + 1, True
        else:
            at = text.find(delimiter, at) + 1
            if at == 0:
                return True


def _plain(text: str, delimiter: str) -> list[str] | Refusal:
    if "\r" in text:
        return Refusal(CSV_MALFORMED, f"character {text.index(chr(13)) + 1} is a carriage return.")
    return text.split(delimiter)


def _quoted(taken: Sequence[_Text], state: bool | None, delimiter: str, width: int | None) -> list[str] | Refusal:
    if state is None or (state is False and len(taken) > 1):
        return Refusal(CSV_QUOTE_UNCLOSED, "a quoted field begins here and does not end as it should.")
    if state is False:
        return Refusal(CSV_MALFORMED, "something other than the delimiter follows a closing quote.")
    try:
        fields = next(csv.reader(["\n".join(part.text for part in taken)], delimiter=delimiter, strict=True))
    except csv.Error as error:
        return Refusal(CSV_MALFORMED, f"{error}.")
    return _checked(fields, width)


def _checked(fields: list[str] | Refusal, width: int | None) -> list[str] | Refusal:
    if isinstance(fields, Refusal) or width is None or len(fields) == width:
        return fields
    return Refusal(CSV_FIELD_COUNT, f"{len(fields)} fields, the header has {width}.")
