"""What the kernel hands back: lines with their traces as columns, and the same as core's dataclasses."""

from __future__ import annotations

import struct
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

import pyarrow as pa

from farthing.core.base.exact import show
from farthing.core.base.refusal import Refusal
from farthing.core.rating.program import Cell, Program
from farthing.core.rating.refusals import AMOUNT_TOO_LARGE, QUANTITY_NEGATIVE
from farthing.core.rating.trace import CellTrace, ComponentTrace, FeesTrace, Rated, SegmentTrace, StepTrace
from farthing.core.usage.meter import Aggregation, Usage
from farthing.kernel.engine import Engine
from farthing.kernel.job import Job

ZERO = Fraction(0)
Row = dict[str, Any]
_BOUNDS: tuple[Literal["minimum", "maximum"] | None, ...] = (None, "minimum", "maximum")


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read the columns: the denominator of each number column by cell, and of subtotal and exact."""

    keys: int
    cells: tuple[Mapping[str, int], ...]
    line: tuple[int, ...]  # by cell when each is a line (last the line without cells), else one
    details: tuple[str, ...]


@dataclass(slots=True)
class KernelResult:
    """Rated charges. `rows_read` counts the events given, `events_rated` those that the engine found inside and in scope.

    `outside` names the charges that core has to rate, each with the reason; they have no rows. The rows live in the engine
    until `close`, or the engine's end.
    """

    job: Job
    layout: Layout
    rows_read: int
    events_rated: int
    outside: dict[Hashable, str]
    _engine: Engine = field(repr=False)
    _table: str = field(repr=False)
    _owned: bool = field(repr=False)
    ran: Literal["kernel"] = "kernel"
    _kept: pa.Table | None = field(default=None, repr=False)

    def batches(self, rows: int = 65_536) -> pa.RecordBatchReader:
        """The rows, streamed: one a charge and cell, in no order. See docs/kernel.md for the columns."""
        reader: pa.RecordBatchReader = self._engine.reader(f"SELECT * FROM {self._table}", rows)
        return reader

    @property
    def table(self) -> pa.Table:
        """All rows at once; kept after the first call."""
        if self._kept is None:
            self._kept = self.batches().read_all()
        return self._kept

    def rated(self) -> dict[Hashable, tuple[Rated, ...]]:
        """Core's values by charge: the bare key for one charge column without groups, else a tuple of charge and groups."""
        return {key: lines for key, lines in self.decoded() if isinstance(lines, tuple)}

    @property
    def refused(self) -> dict[Hashable, Refusal]:
        """Charges that core would refuse, with the same refusal."""
        return {key: refusal for key, refusal in self.decoded() if isinstance(refusal, Refusal)}

    def close(self) -> None:
        """Give the rows' memory back (and the engine, if `rate` opened it)."""
        if self._owned:
            self._engine.close()
        else:
            self._engine.drop(self._table)

    def decoded(self) -> Iterator[tuple[Hashable, tuple[Rated, ...] | Refusal]]:
        """What core returns or raises for each charge, both in one pass; keys as in `rated`, in no order."""
        charges: dict[Hashable, list[Row]] = {}
        for row in _rows(self.table):
            charges.setdefault(self._key(row), []).append(row)
        decoder = _Decoder(self.job, self.layout)
        for key, rows in charges.items():
            yield key, decoder.charge(sorted(rows, key=lambda row: len(self.layout.cells) if row["cell"] is None else row["cell"]))

    def _key(self, row: Row) -> Hashable:
        return key_of(tuple(row[f"k{i}"] for i in range(self.layout.keys)))


def key_of(values: tuple[Any, ...]) -> Hashable:
    """A charge's key: the bare value when it is one."""
    return values[0] if len(values) == 1 else values


