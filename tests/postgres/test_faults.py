"""When the database fails in the middle: what is safe is done again, everything else is named, and nothing counts twice."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import psycopg
import pytest

from farthing.app.store import EventQuery, Receipt
from farthing.core.base.refusal import Refusal
from farthing.core.base.timeline import ALL_TIME
from farthing.core.catalog.terms import Grant
from farthing.edges.postgres.faults import named
from farthing.edges.postgres.session import Patience
from farthing.edges.postgres.store import PostgresStore
from farthing.testing.builders import METER, bill, event, line, open_contract

IMPATIENT = Patience(return_=0.3)


def count_of(store: PostgresStore) -> int:
    return sum(1 for _ in store.events(EventQuery("call", ALL_TIME, store.head())))


def backend(store: PostgresStore) -> int:
    return store.session.run(lambda connection: connection.info.backend_pid)


def terminate(account: Any, store: PostgresStore) -> None:
    with account.connect_superuser() as superuser:
        superuser.execute("SELECT pg_terminate_backend(%s, 5000)", (backend(store),))


def refusal_of(call: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        call()
    return caught.value


# ── a connection is lost ──


def test_a_lost_connection_is_opened_again_for_every_kind_of_call(account: Any, store: PostgresStore) -> None:
    open_contract(store)
    calls: list[Callable[[], object]] = [
        lambda: store.append([event("a")]),
        store.head,
        lambda: list(store.events(EventQuery("call", ALL_TIME, 9))),
        lambda: store.put_customer("acme", {"n": 1}),
        lambda: store.put_waiver("acme-1", "key", 1, ""),  # nothing was begun yet, so that even this is safe
        lambda: store.finalise(*bill("in_1", line(100))),
        lambda: store.put_grant("acme", Grant("g", "usd", 1, "after_tax")),
    ]
    for call in calls:
        terminate(account, store)
        call()
    assert (store.head(), store.revision(), store.waived("acme-1"), [one.number for one in store.documents()]) == (1, 5, {"key": 1}, ["INV-000001"])


def test_a_stream_opens_a_new_connection_when_its_own_was_lost(account: Any, store: PostgresStore) -> None:
    store.append([event("a")])
    assert count_of(store) == 1
    with account.connect_superuser() as superuser:
        superuser.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'farthing_service'")
    assert count_of(store) == 1


def test_connections_killed_all_the_time_lose_and_double_nothing(account: Any, store: PostgresStore) -> None:
    stop = threading.Event()
    failures: list[BaseException] = []
    receipts: list[Receipt] = []

    def kill() -> None:
        chance = random.Random(1)
        with account.connect_superuser() as superuser:
            while not stop.wait(chance.uniform(0.01, 0.1)):
                superuser.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'farthing' ORDER BY random() LIMIT 1"
                )

    def write(who: int) -> None:
        try:
            with PostgresStore.open(account.service, account.name, "test", Patience(return_=60)) as own:
                for n in range(20):
                    receipts.append(own.append([event(f"{who} {n} {i}") for i in range(25)]))
        except BaseException as error:
            failures.append(error)

    killer, threads = threading.Thread(target=kill), [threading.Thread(target=write, args=(who,)) for who in range(3)]
    for thread in (*threads, killer):
        thread.start()
    for thread in threads:
        thread.join(120)
    stop.set()
    killer.join(30)
    # Opening a store is the one thing that is not tried again.
    assert [error for error in failures if not (isinstance(error, Refusal) and error.code == "database_unavailable")] == []
    head = store.head()
    names = [one.identifier for one in store.events(EventQuery("call", ALL_TIME, head))]
    assert head == len(names) == len(set(names)) >= 25 * len(receipts)
    for receipt in receipts:
        assert receipt.accepted + receipt.duplicates == 25
        assert receipt.duplicates in (0, 25), "a batch lands whole"
    assert list(store.altered()) == []


def test_a_connection_lost_within_a_transaction_ends_it(account: Any, store: PostgresStore) -> None:
    def lose() -> None:
        with store.transaction():
            store.append([event("a")])
            terminate(account, store)
            store.append([event("b")])

    assert refusal_of(lose).code == "database_unavailable"
    assert (store.head(), count_of(store)) == (0, 0)

    def lose_at_the_end() -> None:
        with store.transaction():
            store.append([event("a")])
            terminate(account, store)

    assert refusal_of(lose_at_the_end).code == "database_unavailable"
    assert store.append([event("a"), event("b")]) == Receipt(2, 0, (), 2)


class Proxy:
    """Between a client and the server. When told to, it lets the next COMMIT through, waits until the server has answered, and then
    hangs up without passing the answer on: the client cannot know what has become of it."""

    def __init__(self, directory: Path, server: str) -> None:
        self._server = server
        self.swallow = 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(directory / ".s.PGSQL.5432"))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                hang_up = threading.Event()
                threading.Thread(target=self._up, args=(client, server, hang_up), daemon=True).start()
                threading.Thread(target=self._down, args=(server, client, hang_up), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket, hang_up: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if self.swallow and b"COMMIT\0" in data:
                    self.swallow -= 1
                    hang_up.set()
                server.sendall(data)
            server.close()

    def _down(self, server: socket.socket, client: socket.socket, hang_up: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if hang_up.is_set():
                    client.shutdown(socket.SHUT_RDWR)
                    break
                client.sendall(data)
            client.close()


@pytest.fixture
def proxied(account: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, Any]]:
    """A proxy, and the account as it is reached through it."""
    directory = tmp_path_factory.mktemp("p")
    host = parse_qs(urlsplit(account.service).query)["host"][0]
    proxy = Proxy(directory, f"{host}/.s.PGSQL.5432")
    yield proxy, replace(account, service=account.service.replace(quote(host, safe=""), quote(str(directory), safe="")))
    proxy.close()


def test_an_append_whose_answer_was_lost_counts_once(proxied: tuple[Proxy, Any], open_store: Callable[..., PostgresStore]) -> None:
    proxy, account = proxied
    store = open_store(account)
    proxy.swallow = 1
    assert store.append([event("a"), event("b")]) == Receipt(0, 2, (), 2), "the first attempt had arrived"
    assert proxy.swallow == 0
    proxy.swallow = 1
    assert store.finalise(*bill_of(store)) == "INV-000001"
    proxy.swallow = 1
    assert store.put_meter(replace(METER, id="other")) == 5
    assert (store.head(), count_of(store), store.revision(), len(list(store.documents()))) == (2, 2, 5, 1)


def bill_of(store: PostgresStore) -> Any:
    open_contract(store)
    return bill("in_1", line(100))


def test_what_would_count_twice_is_not_repeated(proxied: tuple[Proxy, Any], open_store: Callable[..., PostgresStore]) -> None:
    proxy, account = proxied
    store = open_store(account)
    open_contract(store)
    proxy.swallow = 1
    refusal = refusal_of(lambda: store.put_waiver("acme-1", "key", 5, "goodwill"))
    assert refusal.code == "database_unavailable"
    assert store.waived("acme-1") == {"key": 5}


def test_a_transaction_whose_answer_was_lost_is_not_repeated(proxied: tuple[Proxy, Any], open_store: Callable[..., PostgresStore]) -> None:
    proxy, account = proxied
    store = open_store(account)
    store.head()
    proxy.swallow = 1

    def load() -> None:
        with store.transaction():
            store.append([event("a")])
            store.put_checkpoint("file", "1")

    assert refusal_of(load).code == "database_unavailable"
    assert (store.head(), store.checkpoint("file")) == (1, "1"), "it had arrived; the reader of the file goes on from its mark"


# ── the database cannot do it ──


@contextmanager
def failing(account: Any, table: str, state: str, message: str, times: int) -> Iterator[None]:
    """The next `times` inserts into a table fail with a state of PostgreSQL's own (the count survives the rollback)."""
    with account.connect_owner() as owner:
        owner.execute(
            f"""
            CREATE SEQUENCE attempts; GRANT USAGE ON SEQUENCE attempts TO farthing_service;
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF nextval('farthing.attempts') <= {times} THEN RAISE EXCEPTION '{message}' USING ERRCODE = '{state}'; END IF;
                RETURN NULL; END $$;
            CREATE TRIGGER fail AFTER INSERT ON {table} EXECUTE FUNCTION fail();
            """.encode()
        )
        try:
            yield
        finally:
            owner.execute(f"DROP TRIGGER fail ON {table}; DROP FUNCTION fail(); DROP SEQUENCE attempts".encode())


