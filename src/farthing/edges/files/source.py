"""An event file as batches of facts: `open_source(path).batches(1000)`. Loading them, and remembering how far, is the caller's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from itertools import islice
from pathlib import Path
from typing import Literal

from farthing.core.base.refusal import Refusal
from farthing.core.events.parse import parse_fact
from farthing.edges.files.csv_rows import read_csv, read_header
from farthing.edges.files.json_array import read_json_array
from farthing.edges.files.lines import DAMAGE, Stream, fingerprint, open_stream, unreadable
from farthing.edges.files.mapping import AS_NAMED, Mapper
from farthing.edges.files.ndjson import read_ndjson
from farthing.edges.files.options import FileOptions, Format
from farthing.edges.files.parquet import ParquetFile
from farthing.edges.files.refusals import FILE_FORMAT_UNKNOWN
from farthing.edges.files.rows import START, Accepted, Batch, Mark, Rejected, Row

_SUFFIXES: dict[str, Format] = {".csv": "csv", ".tsv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "json", ".parquet": "parquet"}
_COMPRESSED = (".gz", ".xz", ".bz2", ".zst")
DEFAULT = FileOptions()


@dataclass(frozen=True)
class Source:
    """A file that was opened once and found readable.

    `total` is its size for a progress bar, in `unit`; `Batch.done` counts towards it. `fingerprint` changes when the file does: a
    mark is good only for the content it was made on.
    """

    name: str
    format: Format
    total: int
    unit: Literal["bytes", "rows"]
    fingerprint: str
    _rows: Callable[[Mark], Iterator[tuple[Row, int]]]
    _mapper: Mapper | None

    def mark(self, text: str | None) -> Mark:
        """The mark that was kept as text; None is the start. Errors: file_changed."""
        return START if text is None else Mark.parse(text)

    def batches(self, size: int, start_after: Mark = START) -> Iterator[Batch]:
        """The rows after a mark, `size` at a time, the last batch with what is left. Bad rows are in it as refusals.

        Errors: file_changed when the file ends before the mark.
        """
        rows = self._rows(start_after)
        while taken := list(islice(rows, size)):
            yield self._batch(taken)

    def _batch(self, taken: list[tuple[Row, int]]) -> Batch:
        accepted: list[Accepted] = []
        rejected: list[Rejected] = []
        for row, _ in taken:
            try:
                if isinstance(row.content, Refusal):
                    raise row.content
                document = row.content
                if self._mapper is not None:
                    document = self._mapper.row_document(document, row.after.row)
                accepted.append(Accepted(row.line, parse_fact(document), row.raw))
            except Refusal as refusal:
                rejected.append(Rejected(row.line, self._placed(row, refusal), row.raw))
        last, done = taken[-1]
        return Batch(tuple(accepted), tuple(rejected), last.after, done)

    def _placed(self, row: Row, refusal: Refusal) -> Refusal:
        if self._mapper is None or isinstance(row.content, Refusal):
            return refusal
        return Refusal(refusal.kind, refusal.message, self._mapper.place(refusal.field))


def open_source(path: Path, options: FileOptions = DEFAULT) -> Source:
    """Open an event file. What makes all of it unreadable is refused here, what makes a row unreadable in its batch.

    Errors: file_unreadable, file_format_unknown, csv_header_…, column_…, mapping_…, timestamp_naive.
    """
    form = options.format or _format(path)
    try:
        mark = fingerprint(path) + _read_as(options)
        size = path.stat().st_size
    except OSError as error:
        raise unreadable(path.name, error) from None
    if form == "parquet":
        return _parquet(path, options, mark)
    if form == "csv":
        return _csv(path, options, mark, size)
    mapper = None if options.mapping is None else Mapper(options.mapping, path.name, None)
    if form == "json" and _is_array(path):
        return Source(path.name, form, size, "bytes", mark, _streamed(path, lambda c, m: read_json_array(c, path.name, m)), mapper)
    return Source(path.name, form, size, "bytes", mark, _streamed(path, lambda c, m: read_ndjson(c, path.name, m)), mapper)


def _read_as(options: FileOptions) -> str:
    """What tells readings of one file by different options apart: a mapping that was mended reads all of it again."""
    return "" if options == DEFAULT else f" as {hashlib.sha256(repr(options).encode()).hexdigest()[:16]}"


def _format(path: Path) -> Format:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    form = _SUFFIXES.get(suffixes[-1]) if suffixes else None
    if form is None:
        raise Refusal(FILE_FORMAT_UNKNOWN, f"{path.name} could be anything.")
    return form


def _csv(path: Path, options: FileOptions, mark: str, size: int) -> Source:
    stream = open_stream(path)
    try:
        header = read_header(stream.content, path.name, options.dialect)
    except DAMAGE as error:
        raise unreadable(path.name, error) from None
    finally:
        stream.close()
    mapper = Mapper(options.mapping or AS_NAMED, path.name, [column for column in header.columns if column])
    rows = _streamed(path, lambda c, m: read_csv(c, path.name, options.dialect, header, m))
    return Source(path.name, "csv", size, "bytes", mark, rows, mapper)


def _parquet(path: Path, options: FileOptions, mark: str) -> Source:
    file = ParquetFile(path)
    mapper = Mapper(options.mapping or AS_NAMED, path.name, file.columns)
    used = mapper.used(file.columns)
    file.check(used, mapper)

    def rows(start: Mark) -> Iterator[tuple[Row, int]]:
        for row in file.read(used, start):
            yield row, row.after.row

    return Source(path.name, "parquet", file.rows, "rows", mark, rows, mapper)


def _streamed(path: Path, read: Callable[[BufferedIOBase, Mark], Iterator[Row]]) -> Callable[[Mark], Iterator[tuple[Row, int]]]:
    """Rows with how much of the file on disk is behind each; the file is open while they are read."""

    def rows(start: Mark) -> Iterator[tuple[Row, int]]:
        stream: Stream = open_stream(path)
        try:
            for row in read(stream.content, start):
                yield row, stream.done(row.after.offset)
        except DAMAGE as error:
            raise unreadable(path.name, error) from None
        finally:
            stream.close()

    return rows


def _is_array(path: Path) -> bool:
    """Whether the file's first character is [."""
    stream = open_stream(path)
    try:
        first = b" "
        while first in (b" ", b"\t", b"\r", b"\n", b"\xef", b"\xbb", b"\xbf"):
            first = stream.content.read(1)
        return first == b"["
    except DAMAGE as error:
        raise unreadable(path.name, error) from None
    finally:
        stream.close()
