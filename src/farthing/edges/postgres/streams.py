"""Rows read as Arrow record batches, streamed: over connections of their own, or within the explicit transaction if there is one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import psycopg
import pyarrow as pa

from farthing.core.base.refusal import Refusal
from farthing.edges.postgres.faults import named
from farthing.edges.postgres.refusals import DATABASE_BUSY, DATABASE_UNAVAILABLE
from farthing.edges.postgres.session import Connection, Parameters, Session

_CURSOR_ROWS = 20_000
_DRIVER_FAULTS = (adbc_driver_manager.OperationalError, adbc_driver_manager.InternalError)


class Streams:
    """Opens streams. The driver reads binary COPY, which takes no parameters (they are written into the statement, quoted by psycopg) and
    no JSONB, UUID or NUMERIC (the statements cast to text and bigint)."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._idle: list[Any] = []
        self._names = count()

    def batches(self, query: bytes, parameters: Parameters, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The rows of a query, its columns cast to `schema` by place. Errors, also while reading: database_unavailable, database_busy."""
        if self._session.in_transaction:  # what it has written is visible to its own connection only
            return self._within(query, parameters, schema)
        return self._beside(query, parameters, schema)

    def close(self) -> None:
        """Close the connections that no stream uses."""
        while self._idle:
            self._idle.pop().close()

    def _beside(self, query: bytes, parameters: Parameters, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        text = self._session.run(lambda connection: psycopg.ClientCursor(connection).mogrify(query, parameters))
        connection = self._reader()
        try:
            with connection.cursor() as cursor:
                cursor.execute(text)
                for batch in cursor.fetch_record_batch():
                    columns = [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]
                    yield pa.RecordBatch.from_arrays(columns, schema=schema)
        except adbc_driver_manager.Error as error:
            connection.close()
            raise _named(error) from error
        except GeneratorExit:  # given up halfway: what is left on the wire is not worth reading
            connection.close()
            raise
        self._idle.append(connection)

    def _reader(self) -> Any:
        """A connection that answers: one that was used before may have been lost since."""
        while self._idle:
            connection = self._idle.pop()
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                    cursor.fetchall()
                return connection
            except adbc_driver_manager.Error:
                connection.close()
        try:
            return adbc.connect(self._session.dsn, autocommit=True)
        except adbc_driver_manager.Error as error:
            raise _named(error) from error

    def _within(self, query: bytes, parameters: Parameters, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        def declare(connection: Connection) -> psycopg.ServerCursor[tuple[Any, ...]]:
            cursor = connection.cursor(f"stream_{next(self._names)}")
            cursor.execute(query, parameters)
            return cursor

        try:
            with self._session.run(declare) as cursor:
                while rows := cursor.fetchmany(_CURSOR_ROWS):
                    columns = [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), schema, strict=True)]
                    yield pa.RecordBatch.from_arrays(columns, schema=schema)
        except psycopg.Error as error:
            raise named(error) from error


def _named(error: adbc_driver_manager.Error) -> Exception:
    state = str(error.sqlstate or "").strip("\0")
    message = str(error).splitlines()[0]
    if state in ("57014", "55P03"):
        return Refusal(DATABASE_BUSY, f"{message}.")
    if state.startswith(("08", "57P", "53")) or (not state and isinstance(error, _DRIVER_FAULTS)):
        return Refusal(DATABASE_UNAVAILABLE, f"{message}.")
    return error
