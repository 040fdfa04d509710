"""The database itself keeps accounts and modes apart. A session's account is a setting: whatever SQL is sent within one sees, writes and
reveals nothing of another."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import sql

from farthing.app.resources.access import ApiKey, Begun
from farthing.app.store import EventQuery
from farthing.core.base.time import Interval
from farthing.core.base.timeline import ALL_TIME, FOREVER
from farthing.core.catalog.terms import Grant
from farthing.core.events.event import Cancel, Replace
from farthing.core.invoice.document import key_text
from farthing.edges.postgres.store import PostgresStore
from farthing.testing.builders import FEBRUARY, YEAR, bill, contract, event, line, open_contract, reverse

# Without an account: what it is, is the same for all.
GLOBAL = {"schema_migrations", "chart_of_accounts"}
# What the service may write, exactly. A new table has to be added here, and thought about.
INSERTS = {
    "contract_declarations", "contract_versions", "contracts", "customer_versions", "customers", "document_lines",
    "document_numbers", "document_voids", "documents", "draft_lines", "drafts", "entries", "event_batches", "event_cancels",
    "event_ids", "event_replacements", "events", "grant_uses", "grants", "meters", "period_closings", "postings", "price_versions",
    "refused_facts", "source_checkpoints", "waivers",
    "api_keys", "claims", "idempotency", "resources", "series",
}  # fmt: skip
UPDATES = {
    ("catalogue_heads", "head"), ("document_heads", "head"), ("log_heads", "head"), ("number_series", "head"),
    ("grants", "remaining"), ("source_checkpoints", "mark"), ("series", "head"), ("api_keys", "revoked_at"),
    ("resources", "document"), ("resources", "hidden"), ("resources", "deleted"), ("resources", "clock"), ("resources", "due_at"),
}  # fmt: skip
DELETES = {"claims", "drafts", "idempotency"}


def column(connection: psycopg.Connection[Any], query: str) -> set[Any]:
    return {row[0] for row in connection.execute(query.encode())}


def fill(store: PostgresStore) -> None:
    """Something in every table that the service writes."""
    open_contract(store)
    store.append([event("a"), Cancel("a", "call"), event("b"), Replace("b", event("c")), event("b", 9)])
    store.put_checkpoint("file", "1")
    store.put_grant("acme", Grant("g", "usd", 10, "after_tax"))
    store.put_waiver("acme-1", key_text(line(1, "seats").key), 5, "goodwill")
    store.finalise(*bill("in_1", line(100), used=[("g", 3)]))
    gone = bill("in_v", line(1, "void"))
    store.finalise(*gone)
    store.void(gone[0], "waive", "wrong", reverse(gone[2]), [(key_text(line(1, "void").key), 1)])
    store.put_contract(contract(active=Interval(YEAR.start, FOREVER)))
    drafted = bill("in_2", line(5, period=FEBRUARY), period=FEBRUARY)
    store.save_drafts("acme-1", [drafted[0]], {"in_2": drafted[1]})
    store.add("customer", "cus_1", 1, {"email": "a@example.com"}, due_at=1, hidden={"secret": "s"})
    store.claim("code", "SUMMER", "promo_1")
    store.next_number("receipt")
    store.add_key(ApiKey("key_1", secrets.token_bytes(32), "secret", "sk_test_…", 1))
    with store.transaction():
        begun = store.begin_request("k", b"f", 0)
        assert isinstance(begun, Begun)
        store.finish_request(begun, 200, {}, b"")


def tables(connection: psycopg.Connection[Any]) -> set[str]:
    return column(connection, "SELECT relname FROM pg_class WHERE relnamespace = 'farthing'::regnamespace AND relkind IN ('r', 'p')")


def test_every_table_has_account_and_mode_and_row_level_security(account: Any) -> None:
    with account.connect_owner() as owner:
        every = tables(owner)
        for name in ("account", "mode"):
            having = column(owner, f"SELECT table_name FROM information_schema.columns WHERE table_schema = 'farthing' AND column_name = '{name}'")
            assert every - having == GLOBAL | {"accounts"}, name
        protected = column(owner, "SELECT relname FROM pg_class WHERE relnamespace = 'farthing'::regnamespace AND relrowsecurity")
        assert every - protected == GLOBAL
        policies = owner.execute("SELECT tablename, cmd, qual, with_check FROM pg_policies WHERE schemaname = 'farthing'").fetchall()
        assert {name for name, *_ in policies} == every - GLOBAL
        assert len(policies) == len(every - GLOBAL)
        for name, command, using, check in policies:
            assert command == "ALL" and check is None, name
            assert name == "accounts" or ("account = " in using and "mode = " in using and " OR " not in using), name


def test_the_service_may_do_no_more_than_it_needs(account: Any) -> None:
    with account.connect_owner() as owner:
        granted = owner.execute(
            "SELECT table_name, privilege_type FROM information_schema.table_privileges"
            " WHERE table_schema = 'farthing' AND grantee = 'farthing_service'"
        ).fetchall()
        updates = owner.execute(
            "SELECT table_name, column_name FROM information_schema.column_privileges"
            " WHERE table_schema = 'farthing' AND grantee = 'farthing_service' AND privilege_type = 'UPDATE'"
        ).fetchall()
        assert column(owner, "SELECT grantee::text FROM information_schema.table_privileges WHERE table_schema = 'farthing'") == {
            "farthing_owner",
            "farthing_service",
        }
        every = tables(owner)
    assert {name for name, what in granted if what == "SELECT"} == every
    assert {name for name, what in granted if what == "INSERT"} == INSERTS
    assert {name for name, what in granted if what == "DELETE"} == DELETES
    assert set(updates) == UPDATES
    assert {what for _, what in granted} <= {"SELECT", "INSERT", "DELETE"}


def test_neither_another_account_nor_the_other_mode_sees_any_row(account: Any, other_account: Any, store: PostgresStore) -> None:
    fill(store)
    with account.connect() as own, account.connect("live") as live, other_account.connect() as stranger:
        for table in tables(own) - GLOBAL - {"accounts"}:
            mine = sql.SQL("SELECT count(*) FROM {} WHERE account = {} AND mode = 'test'").format(sql.Identifier(table), account.number)
            assert table not in INSERTS or own.execute(mine).fetchone() != (0,) or table == "period_closings", f"nothing to see in {table}"
            for outside in (live, stranger):
                assert outside.execute(mine).fetchone() == (0,), table
            for inside, number, mode in ((live, account.number, "live"), (stranger, other_account.number, "test")):
                seen = sql.SQL("SELECT DISTINCT account, mode::text FROM {}").format(sql.Identifier(table))
                assert inside.execute(seen).fetchall() in ([], [(number, mode)]), table
        assert stranger.execute("SELECT name FROM accounts").fetchall() == [(other_account.name,)]


def test_no_row_can_be_written_for_another(account: Any, other_account: Any, store: PostgresStore) -> None:
    fill(store)
    with account.connect() as own, other_account.connect() as stranger:
        for table in sorted(INSERTS):
            [(columns,)] = own.execute(
                "SELECT string_agg(format('%%I', column_name), ', ') FROM information_schema.columns"
                " WHERE table_schema = 'farthing' AND table_name = %s AND is_identity = 'NO' AND is_generated = 'NEVER'"
                " AND column_name NOT IN ('account', 'mode')",
                (table,),
            ).fetchall()
            for number, mode in ((other_account.number, "test"), (account.number, "live")):
                copy = f"INSERT INTO {table} (account, mode, {columns}) SELECT {number}, '{mode}', {columns} FROM {table}"
                if table == "period_closings":
                    copy = f"INSERT INTO period_closings (account, mode, seller_entity, period) VALUES ({number}, '{mode}', 'default', '2020-01')"
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
                    own.execute(copy.encode())
        for table, name in sorted(UPDATES):
            assert stranger.execute(f"UPDATE {table} SET {name} = {name} WHERE account = {account.number}".encode()).rowcount == 0
        for table in sorted(DELETES):
            assert stranger.execute(f"DELETE FROM {table} WHERE account = {account.number}".encode()).rowcount == 0
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="COPY FROM not supported with row-level security"):
            own.execute("COPY events FROM STDIN")


@pytest.mark.parametrize(
    "attempt",
    [
        "ALTER TABLE events DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "DROP POLICY own_rows ON events",
        "CREATE POLICY mine ON events USING (true)",
        "ALTER ROLE farthing_service BYPASSRLS",
        "ALTER ROLE farthing_service SUPERUSER",
        "SET ROLE farthing_owner",
        "SET SESSION AUTHORIZATION farthing_owner",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION current_account() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE farthing.mine (n int)",
        "GRANT ALL ON events TO farthing_service; UPDATE events SET at = 0",
        "CALL protect('events', '{update}', false)",
        "SELECT create_account('mine')",
        "DROP TABLE events",
        "TRUNCATE events",
        "SET row_security = off; SELECT count(*) FROM events",
        "COPY (SELECT 1) TO '/tmp/stolen'",
        "SELECT pg_read_file('/etc/passwd')",
        "UPDATE accounts SET name = 'mine'",
        "UPDATE books SET closed_through = ''",
        "INSERT INTO chart_of_accounts VALUES ('slush', 'Slush', 'asset', '')",
    ],
)
def test_the_service_cannot_get_round_it(account: Any, attempt: str) -> None:
    with account.connect() as own, pytest.raises(psycopg.errors.InsufficientPrivilege):
        own.execute(attempt.encode())


def test_shadowing_tables_and_functions_fools_no_trigger(account: Any, store: PostgresStore) -> None:
    open_contract(store)
    with account.connect() as own:
        own.execute("CREATE TEMP TABLE books AS SELECT 1 AS account; CREATE TEMP TABLE entries (account int, mode text, entry text, legs int)")
        closing = "INSERT INTO farthing.period_closings (account, mode, seller_entity, period) VALUES (%s, 'test', 'default', '2020-01')"
        own.execute(closing, (account.number,))
        assert own.execute("SELECT closed_through FROM farthing.books WHERE mode = 'test'").fetchone() == ("2020-01",)


@pytest.mark.parametrize("settings", [{}, {"farthing.account": "", "farthing.mode": ""}, {"farthing.account": "999999", "farthing.mode": "test"}])
def test_without_an_account_there_is_nothing(account: Any, store: PostgresStore, settings: dict[str, str]) -> None:
    fill(store)
    with psycopg.connect(account.service, autocommit=True) as connection:
        connection.execute("SET search_path = farthing")
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        for table in tables(connection) - GLOBAL:
            assert connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone() == (0,), table


def test_stores_of_one_process_do_not_mix(account: Any, other_account: Any, open_store: Callable[..., PostgresStore]) -> None:
    stores = [open_store(account), open_store(account, "live"), open_store(other_account)]
    for n, one in enumerate(stores):
        fill(one)
        one.append([event(f"only {n}")])
    for n, one in enumerate(stores):
        assert one.head() == 5
        assert [found.identifier for found in one.events(EventQuery("call", ALL_TIME, 99))] == ["c", f"only {n}"]
        assert [each.number for each in one.documents()] == ["INV-000001", "INV-000002"]
        assert one.revision() == 5
