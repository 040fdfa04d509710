"""Resources on a real PostgreSQL: what two connections see and wait for, what another account sees, and which index serves what."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from dataclasses import replace
from itertools import count
from threading import Barrier
from typing import Any

import psycopg
import pytest

from farthing.app.resources.access import Begun, Conflict, InUse, Replay, ensure_key, hashed
from farthing.app.resources.table import PageQuery
from farthing.app.resources.table import Test as Where
from farthing.core.base.refusal import Refusal
from farthing.edges.postgres.access import KeyRing
from farthing.edges.postgres.resources import _listing
from farthing.edges.postgres.session import Patience
from farthing.edges.postgres.statements import statement
from farthing.edges.postgres.store import PostgresStore

Open = Callable[..., PostgresStore]
_numbers = count(1)


def new_secret(mode: str = "test") -> str:
    return f"sk_{mode}_{next(_numbers):024}abcd"


def add(store: PostgresStore, id_: str, **rest: Any) -> None:
    store.add("thing", id_, 1, {"id": id_}, **rest)


@pytest.fixture
def two(account: Any, open_store: Open) -> tuple[PostgresStore, PostgresStore]:
    return open_store(account), open_store(account)


def waits(work: Callable[[], Any], store: PostgresStore, meanwhile: Callable[[], Any]) -> Any:
    """What work comes to that has to wait for what `store` does meanwhile in a transaction."""
    with ThreadPoolExecutor(1) as pool:
        with store.transaction():
            meanwhile()
            waiting = pool.submit(work)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
        return waiting.result(timeout=30)


# Two connections


def test_a_locked_row_is_changed_by_one_after_the_other(two: Any) -> None:
    one, other = two
    add(one, "a")

    def raise_(store: PostgresStore) -> Any:
        with store.transaction():
            row = store.find("thing", "a", lock=True)
            assert row is not None
            store.put(replace(row, document={"n": row.document.get("n", 0) + 1}))

    waits(lambda: raise_(other), one, lambda: raise_(one))
    assert one.find("thing", "a").document == {"n": 2}


def test_due_work_goes_to_one_of_two_and_nobody_waits(two: Any) -> None:
    one, other = two
    for n in range(4):
        add(one, f"r{n}", due_at=n)
    with one.transaction():
        first = one.due("thing", 9, None, 2)
        with other.transaction():
            second = other.due("thing", 9, None, 3)
            assert [row.id for row in first] == ["r0", "r1"]
            assert [row.id for row in second] == ["r2", "r3"]
        one.put(replace(first[0], due_at=None))
    with other.transaction():
        assert [row.id for row in other.due("thing", 9, None, 9)] == ["r1", "r2", "r3"]


def test_a_name_is_taken_by_one_of_two_who_ask_at_once(two: Any) -> None:
    one, other = two
    assert waits(lambda: other.claim("code", "X", "b"), one, lambda: one.claim("code", "X", "a")) == "a"
    assert waits(lambda: other.claim("code", "X", "b"), one, lambda: one.release("code", "X", "a")) is None
    one.release("code", "X", "b")
    with ThreadPoolExecutor(2) as pool:
        start = Barrier(2)

        def race(store: PostgresStore, owner: str, name: str) -> str | None:
            start.wait()
            return store.claim("code", name, owner)

        for n in range(30):
            results = [pool.submit(race, store, owner, f"n{n}") for store, owner in ((one, "a"), (other, "b"))]
            assert sorted(str(result.result(timeout=30)) for result in results) in (["None", "a"], ["None", "b"])


def test_an_id_that_two_add_at_once_is_refused_to_one(two: Any) -> None:
    one, other = two

    def second() -> str:
        with pytest.raises(Refusal) as caught:
            add(other, "a")
        return caught.value.code

    assert waits(second, one, lambda: add(one, "a")) == "resource_already_exists"


def test_numbers_are_gapless_when_many_take_them_and_some_give_them_back(account: Any, open_store: Open) -> None:
    committed: list[int] = []

    def take(worker: int) -> None:
        store = open_store(account)
        for n in range(20):
            try:
                with store.transaction():
                    number = store.next_number("invoice")
                    if (n + worker) % 3 == 0:
                        raise KeyError
                committed.append(number)
            except KeyError:
                pass

    with ThreadPoolExecutor(4) as pool:
        for result in [pool.submit(take, worker) for worker in range(4)]:
            result.result(timeout=60)
    assert len(committed) > 40
    assert sorted(committed) == list(range(1, len(committed) + 1))


# Answers


def test_the_second_of_two_is_told_at_once_that_the_key_is_in_use(two: Any, account: Any, open_store: Open) -> None:
    one, other = two
    with one.transaction():
        begun = one.begin_request("k", b"f", 0)
        add(one, "a")
        for fingerprint in (b"f", b"g"):
            started = time.monotonic()
            with other.transaction():
                assert other.begin_request("k", fingerprint, 0) == InUse()
            assert time.monotonic() - started < 0.5
        with other.transaction(), open_store(account, "live").transaction():
            assert isinstance(other.begin_request("other", b"f", 0), Begun)
        live = open_store(account, "live")
        with live.transaction():
            assert isinstance(live.begin_request("k", b"f", 0), Begun)
        one.finish_request(begun, 200, {}, b"done")
        with other.transaction():
            assert other.begin_request("k", b"f", 0) == InUse()
    with other.transaction():
        assert other.begin_request("k", b"f", 0) == Replay(200, {}, b"done")
        assert other.begin_request("k", b"g", 0) == Conflict()


def test_of_many_who_send_a_request_at_once_one_does_the_work(account: Any, open_store: Open) -> None:
    stores = [open_store(account) for _ in range(4)]
    start = Barrier(4)

    def send(store: PostgresStore, key: str) -> str:
        start.wait()
        while True:
            with store.transaction():
                found = store.begin_request(key, b"f", 0)
                if isinstance(found, Begun):
                    body = str(store.next_number(f"work of {key}")).encode()
                    store.finish_request(found, 200, {}, body)
                    return f"did {body.decode()}"
                if isinstance(found, Replay):
                    return f"read {found.body.decode()}"
            time.sleep(0.001)

    with ThreadPoolExecutor(4) as pool:
        for n in range(25):
            results = [pool.submit(send, store, f"k{n}") for store in stores]
            assert sorted(result.result(timeout=30) for result in results) == ["did 1", "read 1", "read 1", "read 1"]


def test_a_process_that_is_killed_in_the_middle_leaves_nothing_and_a_retry_does_the_work(account: Any, store: PostgresStore) -> None:
    script = f"""
        import os, signal
        from farthing.edges.postgres.store import PostgresStore
        store = PostgresStore.open({account.service!r}, {account.name!r}, "test")
        with store.transaction():
            begun = store.begin_request("k", b"f", 0)
            store.add("thing", "a", 1, {{}})
            store.finish_request(begun, 200, {{}}, b"")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while True:  # the server has to notice first
        with store.transaction():
            begun = store.begin_request("k", b"f", 0)
            if isinstance(begun, Begun):
                assert store.find("thing", "a") is None
                add(store, "a")
                store.finish_request(begun, 200, {}, b"")
                break
        assert begun == InUse() and time.monotonic() < deadline
        time.sleep(0.01)
    assert store.find("thing", "a") is not None


