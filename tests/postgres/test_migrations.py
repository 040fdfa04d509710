"""Migrations: applied once, in order, each whole or not at all, and refused by name when they changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from farthing.core.base.refusal import Refusal
from farthing.core.ledger.accounts import CHART
from farthing.edges.postgres.migrate import Migration, ensure_account, migrate, migrations
from farthing.edges.postgres.store import PostgresStore
from farthing.edges.postgres.supervisor import BOOTSTRAP, OWNER, SERVICE, Server


@pytest.fixture
def empty(pg_server: Server) -> Iterator[str]:
    """The name of an empty database."""
    pg_server.create_database("farthing_empty")
    yield "farthing_empty"
    pg_server.drop_database("farthing_empty")


def rows(dsn: str, query: str) -> list[Any]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def test_the_files_are_numbered_without_gaps() -> None:
    names = [step.name for step in migrations()]
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    assert len(names) >= 8


def test_migrating_again_does_nothing(pg_server: Server, empty: str) -> None:
    owner = pg_server.dsn(empty, OWNER)
    said: list[str] = []
    applied = migrate(owner, say=said.append)
    assert applied == tuple(step.name for step in migrations())
    assert said == [f"migration {name}" for name in applied]
    before = rows(owner, "SELECT * FROM farthing.schema_migrations ORDER BY name")
    assert migrate(owner) == ()
    assert rows(owner, "SELECT * FROM farthing.schema_migrations ORDER BY name") == before


def test_several_may_migrate_at_once(pg_server: Server, empty: str) -> None:
    owner, applied = pg_server.dsn(empty, OWNER), []
    threads = [threading.Thread(target=lambda: applied.append(len(migrate(owner)))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == [0, 0, len(migrations())]


def test_a_migration_that_changed_is_refused_by_name(pg_server: Server, empty: str) -> None:
    steps = [Migration("0001_a.sql", b"CREATE TABLE a (n int)"), Migration("0002_b.sql", b"CREATE TABLE b (n int)")]
    owner = pg_server.dsn(empty, OWNER)
    migrate_bare(owner, steps[:1])
    with pytest.raises(Refusal) as caught:
        migrate_bare(owner, [Migration("0001_a.sql", b"CREATE TABLE a (n int) "), steps[1]])
    assert (caught.value.code, caught.value.field) == ("migration_changed", "0001_a.sql")
    assert rows(owner, "SELECT to_regclass('farthing.b')") == [(None,)]
    migrate_bare(owner, steps)
    with pytest.raises(Refusal) as caught:
        migrate_bare(owner, steps[1:])
    assert (caught.value.code, caught.value.field) == ("database_newer", "0001_a.sql")


def migrate_bare(owner: str, steps: list[Migration]) -> None:
    """Migrate by steps that are not Farthing's, beside the table that the migrator itself writes to."""
    chart = Migration("0000_chart.sql", b"CREATE TABLE chart_of_accounts (code text PRIMARY KEY, name text, type text, subject text)")
    migrate(owner, [chart, *steps])


def test_a_migration_that_fails_leaves_nothing_of_itself(pg_server: Server, empty: str) -> None:
    owner = pg_server.dsn(empty, OWNER)
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate_bare(owner, [Migration("0001_a.sql", b"CREATE TABLE a (n int)"), Migration("0002_b.sql", b"CREATE TABLE b (n int); SELECT 1 / 0")])
    assert rows(owner, "SELECT to_regclass('farthing.a') IS NULL, to_regclass('farthing.b') IS NULL") == [(False, True)]
    assert [name for (name,) in rows(owner, "SELECT name FROM farthing.schema_migrations ORDER BY 1")] == ["0000_chart.sql", "0001_a.sql"]


def test_the_chart_of_accounts_is_that_of_core(pg_server: Server, empty: str) -> None:
    owner = pg_server.dsn(empty, OWNER)
    migrate(owner)
    found = {code: tuple(rest) for code, *rest in rows(owner, "SELECT code, name, type, subject FROM farthing.chart_of_accounts")}
    assert found == {code: (one.name, one.type, one.subject) for code, one in CHART.items()}
    with psycopg.connect(owner) as connection:
        connection.execute("UPDATE farthing.chart_of_accounts SET name = 'other' WHERE code = 'cash'")
    migrate(owner)
    assert rows(owner, "SELECT name FROM farthing.chart_of_accounts WHERE code = 'cash'") == [("Cash",)]


def test_an_account_is_created_once_with_what_it_begins_with(fresh_database: Any) -> None:
    first = ensure_account(fresh_database.owner, "acme")
    assert ensure_account(fresh_database.owner, "acme") == first
    assert ensure_account(fresh_database.owner, "globex") == first + 1
    for table, each in (("log_heads", 1), ("catalogue_heads", 1), ("document_heads", 1), ("seller_entities", 1), ("books", 1), ("number_series", 2)):
        counted = rows(fresh_database.owner, f"SELECT mode, count(*) FROM farthing.{table} WHERE account = {first} GROUP BY mode ORDER BY mode")
        assert counted == [("test", each), ("live", each)], table


def test_only_the_owner_creates_accounts(fresh_database: Any) -> None:
    with psycopg.connect(fresh_database.service) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT farthing.create_account('mine')")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ensure_account(fresh_database.service, "mine")


def test_a_store_opens_only_on_what_fits_it(pg_server: Server, empty: str, fresh_database: Any) -> None:
    def refusal(dsn: str, account: str = "acme") -> str:
        with pytest.raises(Refusal) as caught:
            PostgresStore.open(dsn, account, "test")
        return caught.value.code

    assert refusal(pg_server.dsn(empty, SERVICE)) == "database_not_migrated"
    assert refusal(fresh_database.service) == "account_unknown"
    assert refusal(fresh_database.service.replace("?host=", "?host=/nowhere/")) == "database_unavailable"
    with psycopg.connect(fresh_database.owner) as connection:
        connection.execute("DELETE FROM farthing.schema_migrations WHERE name LIKE '0008%'")
    assert refusal(fresh_database.service) == "database_not_migrated"


def test_a_role_that_could_get_round_the_rules_is_refused(pg_server: Server, fresh_database: Any) -> None:
    ensure_account(fresh_database.owner, "acme")
    database = fresh_database.service.split("@/")[1].split("?")[0]
    with psycopg.connect(pg_server.dsn(database, BOOTSTRAP), autocommit=True) as superuser:
        for spoil, mend in (
            ("ALTER ROLE farthing_service BYPASSRLS", "ALTER ROLE farthing_service NOBYPASSRLS"),
            ("ALTER TABLE farthing.meters OWNER TO farthing_service", f"ALTER TABLE farthing.meters OWNER TO {OWNER}"),
            (f"GRANT {OWNER} TO farthing_service WITH INHERIT TRUE", f"REVOKE {OWNER} FROM farthing_service"),
        ):
            superuser.execute(spoil.encode())
            try:
                with pytest.raises(Refusal) as caught:
                    PostgresStore.open(fresh_database.service, "acme", "test")
            finally:
                superuser.execute(mend.encode())
            assert caught.value.code == "database_role_unsafe"
    PostgresStore.open(fresh_database.service, "acme", "test").close()


def test_whoever_connects_works_as_the_service(pg_server: Server, fresh_database: Any) -> None:
    ensure_account(fresh_database.owner, "acme")
    database = fresh_database.service.split("@/")[1].split("?")[0]
    with PostgresStore.open(pg_server.dsn(database, BOOTSTRAP), "acme", "test") as store:
        who = store.session.run(lambda connection: connection.execute("SELECT current_user").fetchone())
    assert who == ("farthing_service",)
