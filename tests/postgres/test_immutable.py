"""What is a fact stays as it is: the database refuses to change it, and what somebody with all rights changes is found."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from farthing.core.events.event import Cancel, Replace
from farthing.edges.postgres.store import PostgresStore
from farthing.testing.builders import bill, event, line, open_contract

# May change, and why.
MUTABLE = {
    "accounts", "seller_entities", "markets", "market_currencies", "tax_registrations", "customers", "payees", "revenue_shares",  # master data
    "number_series", "catalogue_heads", "log_heads", "document_heads", "books",  # heads, which only move forward
    "drafts", "draft_lines", "source_checkpoints",  # work in progress
    "grants", "limits", "limit_reservations",  # balances, held within bounds
    "customer_keys", "vault_entries",  # erasure
    "resources", "claims", "series", "api_keys", "idempotency",  # what the API shows now; what happened to it, events tell
}  # fmt: skip


def facts(owner: psycopg.Connection[Any]) -> list[str]:
    query = (
        "SELECT relname FROM pg_class WHERE relnamespace = 'farthing'::regnamespace AND relkind = 'r'"
        " AND relname <> ALL (%s) AND relname NOT IN ('schema_migrations', 'chart_of_accounts') ORDER BY 1"
    )
    return [name for (name,) in owner.execute(query, (list(MUTABLE),))]


def test_facts_are_refused_any_change_even_by_the_owner(account: Any, store: PostgresStore) -> None:
    open_contract(store)
    store.append([event("a")])
    store.finalise(*bill("in_1", line(100)))
    with account.connect_owner() as owner, account.connect() as service:
        assert {"events", "event_ids", "event_batches", "documents", "document_lines", "document_numbers", "entries", "postings"} <= {*facts(owner)}
        for table in facts(owner):
            for attempt in (f"UPDATE {table} SET account = account", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
                with pytest.raises(psycopg.Error) as caught:
                    owner.execute(attempt.encode())
                assert caught.value.sqlstate == "FT001", (attempt, str(caught.value))
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    service.execute(attempt.encode())


@pytest.mark.parametrize("table", ["log_heads", "catalogue_heads", "document_heads", "number_series"])
def test_a_head_never_goes_back(account: Any, store: PostgresStore, table: str) -> None:
    open_contract(store)
    store.append([event("a")])
    store.finalise(*bill("in_1", line(100)))
    with account.connect() as service, pytest.raises(psycopg.Error) as caught:
        service.execute(f"UPDATE {table} SET head = head - 1 WHERE head > 0".encode())
    assert caught.value.sqlstate == "FT001"


TAMPERING = {
    "a property": ("UPDATE events SET payload = jsonb_set(payload, '{value}', '\"2\"') WHERE identifier = 'a'", ["a"]),
    "a property added": ("UPDATE events SET payload = payload || '{\"x\": \"\"}' WHERE identifier = 'a'", ["a"]),
    "a property turned into a number": ("UPDATE events SET payload = '{\"value\": 1}' WHERE identifier = 'a'", ["a"]),
    "the time": ("UPDATE events SET at = at + 1 WHERE identifier = 'b2'", ["b2"]),
    "the customer": ("UPDATE events SET customer = 'globex' WHERE identifier = 'a'", ["a"]),
    "the name": ("UPDATE events SET event_name = 'answer' WHERE identifier = 'a'", ["a"]),
    "the identifier": ("UPDATE events SET identifier = 'z' WHERE identifier = 'a'", ["a", "z"]),
    "an event gone": ("DELETE FROM events WHERE identifier = 'a'", ["a"]),
    "an event added": (
        "INSERT INTO events SELECT account, mode, batch, at, 99, 'forged', NULL, event_name, customer, payload FROM events WHERE identifier = 'a'",
        ["forged"],
    ),
    "what a replacement replaces": ("UPDATE events SET target = 'a' WHERE identifier = 'b2'", ["b2", "a", "b"]),
    "a cancellation gone": ("DELETE FROM events WHERE identifier IS NULL", ["c"]),
    "a cancellation out of its registry": ("DELETE FROM event_cancels", ["c"]),
    "a cancellation of another event": ("UPDATE event_cancels SET target = 'a'", ["a", "c"]),
    "a replacement out of its registry": ("DELETE FROM event_replacements", ["b"]),
    "the registry's hash": ("UPDATE event_ids SET hash = gen_random_uuid() WHERE identifier = 'a'", ["a"]),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_what_was_altered_with_all_rights_is_found(account: Any, store: PostgresStore, what: str) -> None:
    store.append([event("a"), event("b"), event("c"), event("d"), Replace("b", event("b2", 5)), Cancel("c", "call")])
    assert list(store.altered()) == []
    attempt, altered = TAMPERING[what]
    with account.connect_superuser() as superuser:
        superuser.execute("SET session_replication_role = replica")  # no triggers
        assert superuser.execute(attempt.encode()).rowcount >= 1
    assert sorted(store.altered()) == sorted(altered)