def _rows(table: pa.Table) -> Iterator[Row]:
    names = table.column_names
    columns = [_values(column) for column in table.columns]
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Python values; a HUGEINT arrives as 16 bytes, read as they are (it may exceed the 38 digits that its Arrow type declares)."""
    if not pa.types.is_decimal128(column.type):
        values: list[Any] = column.to_pylist()
        return values
    found: list[Any] = []
    for chunk in column.chunks:
        data = memoryview(chunk.buffers()[1])[16 * chunk.offset : 16 * (chunk.offset + len(chunk))]
        numbers = [low + (high << 64) for low, high in struct.iter_unpack("<Qq", data)]
        if chunk.null_count:
            numbers = [number if valid else None for number, valid in zip(numbers, chunk.is_valid().to_pylist(), strict=True)]
        found += numbers
    return found


class _Decoder:
    """Rows of one charge → what core returns for it."""

    def __init__(self, job: Job, layout: Layout) -> None:
        self.job = job
        self.layout = layout

    @cached_property
    def program(self) -> Program:
        return self.job.program

    def charge(self, rows: list[Row]) -> tuple[Rated, ...] | Refusal:
        """The lines of a charge, or the refusal that core would raise first."""
        for row in rows:
            if row["refused"] is not None:
                return self._negative(row)
        for row in rows:
            if row["amount"] is None:
                return self._too_large(row)
        if self.job.is_line_each:
            return tuple(self._line(row, () if row["cell"] is None else (self._cell(row),), self._label(row)) for row in rows)
        cells = tuple(self._cell(row) for row in rows if row["cell"] is not None)
        return (self._line(rows[0], cells, ""),)

    def _label(self, row: Row) -> str:
        return self.program.cells[row["cell"]].label if self.program.line_per_cell and row["cell"] is not None else ""

    def _negative(self, row: Row) -> Refusal:
        before = self._steps(row)[: row["refused"]]
        quantity = before[-1].after if before else self._number(row, "quantity")
        return Refusal(QUANTITY_NEGATIVE, f"the quantity {show(quantity)} is negative.", "quantity")

    def _too_large(self, row: Row) -> Refusal:
        exact = Fraction(row["exact"], self._line_den(row))
        return Refusal(AMOUNT_TOO_LARGE, f"{show(exact)} minor units are more than books carry.", "quantity")

    def _line_den(self, row: Row) -> int:
        if not self.job.is_line_each:
            return self.layout.line[0]
        return self.layout.line[-1 if row["cell"] is None else row["cell"]]

    def _line(self, row: Row, cells: tuple[CellTrace, ...], label: str) -> Rated:
        den, program = self._line_den(row), self.program
        return Rated(
            label=label,
            currency=program.currency,
            cells=cells,
            subtotal=Fraction(row["subtotal"], den),
            bound=_BOUNDS[row["bound"]],
            exact=Fraction(row["exact"], den),
            rounding=program.rounding,
            amount=row["amount"],
            unmatched=row["unmatched"],
        )

    def _number(self, row: Row, name: str) -> Fraction:
        """A number column of the row's cell; zero where the cell has no such column."""
        den = self.layout.cells[row["cell"]].get(name)
        return ZERO if den is None else Fraction(row[name], den)

    def _cell(self, row: Row) -> CellTrace:
        cell = self.program.cells[row["cell"]]
        if cell.fees is not None:
            return self._fees(cell, row)
        usage = self._usage(
            row, self.job.meter.aggregation, tuple((name, self._number(row, f"detail{i}")) for i, name in enumerate(self.layout.details))
        )
        return CellTrace(cell.label, usage, self._steps(row), self._segments(cell, row), None, self._number(row, "cell_exact"))

    def _usage(self, row: Row, aggregation: Aggregation, details: tuple[tuple[str, Fraction], ...]) -> Usage:
        return Usage(aggregation, self._number(row, "quantity"), row["events"], row["set_aside"], row["first"], row["last"], details)

    def _steps(self, row: Row) -> tuple[StepTrace, ...]:
        traces, before = [], self._number(row, "quantity")
        for i, step in enumerate(self.program.cells[row["cell"]].steps):
            after = self._number(row, f"step{i}")
            traces.append(StepTrace(step, before, after))
            before = after
        return tuple(traces)

    def _segments(self, cell: Cell, row: Row) -> tuple[SegmentTrace, ...]:
        assert cell.curve is not None
        curve, found, lower = cell.curve, [], ZERO
        for i, segment in enumerate(curve.segments):
            column = 0 if curve.mode == "volume" else i
            if curve.mode == "graduated" or row["segment"] == i:
                units, flat = self._number(row, f"seg{column}_units"), self._number(row, f"seg{column}_flat")
                if units or flat or curve.mode == "volume":
                    found.append(SegmentTrace(i, lower, segment.upper, units, segment.unit, flat, self._number(row, f"seg{column}_amount")))
            if segment.upper is not None:
                lower = segment.upper
        return tuple(found)

    def _fees(self, cell: Cell, row: Row) -> CellTrace:
        assert cell.fees is not None
        components = tuple(
            ComponentTrace(
                component.label,
                row[f"comp{i}_events"],
                self._number(row, f"comp{i}_base"),
                self._number(row, f"comp{i}_amount"),
                component.of,
                component.rate,
                component.fixed,
            )
            for i, component in enumerate(cell.fees.components)
        )
        names = ("fees_raised", "fees_capped", "fees_rounded", "fees_total")
        trace = FeesTrace(row["events"], row["free"], components, *(self._number(row, name) for name in names))
        return CellTrace(cell.label, self._usage(row, Aggregation.COUNT, ()), (), (), trace, trace.total)