def test_the_primary_key_holds_where_the_lock_is_got_round(two: Any) -> None:
    one, other = two
    with one.transaction():
        begun = one.begin_request("k", b"f", 0)
        one.finish_request(begun, 200, {}, b"")
    with pytest.raises(psycopg.errors.UniqueViolation), other.transaction():
        add(other, "a")
        other.finish_request(begun, 200, {}, b"")
    assert one.find("thing", "a") is None


# Accounts


def test_another_account_and_the_other_mode_share_nothing(account: Any, other_account: Any, store: PostgresStore, open_store: Open) -> None:
    add(store, "a", due_at=1)
    row = store.find("thing", "a")
    assert row is not None
    store.claim("code", "X", "a")
    store.next_number("invoice")
    with store.transaction():
        begun = store.begin_request("k", b"f", 0)
        assert isinstance(begun, Begun)
        store.finish_request(begun, 200, {}, b"")
    for other in (open_store(other_account), open_store(account, "live")):
        assert other.find("thing", "a") is None
        assert other.page(PageQuery("thing", 9)).rows == ()
        with other.transaction():
            assert other.due("thing", 9, None, 9) == []
        with pytest.raises(Refusal) as caught:
            other.put(row)
        assert caught.value.code == "resource_missing"
        assert other.claim("code", "X", "b") is None
        assert other.next_number("invoice") == 1
        add(other, "a")
        with other.transaction():
            assert isinstance(other.begin_request("k", b"g", 0), Begun)
        assert other.forget_requests(9) == 0
    assert store.forget_requests(9) == 1