@pytest.mark.parametrize("state", ["40001", "40P01"])
@pytest.mark.parametrize("table", ["events", "event_batches"])
def test_transactions_that_clash_are_tried_again(account: Any, store: PostgresStore, state: str, table: str) -> None:
    with failing(account, table, state, "clash", times=3):
        assert store.append([event("a")]) == Receipt(1, 0, (), 1)
    assert count_of(store) == 1


def test_transactions_that_clash_for_ever_are_given_up_by_name(account: Any, open_store: Callable[..., PostgresStore]) -> None:
    store = open_store(account, patience=Patience(clashes=2))
    with failing(account, "events", "40P01", "deadlock detected", times=1_000):
        refusal = refusal_of(lambda: store.append([event("a")]))
    assert (refusal.code, refusal.message) == ("database_busy", "deadlock detected.")
    assert store.append([event("a")]).accepted == 1


@pytest.mark.parametrize(
    ("state", "message"), [("53100", "could not extend file"), ("58030", 'could not write to file "base/1": No space left on device')]
)
def test_a_full_disk_is_named_and_loses_nothing(account: Any, store: PostgresStore, state: str, message: str) -> None:
    store.append([event("before")])
    with failing(account, "events", state, message, times=1_000):
        refusal = refusal_of(lambda: store.append([event("a")]))
    assert refusal.code == "database_disk_full"
    assert message in refusal.message
    assert store.append([event("a")]) == Receipt(1, 0, (), 2)


