"""The log under concurrent writers, killed servers and tampering hands: real connections, real processes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from farthing.app.store import EventQuery
from farthing.core.base.timeline import ALL_TIME
from farthing.core.events.event import Event
from farthing.edges.postgres.migrate import ensure_account, migrate
from farthing.edges.postgres.session import Patience
from farthing.edges.postgres.store import PostgresStore
from farthing.edges.postgres.supervisor import OWNER, start


@pytest.fixture
def database(fresh_database: Any) -> Any:
    migrate(fresh_database.owner)
    for account in ("default", "other"):
        ensure_account(fresh_database.owner, account)
    return fresh_database


@pytest.fixture
def store(database: Any) -> Iterator[PostgresStore]:
    with PostgresStore.open(database.service, "default", "test") as opened:
        yield opened


def event(n: int, value: str = "1") -> Event:
    return Event(f"e{n}", "call", "acme", 1_735_700_000_000_000 + n, {"value": value})


def known(store: PostgresStore, up_to: int) -> list[str]:
    return [found.identifier for found in store.events(EventQuery("call", ALL_TIME, up_to))]


def test_what_is_known_at_a_position_never_changes_while_writers_commit_out_of_order(database: Any, store: PostgresStore) -> None:
    with PostgresStore.open(database.service, "default", "test") as slow:
        store.append([event(1)])
        before = store.head()
        with slow.transaction():
            slow.append([event(10), event(11)])
            assert known(store, store.head()) == ["e1"]
            assert store.head() == before
        after_slow = store.head()
        store.append([event(2)])
        assert known(store, before) == ["e1"]
        assert known(store, after_slow) == ["e1", "e10", "e11"]
        assert known(store, store.head()) == ["e1", "e10", "e11", "e2"]


def test_writers_side_by_side_with_the_same_events_count_each_once(database: Any, store: PostgresStore) -> None:
    accepted: list[int] = []

    def write(offset: int) -> None:
        with PostgresStore.open(database.service, "default", "test") as own:
            for start_ in range(0, 300, 50):
                batch = [event((offset * 37 + start_ + n) % 300) for n in range(50)]
                accepted.append(own.append(batch).accepted)

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    names = known(store, store.head())
    assert sum(accepted) == len(names) == len(set(names)) == store.head() == 300


def test_a_server_killed_in_the_middle_loses_no_acknowledged_event(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    with start(tmp_path / "postgres") as server:
        migrate(server.dsn(role=OWNER))
        ensure_account(server.dsn(role=OWNER), "default")
        killer = threading.Timer(0.7, os.kill, (server.pid, signal.SIGKILL))
        with PostgresStore.open(server.dsn(), "default", "test", Patience(return_=0.5)) as writing:
            killer.start()
            with pytest.raises(Exception, match="database_unavailable"):
                for n in range(0, 10_000_000, 20):
                    batch = [event(n + i) for i in range(20)]
                    writing.append(batch)
                    acknowledged += [one.identifier for one in batch]
        killer.join()
    assert len(acknowledged) >= 20
    with start(tmp_path / "postgres") as server, PostgresStore.open(server.dsn(), "default", "test") as reading:
        names = known(reading, reading.head())
        assert names[: len(acknowledged)] == acknowledged
        assert len(names) == len(set(names)) <= len(acknowledged) + 20
        assert reading.append([event(n) for n in range(20)]).duplicates == 20


def test_a_lost_connection_is_opened_again_and_nothing_counts_twice(database: Any, store: PostgresStore, pg_server: Any) -> None:
    store.append([event(1)])
    with psycopg.connect(database.owner, autocommit=True) as owner:
        name = owner.info.dbname
    pg_server._administer(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()")
    assert store.append([event(1), event(2)]).accepted == 1
    assert known(store, store.head()) == ["e1", "e2"]


TABLES = ("events", "event_ids", "documents", "document_lines", "entries", "postings", "price_versions", "meters")


@pytest.mark.parametrize("verb", ["UPDATE {} SET account = account", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_neither_service_nor_owner_can_alter_a_fact(database: Any, verb: str) -> None:
    for dsn in (database.service, database.owner):
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("SET search_path = farthing; SET farthing.account = '1'; SET farthing.mode = 'test'")
            for table in TABLES:
                with pytest.raises(psycopg.Error) as refused:
                    connection.execute(verb.format(f"farthing.{table}"))
                assert refused.value.sqlstate is not None, table


def test_an_account_or_mode_never_sees_the_rows_of_another(database: Any, store: PostgresStore) -> None:
    store.append([event(1)])
    for account, mode in (("other", "test"), ("default", "live")):
        with PostgresStore.open(database.service, account, mode) as stranger:
            assert (known(stranger, 10**9), stranger.head()) == ([], 0)
            assert stranger.append([event(1, "other content")]).accepted == 1
    with psycopg.connect(database.service, autocommit=True) as raw:
        raw.execute("SET farthing.account = '2'; SET farthing.mode = 'test'")
        assert raw.execute("SELECT count(*) FROM farthing.events WHERE account = 1").fetchone() == (0,)


def test_the_schema_holds_what_the_design_is_prepared_for(database: Any) -> None:
    with psycopg.connect(database.owner) as owner:
        rows = owner.execute("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'farthing'").fetchall()
    tables, columns = {table for table, _ in rows}, {column for _, column in rows}
    assert {"seller_entities", "markets", "number_series", "chart_of_accounts", "period_closings", "opening_balances", "migrated_totals"} <= tables
    assert {"tax_category", "exemption_reason", "payee", "trace_id", "mode", "account"} <= columns
