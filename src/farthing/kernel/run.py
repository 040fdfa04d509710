"""The kernel on one screen: columns by role → classified events → quantities and fees → cells → lines."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from math import lcm
from typing import Any

import pyarrow as pa

from farthing.core.rating.interpret import AMOUNT_BOUND
from farthing.kernel.cells import LINE_TYPES, CellColumns, column_order, curve_cell, fees_cell, line_columns, select_cell
from farthing.kernel.engine import Engine, Table
from farthing.kernel.fees import Charged, charge_fees
from farthing.kernel.job import Job
from farthing.kernel.layers import Layers
from farthing.kernel.numbers import HUGE, Num, const, literal
from farthing.kernel.result import Layout, key_of
from farthing.kernel.source import Source
from farthing.kernel.stage import NO_CELL, Stage, classify
from farthing.kernel.typed import Typed, needs_reading, read_numbers
from farthing.kernel.usage import Measured, measure

EXPONENT_OUTSIDE = "a number is written with an exponent, which the kernel leaves to core"


@dataclass(slots=True)
class Run:
    """One run of a job: its steps in order, and the temporary tables to give back."""

    engine: Engine
    job: Job
    made: list[str] = field(default_factory=list)

    def all(self, source: Source, typed: Typed, charges: Sequence[Hashable]) -> tuple[str, Layout, dict[Hashable, str]]:
        """The table of results, how to read it, and the charges left to core."""
        if needs_reading(typed) or (source.once and self.job.carries):
            typed = read_numbers(self.engine, typed)
            self.made.append(str(typed.temporary))
        stage = classify(self.engine, self.job, typed, self._readers())
        self.made += stage.temporary
        listed = self._listed(typed, charges)
        unmatched = self._unmatched(stage)
        measured = measure(self.job, stage) if self.job.has_curves else None
        cells, keys = self._cells(stage, measured, [table for table in (listed, unmatched) if table], unmatched)
        table, line = self._line_each(typed, cells, unmatched) if self.job.is_line_each else self._line_for_all(typed, cells, keys, unmatched)
        details = tuple(name for name, _ in measured.details) if measured else ()
        layout = Layout(len(typed.keys), tuple(cell.denominators() for cell in cells), line, details)
        return table, layout, {key_of(key): EXPONENT_OUTSIDE for key in typed.outside}

    def clean(self) -> None:
        """Drop what was made on the way."""
        for name in self.made:
            if name.startswith("arrow"):
                self.engine.detach(name)
            else:
                self.engine.drop(name)
        self.made.clear()

    def _readers(self) -> int:
        """How many queries read the classified events."""
        fees = sum(1 for cell in self.job.program.cells if cell.fees)
        return fees + self.job.has_curves + self.job.may_leave_unmatched

    def _make(self, stem: str, sql: str, params: Mapping[str, Any], declared: Mapping[str, str]) -> Table:
        table = self.engine.make(stem, sql, params, declared)
        self.made.append(table.name)
        return table

    def _listed(self, typed: Typed, charges: Sequence[Hashable]) -> str | None:
        """The charges that get a line without any event, but for those left to core."""
        outside = {key_of(key) for key in typed.outside}
        rows = [key if isinstance(key, tuple) else (key,) for key in dict.fromkeys(charges) if key not in outside]
        if not rows:
            return None
        if any(len(row) != len(typed.keys) for row in rows):
            raise ValueError(f"a listed charge has {len(typed.keys)} keys: the charge columns, then the meter's groups")
        columns = {
            key: pa.array([row[i] for row in rows], pa.string() if kind == "VARCHAR" else pa.int64())
            for i, (key, kind) in enumerate(zip(typed.keys, typed.key_types, strict=True))
        }
        name = self.engine.attach(pa.table(columns))
        self.made.append(name)
        items = ", ".join(f"CAST({key} AS {kind}) AS {key}" for key, kind in zip(typed.keys, typed.key_types, strict=True))
        return self._make("listed", f"SELECT {items} FROM {name}", {}, {}).name

    def _unmatched(self, stage: Stage) -> str | None:
        """How many events inside the interval no cell took, by charge; 0 where all of these are before it, as core has such a charge too."""
        if not self.job.may_leave_unmatched:
            return None
        keys, inside = stage.typed.key_list(), f'CASE WHEN "at" >= {self.job.interval.start} THEN 1 END'
        sql = f"SELECT {keys}, count({inside}) AS unmatched FROM ({stage.of(f'cell = {NO_CELL}')}) GROUP BY {keys}"
        return self._make("unmatched", sql, stage.params, {"unmatched": "BIGINT"}).name

    def _cells(self, stage: Stage, measured: Measured | None, more: Sequence[str], unmatched: str | None) -> tuple[list[CellColumns], list[str]]:
        """Every cell's columns, and the tables that between them name every charge."""
        typed, cells = stage.typed, self.job.program.cells
        keys, usage, done = list(more), None, []
        if measured is not None:
            self.engine.group_densely(8)
            usage = self._make("usage", measured.sql, stage.params, measured.columns)
            keys.append(usage.name)
            self._fill(typed, usage, more, dict(zip([f"d{i}" for i in range(len(measured.empty))], measured.empty, strict=True)))
        for index, cell in enumerate(cells):
            if cell.fees is None and usage is not None and measured is not None:
                done.append(curve_cell(cell, self._joined(typed, usage.name, unmatched, index), measured))
                continue
            charged = charge_fees(self.job, stage, index)
            self.engine.group_densely(6 + len(charged.sums))
            fees = self._make("fees", charged.sql, stage.params, _declared(charged))
            keys.append(fees.name)
            self._fill(typed, fees, more, {})
            done.append(fees_cell(self._joined(typed, fees.name, unmatched, None), charged))
        return done, keys

    def _fill(self, typed: Typed, table: Table, more: Sequence[str], values: Mapping[str, int]) -> None:
        """The only cell has a row for every charge: add empty ones for those without an event in it."""
        if len(self.job.program.cells) > 1 or not more:
            return
        keys = " UNION ".join(f"SELECT {typed.key_list()} FROM {name}" for name in more)
        zeros = ", ".join(f"{values.get(name, 0)} AS {name}" for name in table.types if name not in typed.keys)
        same = _same(typed, "t", "o")
        missing = f"SELECT * FROM ({keys}) AS o WHERE NOT EXISTS (SELECT 1 FROM {table.name} AS t WHERE {same})"
        self.engine.run(f"INSERT INTO {table.name} BY NAME SELECT {typed.key_list()}, {zeros} FROM ({missing})")

    def _joined(self, typed: Typed, table: str, unmatched: str | None, index: int | None) -> str:
        """A cell's rows; of several cells those with anything in them, of an only one all, with what it left unmatched."""
        if len(self.job.program.cells) > 1:
            only = "" if index is None else f" WHERE cell = {index} AND (n > 0 OR aside > 0 OR q <> 0)"
            return f"SELECT * FROM {table}{only}"
        if unmatched is None or self.job.program.line_per_cell:
            return f"SELECT *, CAST(0 AS BIGINT) AS unmatched FROM {table}"
        return f"SELECT t.*, coalesce(m.unmatched, 0) AS unmatched FROM {table} AS t LEFT JOIN {unmatched} AS m ON {_same(typed, 't', 'm')}"

    def _line_each(self, typed: Typed, cells: Sequence[CellColumns], left: str | None) -> tuple[str, tuple[int, ...]]:
        """Lines that are cells; with a line a cell, also one for the events that none took."""
        order, dens, selects = column_order(cells), [], []
        unmatched = "unmatched" if len(cells) == 1 else "CAST(0 AS BIGINT)"
        for index, cell in enumerate(cells):
            line = line_columns(self.job.program, cell.layers, cell.numbers["cell_exact"], AMOUNT_BOUND)
            dens.append(line.den)
            selects.append(select_cell(cell, index, typed.key_list(), order, line.columns | {"unmatched": unmatched}))
        if left is not None and self.job.program.line_per_cell:
            nothing = CellColumns(Layers(f"SELECT * FROM {left} WHERE unmatched > 0"))
            line = line_columns(self.job.program, nothing.layers, const(0), AMOUNT_BOUND)
            dens.append(line.den)
            selects.append(select_cell(nothing, None, typed.key_list(), order, line.columns | {"unmatched": "unmatched"}))
        declared = order | LINE_TYPES | {"refused": "BIGINT", "unmatched": "BIGINT"}
        return self.engine.make("result", " UNION ALL ".join(selects), {}, declared).name, tuple(dens)

    def _line_for_all(self, typed: Typed, cells: Sequence[CellColumns], keys: Sequence[str], unmatched: str | None) -> tuple[str, tuple[int, ...]]:
        """One line for all cells of a charge: every charge that has an event, or is listed."""
        order = column_order(cells)
        selects = [select_cell(cell, index, typed.key_list(), order, {}) for index, cell in enumerate(cells)]
        rows = self._make("cells", " UNION ALL ".join(selects), {}, order | {"refused": "BIGINT"}).name
        den = reduce(lcm, (cell.numbers["cell_exact"].den for cell in cells), 1)
        parts = " ".join(f"WHEN {i} THEN cell_exact * {literal(den // cell.numbers['cell_exact'].den, 'HUGEINT')}" for i, cell in enumerate(cells))
        sums = f"SELECT {typed.key_list()}, sum(CASE cell {parts} END) AS subtotal FROM {rows} GROUP BY {typed.key_list()}"
        everyone = " UNION ".join(f"SELECT DISTINCT {typed.key_list()} FROM {name}" for name in keys)
        left, found = (
            (f" LEFT JOIN {unmatched} AS m ON {_same(typed, 'a', 'm')}", "coalesce(m.unmatched, 0)") if unmatched else ("", "CAST(0 AS BIGINT)")
        )
        relation = (
            f"SELECT {typed.key_list('a.')}, coalesce(s.subtotal, 0) AS sum_line, {found} AS unmatched "
            f"FROM ({everyone}) AS a LEFT JOIN ({sums}) AS s ON {_same(typed, 'a', 's')}{left}"
        )
        layers = Layers(relation)
        line = line_columns(self.job.program, layers, Num("sum_line", den, -HUGE, HUGE, "HUGEINT"), AMOUNT_BOUND)
        columns = line.columns | {"unmatched": "unmatched"}
        lines = f"SELECT {typed.key_list()}, {', '.join(f'{sql} AS {name}' for name, sql in columns.items())} FROM ({layers.sql})"
        of_cell = ", ".join(f"c.{name}" for name in ("cell", *order, "refused"))
        of_line = ", ".join(f"l.{name}" for name in columns)
        sql = f"SELECT {typed.key_list('l.')}, {of_cell}, {of_line} FROM ({lines}) AS l LEFT JOIN {rows} AS c ON {_same(typed, 'l', 'c')}"
        return self.engine.make("result", sql, {}, order | LINE_TYPES | {"unmatched": "BIGINT"}).name, (line.den,)


def _same(typed: Typed, one: str, other: str) -> str:
    return " AND ".join(f"{one}.{key} = {other}.{key}" for key in typed.keys)


def _declared(charged: Charged) -> dict[str, str]:
    """The types of a fees table: counts, and the sums that it holds as columns."""
    return dict.fromkeys(("n", "aside", "first", "last", "paying"), "BIGINT") | {
        name: num.width for name, num in charged.sums.items() if num.sql == name
    }