def test_a_lock_that_is_not_given_is_named(account: Any, open_store: Callable[..., PostgresStore]) -> None:
    store = open_store(account, patience=Patience(lock=0.2))
    with account.connect() as other, other.transaction():
        other.execute("SELECT FROM log_heads FOR UPDATE")
        begun = time.monotonic()
        assert refusal_of(lambda: store.append([event("a")])).code == "database_busy"
        assert time.monotonic() - begun < 5
    assert store.append([event("a")]).accepted == 1


def test_a_statement_that_takes_too_long_is_named(account: Any, open_store: Callable[..., PostgresStore]) -> None:
    store = open_store(account, patience=Patience(statement=0.2))
    refusal = refusal_of(lambda: store.session.run(lambda connection: connection.execute("SELECT pg_sleep(30)")))
    assert refusal.code == "database_busy"
    with account.connect_owner() as owner, owner.transaction():
        owner.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        assert refusal_of(lambda: list(store.events(EventQuery("call", ALL_TIME, 1)))).code == "database_busy"


def test_a_database_that_is_away_is_named_and_waited_for(account: Any, open_store: Callable[..., PostgresStore]) -> None:
    store, patient = open_store(account, patience=IMPATIENT), open_store(account)
    name = psycopg.conninfo.conninfo_to_dict(account.service)["dbname"]

    def allow(allowed: str) -> None:
        with psycopg.connect(account.superuser.replace(f"/{name}?", "/postgres?"), autocommit=True) as superuser:
            superuser.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}".encode())
            superuser.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,))

    allow("false")
    try:
        for call in (lambda: store.append([event("a")]), store.head, lambda: list(store.events(EventQuery("call", ALL_TIME, 1)))):
            begun = time.monotonic()
            assert refusal_of(call).code == "database_unavailable"
            assert time.monotonic() - begun < 5
        back = threading.Timer(1, allow, ["true"])
        back.start()
        assert patient.append([event("a")]).accepted == 1
        back.join()
    finally:
        allow("true")
    assert store.append([event("a")]).duplicates == 1


def test_texts_that_cannot_be_stored_are_named(store: PostgresStore) -> None:
    assert refusal_of(lambda: store.append([event("a\0")])).code == "text_not_storable"
    assert refusal_of(lambda: store.append([event("a", note="\0")])).code == "text_not_storable"
    assert refusal_of(lambda: store.put_checkpoint("a\0", "1")).code == "text_not_storable"


def test_what_is_a_mistake_of_ours_keeps_its_name() -> None:
    error = psycopg.errors.SyntaxError("syntax error")
    assert named(error) is error
