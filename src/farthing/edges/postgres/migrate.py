"""Migrations: numbered .sql files, each applied once, in its own transaction, by the owner of the database.

A migration that ran is remembered with its checksum. One that has changed since is refused by name before anything is done.
Several processes may migrate at once: one does, the others wait for it and find nothing to do.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources

import psycopg
from psycopg import sql

from farthing.core.base.refusal import Refusal
from farthing.core.ledger.accounts import CHART
from farthing.edges.postgres.faults import named
from farthing.edges.postgres.refusals import DATABASE_NEWER, DATABASE_TOO_OLD, MIGRATION_CHANGED
from farthing.edges.postgres.statements import statement

SCHEMA = "farthing"
SERVICE_ROLE = "farthing_service"
OLDEST_SERVER = 180_000
_LOCK = 4_871_330_251  # of pg_advisory_lock: any number that nothing else in the database uses


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: `name` is its file's, whose first four digits order the steps."""

    name: str
    text: bytes

    @property
    def checksum(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.text).hexdigest()


def migrations() -> tuple[Migration, ...]:
    """All migrations of this version, in order."""
    folder = resources.files("farthing.edges.postgres") / "migrations"
    found = [entry for entry in folder.iterdir() if re.fullmatch(r"\d{4}_\w+\.sql", entry.name)]
    return tuple(Migration(entry.name, entry.read_bytes()) for entry in sorted(found, key=lambda entry: entry.name))


def migrate(owner_dsn: str, steps: Sequence[Migration] | None = None, say: Callable[[str], None] = lambda _: None) -> tuple[str, ...]:
    """Bring the database to this version; returns the names of the migrations that were applied now.

    Errors: migration_changed, database_newer, database_too_old, database_unavailable. Those applied before an error stay applied.
    """
    steps = migrations() if steps is None else steps
    try:
        with psycopg.connect(owner_dsn, autocommit=True, connect_timeout=30, application_name="farthing migrate") as connection:
            connection.execute("SELECT set_config('lock_timeout', '0', false), pg_advisory_lock(%s)", (_LOCK,))
            _prepare(connection)
            pending = _pending(connection, steps)
            for step in pending:
                say(f"migration {step.name}")
                _apply(connection, step)
            _write_chart(connection)
            return tuple(step.name for step in pending)
    except psycopg.Error as error:
        raise named(error) from error


def _prepare(connection: psycopg.Connection) -> None:
    """The schema, its own table of migrations, and the service's role where the server was not set up by the supervisor."""
    if connection.info.server_version < OLDEST_SERVER:
        raise Refusal(DATABASE_TOO_OLD, f"the server is PostgreSQL {connection.info.parameter_status('server_version')}.")
    with connection.transaction():
        known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (SERVICE_ROLE,)).fetchone()
        if known is None:
            options = "NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
            connection.execute(sql.SQL("CREATE ROLE {} " + options).format(sql.Identifier(SERVICE_ROLE)))
        connection.execute(statement("prepare_schema"))
    connection.execute("SET search_path = farthing, pg_temp")


def _pending(connection: psycopg.Connection, steps: Sequence[Migration]) -> list[Migration]:
    applied: dict[str, str] = dict(connection.execute("SELECT name, checksum FROM schema_migrations").fetchall())
    by_name = {step.name: step for step in steps}
    for name, checksum in sorted(applied.items()):
        if name not in by_name:
            raise Refusal(DATABASE_NEWER, f"the database has run {name}, which this version does not have.", name)
        if by_name[name].checksum != checksum:
            raise Refusal(MIGRATION_CHANGED, f"{name} is not what the database has run.", name)
    return [step for step in steps if step.name not in applied]


def _apply(connection: psycopg.Connection, step: Migration) -> None:
    with connection.transaction():
        connection.execute(step.text)
        connection.execute("INSERT INTO schema_migrations (name, checksum) VALUES (%s, %s)", (step.name, step.checksum))


def _write_chart(connection: psycopg.Connection) -> None:
    """The chart of accounts as core declares it; core alone knows it. Accounts are added and renamed, never removed."""
    rows = [(account.code, account.name, account.type, account.subject) for account in CHART.values()]
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(statement("write_chart"), rows)


def ensure_account(owner_dsn: str, name: str) -> int:
    """The number of the account of that name, created if there is none."""
    try:
        with psycopg.connect(owner_dsn, connect_timeout=30, options="-c search_path=farthing,pg_temp") as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            row = connection.execute(statement("ensure_account"), {"name": name}).fetchone()
    except psycopg.Error as error:
        raise named(error) from error
    assert row is not None
    return int(row[0])
