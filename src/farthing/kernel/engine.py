"""The DuckDB behind the kernel: opened with bounds on memory and threads, and checked for what it makes of our queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from farthing.kernel.domain import OutsideDomain

OVERFLOWS = (duckdb.OutOfRangeException, duckdb.ConversionException)
_DENSE_GROUPS_BYTES = 192 * 2**20
_STATE_BYTES = 24


@dataclass(frozen=True, slots=True)
class Table:
    """A temporary table that the kernel made: its name and the types of its columns."""

    name: str
    types: Mapping[str, str]


class Engine:
    """A private in-memory DuckDB. Reuse one for many jobs (opening costs about 30 ms); not for several threads at once.

    `memory_limit` is DuckDB's ("2GB"); beyond it, it spills to `temp_directory`. None leaves DuckDB's defaults.
    """

    def __init__(self, memory_limit: str | None = "2GB", temp_directory: str | None = None, threads: int | None = None) -> None:
        options: dict[str, Any] = {"memory_limit": memory_limit, "temp_directory": temp_directory, "threads": threads}
        config = {name: value for name, value in options.items() if value is not None}
        self._connection = duckdb.connect(":memory:", config={**config, "preserve_insertion_order": False})
        self._connection.execute("SET enable_progress_bar = false")  # it would write to standard output
        self._made = 0
        self._threads = int(self.rows("SELECT current_setting('threads')")[0][0])

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give everything back."""
        self._connection.close()

    def fresh(self, stem: str) -> str:
        """A name that this engine has not used yet."""
        self._made += 1
        return f"{stem}_{self._made}"

    def attach(self, data: Any) -> str:
        """Make an Arrow table or reader readable; returns its name."""
        name = self.fresh("arrow")
        self._connection.register(name, data)
        return name

    def detach(self, name: str) -> None:
        """Forget an attached table."""
        self._connection.unregister(name)

    def types(self, sql: str, params: Mapping[str, Any]) -> dict[str, str]:
        """The columns that a query would yield and their types, without running it. Several of one name: the last."""
        return {str(row[0]): str(row[1]) for row in self.rows(f"DESCRIBE {sql}", params)}

    def rows(self, sql: str, params: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run a query for a few rows."""
        return self._connection.execute(sql, _used(sql, params)).fetchall()

    def make(self, stem: str, sql: str, params: Mapping[str, Any], declared: Mapping[str, str]) -> Table:
        """Run a query into a temporary table, once planning shows that its columns have the declared types.

        Errors: OutsideDomain where a number leaves 127 bits.
        """
        planned = self.types(sql, params)
        wrong = {name: planned.get(name) for name, declared_type in declared.items() if planned.get(name) != declared_type}
        if wrong or "DOUBLE" in planned.values() or "FLOAT" in planned.values():
            raise AssertionError(f"the engine planned {wrong or planned}, which the kernel did not declare")
        name = self.fresh(stem)
        with overflow_named():
            self._connection.execute(f"CREATE TEMP TABLE {name} AS {sql}", _used(sql, params))
        return Table(name, planned)

    def run(self, sql: str, params: Mapping[str, Any] | None = None) -> None:
        """Run a statement on the kernel's own tables. Errors: OutsideDomain where a number leaves 127 bits."""
        with overflow_named():
            self._connection.execute(sql, _used(sql, params))

    def drop(self, table: str) -> None:
        """Give a temporary table's memory back."""
        self._connection.execute(f"DROP TABLE IF EXISTS {table}")

    def reader(self, sql: str, rows: int) -> Any:
        """The rows of a query as a RecordBatchReader, `rows` at a time, streamed."""
        return self._connection.sql(sql).to_arrow_reader(rows)

    def group_densely(self, aggregates: int) -> None:
        """Let groups by small integer keys be counted in an array instead of a hash table, as far as that array stays small."""
        states = _DENSE_GROUPS_BYTES // (_STATE_BYTES * (aggregates + 1) * self._threads)
        self._connection.execute(f"SET perfect_ht_threshold = {max(12, min(22, states.bit_length() - 1))}")


class Overflow(OutsideDomain):
    """A number left the width that it was computed in."""


@contextmanager
def overflow_named() -> Iterator[None]:
    """Name what the engine raises when a number does not fit."""
    try:
        yield
    except OVERFLOWS as error:
        raise Overflow("a number, at the denominator it is computed with, has more than 127 bits") from error


def _used(sql: str, params: Mapping[str, Any] | None) -> dict[str, Any]:
    """The parameters that the query names: the engine refuses others."""
    return {name: value for name, value in (params or {}).items() if f"${name} " in sql or f"${name})" in sql}
