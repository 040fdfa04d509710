"""Where the events' columns come from: an Arrow table, a stream of batches, or Parquet files.

Columns are addressed by place, never by name: no name from outside reaches a query, and names that differ only in case stay two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from farthing.kernel.engine import Engine

Events: TypeAlias = pa.Table | pa.RecordBatchReader | str | Path | Sequence[str | Path]
Bounds = tuple[int, int]


@dataclass(slots=True)
class Source:
    """Events as a relation of columns c0, c1, …: `relation` for FROM, their names and types in order.

    `bounds` are the least and greatest integers of numeric columns as the table or the files' own statistics state them
    (hints: they choose widths, and the engine raises where they are wrong). `once` says that it can be read only once.
    """

    relation: str
    names: tuple[str, ...]
    types: tuple[str, ...]
    params: dict[str, Any] = field(default_factory=dict)
    bounds: dict[int, Bounds] = field(default_factory=dict)
    rows: int = 0
    once: bool = False
    attached: str | None = None
    required: tuple[int, ...] = ()


def open_source(engine: Engine, events: Events) -> Source:
    """Make the events readable by the engine."""
    if isinstance(events, pa.Table):
        return _from_table(engine, events)
    if isinstance(events, pa.RecordBatchReader):
        return _from_reader(engine, events)
    paths = [events] if isinstance(events, (str, Path)) else list(events)
    return _from_parquet(engine, [str(path) for path in paths])


def require(source: Source, events: Events, columns: Sequence[int]) -> None:
    """Charge, position and time of every event must be there. Errors: ValueError naming the column."""
    source.required = tuple(columns)  # a stream is checked as it passes
    for index in columns:
        nulls = 0
        if isinstance(events, pa.Table):
            nulls = events.column(index).null_count
        elif not isinstance(events, pa.RecordBatchReader):
            nulls = _parquet_nulls(events, index)
        _refuse_nulls(source, index, nulls)


def _refuse_nulls(source: Source, index: int, nulls: int) -> None:
    if nulls:
        raise ValueError(f"column {source.names[index]!r} is null in {nulls} events")


def _from_table(engine: Engine, table: pa.Table) -> Source:
    renamed = table.rename_columns([f"c{index}" for index in range(table.num_columns)])
    name = engine.attach(renamed)
    bounds = {index: found for index, column in enumerate(table.columns) if (found := _column_bounds(column)) is not None}
    return Source(name, tuple(table.column_names), _types(engine, table.schema), bounds=bounds, rows=table.num_rows, attached=name)


def _column_bounds(column: pa.ChunkedArray) -> Bounds | None:
    if not (pa.types.is_integer(column.type) or pa.types.is_decimal128(column.type)) or not len(column):
        return None
    found = pc.min_max(column).as_py()
    return None if found["min"] is None else _at_scale(found["min"], found["max"], getattr(column.type, "scale", 0))


def _at_scale(low: int | Decimal, high: int | Decimal, scale: int) -> Bounds:
    ends = []
    for value in (low, high):
        sign, digits, exponent = Decimal(value).as_tuple()
        shift = int(exponent) + scale
        size = int("".join(map(str, digits))) * 10 ** max(shift, 0) // 10 ** max(-shift, 0)
        ends.append(-size if sign else size)
    return ends[0], ends[1]


def _from_reader(engine: Engine, reader: pa.RecordBatchReader) -> Source:
    types = _types(engine, reader.schema)
    source = Source("", tuple(reader.schema.names), types, once=True)
    schema = pa.schema([item.with_name(f"c{index}") for index, item in enumerate(reader.schema)])
    name = engine.attach(pa.RecordBatchReader.from_batches(schema, _counted(reader, schema, source)))
    source.relation = source.attached = name
    return source


def _counted(reader: pa.RecordBatchReader, schema: pa.Schema, source: Source) -> Iterator[pa.RecordBatch]:
    for batch in reader:
        source.rows += batch.num_rows
        for index in source.required:
            _refuse_nulls(source, index, batch.column(index).null_count)
        yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)


def _types(engine: Engine, schema: pa.Schema) -> tuple[str, ...]:
    empty = schema.empty_table().rename_columns([f"c{index}" for index in range(len(schema))])
    name = engine.attach(empty)
    try:
        planned = engine.types(f"SELECT * FROM {name}", {})
    finally:
        engine.detach(name)
    return tuple(planned[f"c{index}"] for index in range(len(schema)))


def _from_parquet(engine: Engine, paths: list[str]) -> Source:
    schemas = [pq.read_schema(path) for path in paths]
    for path, schema in zip(paths, schemas, strict=True):
        if schema.names != schemas[0].names or schema.types != schemas[0].types:
            raise ValueError(f"{path!r} has other columns than {paths[0]!r}")
    names = tuple(schemas[0].names)
    columns = ", ".join(f"c{index}" for index in range(len(names)))
    files = engine.fresh("files")
    relation = f"read_parquet(${files} ) AS parquet({columns})"
    planned = engine.types(f"SELECT * FROM {relation}", {files: paths})
    metadata = [pq.read_metadata(path) for path in paths]
    return Source(
        relation,
        names,
        tuple(planned[f"c{index}"] for index in range(len(names))),
        params={files: paths},
        bounds={index: found for index in range(len(names)) if (found := _parquet_bounds(metadata, index, schemas[0])) is not None},
        rows=sum(data.num_rows for data in metadata),
    )


def _leaf(data: pq.FileMetaData, name: str) -> int | None:
    """Where a top-level column stands among the file's leaves; None for a nested one or an ambiguous name."""
    places = [index for index in range(data.num_columns) if data.schema.column(index).path == name]
    return places[0] if len(places) == 1 else None


def _parquet_bounds(metadata: Sequence[pq.FileMetaData], index: int, schema: pa.Schema) -> Bounds | None:
    kind = schema.types[index]
    if not (pa.types.is_integer(kind) or pa.types.is_decimal128(kind)):
        return None
    found: list[Bounds] = []
    for data in metadata:
        leaf = _leaf(data, schema.names[index])
        for group in range(data.num_row_groups):
            stats = None if leaf is None else data.row_group(group).column(leaf).statistics
            if stats is None or not stats.has_min_max:
                return None
            found.append(_at_scale(stats.min, stats.max, getattr(kind, "scale", 0)))
    return (min(low for low, _ in found), max(high for _, high in found)) if found else None


def _parquet_nulls(events: str | Path | Sequence[str | Path], index: int) -> int:
    """Nulls in a column by the files' statistics; files without them are read."""
    nulls = 0
    for path in [events] if isinstance(events, (str, Path)) else events:
        data = pq.read_metadata(path)
        name = pq.read_schema(path).names[index]
        leaf = _leaf(data, name)
        for group in range(data.num_row_groups):
            stats = None if leaf is None else data.row_group(group).column(leaf).statistics
            if stats is None or not stats.has_null_count:
                return int(pq.read_table(path, columns=[name]).column(0).null_count)
            nulls += stats.null_count
    return nulls