def test_a_key_tells_whose_it_is_and_nothing_else_of_another_account_can_be_read(
    account: Any, other_account: Any, store: PostgresStore, open_store: Open
) -> None:
    secret, live = new_secret(), new_secret("live")
    key = ensure_key(store, secret, 1)
    live_key = ensure_key(open_store(account, "live"), live, 2)
    other = open_store(other_account)
    ring = KeyRing.open(account.service)
    for finder in (ring, store, other):
        for text, mode, expected in ((secret, "test", key), (live, "live", live_key)):
            found = finder.find_key(hashed(text))
            assert found is not None
            assert (found.account, found.mode, found.key) == (account.name, mode, expected)
        assert finder.find_key(hashed(new_secret())) is None
    ring.close()
    assert list(other.api_keys()) == []
    with pytest.raises(Refusal) as caught:
        other.revoke_key(key.id, 5)
    assert caught.value.code == "api_key_unknown"
    with pytest.raises(Refusal) as caught:
        ensure_key(other, secret, 5)
    assert caught.value.code == "api_key_taken"
    with other_account.connect() as stranger:
        assert stranger.execute("SELECT count(*) FROM api_keys").fetchone() == (0,)
        assert stranger.execute("UPDATE api_keys SET revoked_at = 1").rowcount == 0
        for attempt in ("UPDATE api_keys SET hash = hash", "UPDATE api_keys SET permissions = '{}'", "DELETE FROM api_keys"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                stranger.execute(attempt.encode())
    with psycopg.connect(account.service, options="-c search_path=farthing", autocommit=True) as nobody:
        assert nobody.execute("SELECT count(*) FROM api_keys").fetchone() == (0,)
        nobody.execute("CREATE TEMP TABLE api_keys AS SELECT 1 AS account; CREATE TEMP TABLE accounts AS SELECT 1 AS id")
        assert nobody.execute("SELECT account FROM find_api_key(%s)", (hashed(secret),)).fetchone() == (account.name,)


def test_the_ring_of_keys_opens_again_when_its_connection_was_lost(account: Any, store: PostgresStore) -> None:
    secret = new_secret()
    ensure_key(store, secret, 1)
    ring = KeyRing.open(account.service, Patience(return_=10))
    assert ring.find_key(hashed(secret)) is not None
    with account.connect_superuser() as superuser:
        superuser.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'farthing_service' AND query LIKE '%find_api_key%'")
    assert ring.find_key(hashed(secret)) is not None
    ring.close()


# Indexes


LISTS = [
    ((), "resources_listed", "kind"),
    *(
        ((Where(path, "eq", "x"),), f"resources_by_{column}", column)
        for path, column in (
            *((name, name) for name in ("customer", "subscription", "invoice", "payment_intent", "product", "email", "lookup_key", "type")),
            ("parent.subscription_details.subscription", "parent_subscription"),
        )
    ),
    ((Where("created", "gte", 5),), "resources_listed", "created"),
    ((Where("customer", "eq", "x"), Where("created", "lt", 5), Where("status", "eq", "open")), "resources_by_customer", "created"),
]


@pytest.mark.parametrize(("tests", "index", "column"), LISTS, ids=lambda one: one if isinstance(one, str) else "")
def test_lists_are_read_from_an_index_in_their_order(account: Any, store: PostgresStore, tests: Any, index: str, column: str) -> None:
    add(store, "a")
    for way in ("after", "before"):
        query = PageQuery("thing", 10, after="a" if way == "after" else None, before="a" if way == "before" else None, tests=tests)
        text, values = _listing(query, store.find("thing", "a"))
        with account.connect() as connection:
            connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off")
            plan = [line for (line,) in connection.execute(b"EXPLAIN (COSTS OFF) " + text, values)]
        assert not any("Sort" in line for line in plan), plan
        assert any(f"using {index} on resources" in line for line in plan), plan
        [condition] = [line for line in plan if "Index Cond" in line]
        assert column in condition and "ROW(created, place)" in condition, plan


@pytest.mark.parametrize("clock", [None, "c"])
def test_due_work_is_read_from_an_index_in_its_order(account: Any, clock: str | None) -> None:
    name = "due_resources" if clock is None else "due_resources_by_clock"
    with account.connect() as connection:
        connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off")
        values = {"kind": "thing", "up_to": 5, "clock": clock, "limit": 9}
        plan = [line for (line,) in connection.execute(b"EXPLAIN (COSTS OFF) " + statement(name), values)]
    [condition] = [line for line in plan if "Index Cond" in line]
    index = "resources_due" if clock is None else "resources_due_by_clock"
    assert any(f"using {index} on resources" in line for line in plan), plan
    assert "due_at" in condition and not any("Sort" in line for line in plan), plan
