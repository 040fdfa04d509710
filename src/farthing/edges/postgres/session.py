"""One connection of the service, bound to an account and a mode: transactions, retries where they are safe, named errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import psycopg
from psycopg import conninfo

from farthing.core.base.refusal import Refusal
from farthing.edges.postgres.faults import Fault, fault, named
from farthing.edges.postgres.migrate import OLDEST_SERVER, SERVICE_ROLE, migrations
from farthing.edges.postgres.refusals import ACCOUNT_UNKNOWN, DATABASE_NOT_MIGRATED, DATABASE_ROLE_UNSAFE, DATABASE_TOO_OLD
from farthing.edges.postgres.statements import statement

T = TypeVar("T")
Mode = Literal["test", "live"]
Connection = psycopg.Connection[tuple[Any, ...]]
Parameters = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, in seconds, the database may take: for a statement, for a lock, with an idle transaction, and to come back after it was
    lost. `clashes` is how often a transaction that got into another's way is tried again."""

    statement: float = 900
    lock: float = 30
    idle: float = 600
    return_: float = 15
    clashes: int = 10


class Session:
    """A connection that opens itself, again if need be. For one thread. Without an account it sees no row of any."""

    def __init__(self, dsn: str, account: str | None, mode: Mode, patience: Patience) -> None:
        self.mode: Mode = mode
        self._dsn = dsn
        self._patience = patience
        self._connection: Connection | None = None
        self._depth = 0
        self._transactions = 0
        self._setups: list[bytes] = []
        number = self._find(account)
        self._settings = {} if number is None else {"farthing.account": str(number), "farthing.mode": mode}

    @property
    def dsn(self) -> str:
        """The connection string with everything that makes a connection this session's: role, account, mode, time limits."""
        return _with_settings(self._dsn, self._patience, self._settings)

    @property
    def in_transaction(self) -> bool:
        """Whether an explicit transaction is open."""
        return self._depth > 0

    @property
    def transactions(self) -> int:
        """How many transactions have begun: a number for the one that is open."""
        return self._transactions

    def on_connect(self, setup: bytes) -> None:
        """Run a statement on every new connection, such as the one that creates a temporary table."""
        self._setups.append(setup)

    def close(self) -> None:
        """Close the connection; the session opens a new one when it is used again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is run inside becomes durable together, or not at all. Nothing inside is retried: its errors end it."""
        if self._depth:  # part of the outer one, and undone with it
            yield
            return
        try:
            with ExitStack() as stack:
                self._begin(stack)
                self._depth += 1
                stack.callback(self._leave)
                yield
        except psycopg.Error as error:
            raise self._ended(error) from error

    def run(self, work: Callable[[Connection], T], repeatable: bool = True) -> T:
        """Do work in a transaction and return what it returns: in the explicit one if there is one, else in its own.

        Its own is tried again after a clash with another, and, where `repeatable` says that doing it twice is doing it once, after
        the connection was lost. Errors: refusals of the work, database_unavailable, database_busy, database_disk_full.
        """
        if self._depth:
            assert self._connection is not None
            try:
                return work(self._connection)
            except psycopg.Error as error:
                raise named(error) from error
        deadline = time.monotonic() + self._patience.return_
        clashes = 0
        while True:
            try:
                with ExitStack() as stack:
                    return work(self._begin(stack))
            except psycopg.Error as error:
                refusal = self._ended(error)
                clashes += fault(error) is Fault.CLASH
                again = clashes <= self._patience.clashes if fault(error) is Fault.CLASH else fault(error) is Fault.GONE and repeatable
                if not again or time.monotonic() > deadline:
                    raise refusal from error
                time.sleep(min(0.01 * 2**clashes, 0.5))

    def rows(self, name: str, parameters: Parameters | None = None) -> list[tuple[Any, ...]]:
        """The rows of a named statement."""
        return self.run(lambda connection: connection.execute(statement(name), parameters).fetchall())

    def value(self, name: str, parameters: Parameters | None = None) -> Any:
        """The first column of the first row of a named statement; None when there is none."""
        rows = self.rows(name, parameters)
        return rows[0][0] if rows else None

    def _ended(self, error: psycopg.Error) -> Exception:
        if fault(error) is Fault.GONE:
            self.close()
        return named(error)

    def _leave(self) -> None:
        self._depth -= 1

    def _begin(self, stack: ExitStack) -> Connection:
        """Enter a transaction; waits, within patience, for a database that is gone. Nothing was done yet, so this is always safe."""
        deadline = time.monotonic() + self._patience.return_
        pause = 0.02
        while True:
            try:
                connection = self._live()
                stack.enter_context(connection.transaction())
                self._transactions += 1
                return connection
            except psycopg.Error as error:
                refusal = self._ended(error)
                if fault(error) is not Fault.GONE or time.monotonic() > deadline:
                    raise refusal from error
            time.sleep(pause)
            pause = min(2 * pause, 1.0)

    def _live(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self.dsn, autocommit=True)
            for setup in self._setups:
                self._connection.execute(setup)
        return self._connection

    def _find(self, account: str | None) -> int | None:
        """Check that the database is one to work with, and find the account's number."""
        try:
            with psycopg.connect(_with_settings(self._dsn, self._patience, {}), autocommit=True) as connection:
                if connection.info.server_version < OLDEST_SERVER:
                    raise Refusal(DATABASE_TOO_OLD, f"the server is PostgreSQL {connection.info.parameter_status('server_version')}.")
                unsafe = connection.execute(statement("role_is_unsafe")).fetchone()
                if unsafe is None or unsafe[0]:
                    raise Refusal(DATABASE_ROLE_UNSAFE, f"{SERVICE_ROLE} owns tables of the schema, or may bypass its rules.")
                applied = {name for (name,) in connection.execute("SELECT name FROM schema_migrations")}
                missing = [step.name for step in migrations() if step.name not in applied]
                if missing:
                    raise Refusal(DATABASE_NOT_MIGRATED, f"{missing[0]} has not been applied.")
                row = connection.execute("SELECT find_account(%s)", (account,)).fetchone()
        except psycopg.Error as error:
            raise named(error) from error
        if account is None:
            return None
        if row is None or row[0] is None:
            raise Refusal(ACCOUNT_UNKNOWN, f"there is no account {account!r}.", "account")
        return int(row[0])


def _with_settings(dsn: str, patience: Patience, settings: Mapping[str, str]) -> str:
    known = conninfo.conninfo_to_dict(dsn)
    every = {
        "role": SERVICE_ROLE,
        "search_path": "farthing,pg_temp",
        "statement_timeout": f"{patience.statement * 1000:.0f}",
        "lock_timeout": f"{patience.lock * 1000:.0f}",
        "idle_in_transaction_session_timeout": f"{patience.idle * 1000:.0f}",
        **settings,
    }
    options = " ".join([str(known.get("options") or ""), *(f"-c {name}={value}" for name, value in every.items())]).strip()
    return conninfo.make_conninfo(dsn, options=options, connect_timeout=10, application_name="farthing")
