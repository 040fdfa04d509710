"""Parquet: rows of typed columns, read exactly. Floats are refused, for they are not the decimals that were meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import TIMESTAMP_NAIVE
from farthing.edges.files.csv_rows import check_names
from farthing.edges.files.lines import DAMAGE, unreadable
from farthing.edges.files.mapping import Mapper
from farthing.edges.files.refusals import COLUMN_IS_FLOAT, COLUMN_TYPE_UNSUPPORTED, ENCODING_MALFORMED, FILE_CHANGED
from farthing.edges.files.rows import Mark, Row

ROWS_AT_ONCE = 8192
_EPOCH = datetime(1970, 1, 1)
_PER_SECOND = {"s": 1, "ms": 1000, "us": 1_000_000, "ns": 1_000_000_000}


class ParquetFile:
    """An open Parquet file and its columns. Errors: file_unreadable."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            self.file = pq.ParquetFile(path, page_checksum_verification=True)
            self.schema: pa.Schema = self.file.schema_arrow
            self.rows: int = self.file.metadata.num_rows
        except (*DAMAGE, ValueError) as error:
            raise unreadable(path.name, error) from None
        check_names(self.schema.names, path.name)

    @property
    def columns(self) -> list[str]:
        """The names of the top-level columns."""
        return list(self.schema.names)

    def check(self, used: Sequence[str], mapper: Mapper) -> None:
        """Refuse columns that cannot be read exactly. Errors: column_is_float, column_type_unsupported, timestamp_naive."""
        for name in used:
            _converter(name, self.schema.field(name).type)
        source = mapper.source("timestamp")
        if source is not None:
            kind = self.schema.field(source).type
            if pa.types.is_timestamp(kind) and kind.tz is None and mapper.mapping.time.zone is None:
                raise Refusal(TIMESTAMP_NAIVE, f"column {source} has no time zone, and none is declared for it.", source)

    def read(self, used: Sequence[str], start: Mark) -> Iterator[Row]:
        """The rows after `start` as column → value: text, int, Decimal, bool, None; timestamps and dates as text.

        A row group that cannot be decoded is refused as a whole, at its first row; those after it are read. Errors: file_changed.
        """
        if start.row > self.rows:
            raise Refusal(FILE_CHANGED, f"{self.name} has {self.rows} rows, fewer than {start.row}.")
        begins = 0
        for group in range(self.file.metadata.num_row_groups):
            ends = begins + self.file.metadata.row_group(group).num_rows
            if ends > start.row:
                yield from self._group(group, used, begins, ends, max(begins, start.row))
            begins = ends

    def _group(self, group: int, used: Sequence[str], begins: int, ends: int, wanted: int) -> Iterator[Row]:
        """The rows of one group from row `wanted` on (rows counted from 0 here)."""
        converters = [_converter(name, self.schema.field(name).type) for name in used]
        row = begins
        try:
            for batch in self.file.iter_batches(ROWS_AT_ONCE, row_groups=[group], columns=list(used)):
                behind = row + batch.num_rows
                if behind > wanted:
                    rest = batch.slice(max(0, wanted - row))
                    yield from _rows(rest, used, converters, max(row, wanted))
                row = behind
        except (*DAMAGE, ValueError) as error:
            first = max(row, wanted) + 1
            yield Row(first, Mark(0, ends, ends), {}, unreadable(f"{self.name}, rows {first} to {ends}", error))


Cells = Sequence[Any]
Converter = Callable[[pa.Array], Cells]


def _rows(batch: pa.RecordBatch, used: Sequence[str], converters: Sequence[Converter], row: int) -> Iterator[Row]:
    """The rows of a batch, `row` of the file being before it."""
    cells = [convert(batch.column(name)) for name, convert in zip(used, converters, strict=True)]
    for values in zip(*cells, strict=True) if cells else ((),) * batch.num_rows:
        row += 1
        columns = dict(zip(used, values, strict=True))
        refusal = next((value for value in values if isinstance(value, Refusal)), None)
        yield Row(row, Mark(0, row, row), columns, columns if refusal is None else refusal)


def _converter(name: str, kind: pa.DataType) -> Converter:
    """How a column's cells become values. Errors: column_is_float, column_type_unsupported."""
    if pa.types.is_dictionary(kind):
        inner = _converter(name, kind.value_type)
        return lambda array: inner(array.dictionary_decode())
    if pa.types.is_floating(kind):
        raise Refusal(COLUMN_IS_FLOAT, f"column {name} is {kind}.", name)
    if pa.types.is_timestamp(kind):
        return lambda array: [_moment(count, kind.unit, kind.tz is not None) for count in array.cast(pa.int64()).to_pylist()]
    if pa.types.is_date32(kind):
        return lambda array: [_day(count) for count in array.cast(pa.int32()).to_pylist()]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return lambda array: _texts(name, array)
    if not any(test(kind) for test in (pa.types.is_integer, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_null)):
        raise Refusal(COLUMN_TYPE_UNSUPPORTED, f"column {name} is {kind}.", name)
    return _plain


def _plain(array: pa.Array) -> Cells:
    cells: Cells = array.to_pylist()
    return cells


def _texts(name: str, array: pa.Array) -> Cells:
    """A column of text; a cell that is no UTF-8 is refused alone."""
    try:
        return _plain(array)
    except UnicodeDecodeError:
        return [_text(name, cell) for cell in array]


def _text(name: str, cell: pa.Scalar) -> str | Refusal | None:
    try:
        text: str | None = cell.as_py()
        return text
    except UnicodeDecodeError as error:
        return Refusal(ENCODING_MALFORMED, f"byte {error.start + 1} of column {name} is not UTF-8.", name)


def _day(count: int | None) -> str | None:
    moment = _moment(None if count is None else count * 86_400, "s", False)
    return None if moment is None else moment.partition("T")[0]


def _moment(count: int | None, unit: str, absolute: bool) -> str | None:
    """A timestamp as text with every digit it has: an instant in UTC, or a wall clock without offset."""
    if count is None:
        return None
    seconds, rest = divmod(count, _PER_SECOND[unit])
    try:
        second = (_EPOCH + timedelta(seconds=seconds)).isoformat()
    except OverflowError:
        return f"{count} {unit}"  # refused as a timestamp, kept as a property
    digits = len(str(_PER_SECOND[unit])) - 1
    fraction = f".{rest:0{digits}d}" if rest else ""
    return f"{second}{fraction}{'Z' if absolute else ''}"
