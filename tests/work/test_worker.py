"""The worker: all accounts and modes, its pace, its end, and a database that goes away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
from work_office import BEGINNING, Office, new_id

from farthing.app.resources.access import ANSWERS_KEPT, Begun
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.app.work.registry import works
from farthing.app.work.worker import Pace, Worker
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import MICROS
from farthing.edges.postgres.migrate import ensure_account
from farthing.edges.postgres.offices import PostgresOffices
from farthing.edges.postgres.refusals import DATABASE_UNAVAILABLE
from farthing.edges.postgres.session import Mode
from farthing.edges.postgres.store import PostgresStore

QUICK = Pace(turn=2, shortest=0.001, longest=0.004, lost=0.004)


def desk(store: Any, at: int, live: bool) -> Desk:
    return Desk(store, at, new_id, live)


class OneOffice:
    """The offices of one account. `broken` looks fail."""

    def __init__(self, office: Office) -> None:
        self.office, self.looks, self.broken, self.closed = office, 0, 0, False

    def due(self, kinds: Sequence[str], up_to: int) -> Sequence[tuple[str, Mode]]:
        self.looks += 1
        if self.looks <= self.broken:
            raise Refusal(DATABASE_UNAVAILABLE, "it is gone.")
        return [(self.office.account, "test")]

    def answered(self, up_to: int) -> Sequence[tuple[str, Mode]]:
        return [(self.office.account, "test")]

    @contextmanager
    def of(self, account: str, mode: Mode) -> Iterator[Any]:
        yield self.office.store

    def close(self) -> None:
        self.closed = True


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not what():
        assert time.monotonic() < until
        time.sleep(0.002)


def test_it_works_until_it_is_told_to_stop_and_survives_a_database_that_goes_away(memory_office: Office) -> None:
    works("thing", memory_office.once)
    offices = OneOffice(memory_office)
    offices.broken = 3
    for n in range(5):
        memory_office.thing(f"a{n}", 0)
    stop = threading.Event()
    thread = threading.Thread(target=Worker(offices, ["thing"], lambda: memory_office.at, desk, QUICK).run, args=(stop,))
    thread.start()
    wait_for(lambda: len(memory_office.done) == 5)
    memory_office.thing("later", 1)
    memory_office.forward(1)
    wait_for(lambda: "later" in memory_office.done)
    stop.set()
    thread.join(20)
    assert offices.closed and not thread.is_alive()
    assert memory_office.done == ["a0", "a1", "a2", "a3", "a4", "later"]


def test_an_account_has_a_turn_of_bounded_length_and_the_row_at_hand_is_finished(memory_office: Office) -> None:
    stop = threading.Event()

    def do(found: Desk, row: Row) -> None:
        memory_office.once(found, row)
        if row.id == "c":
            stop.set()

    works("thing", do)
    for id_ in "abcd":
        memory_office.thing(id_, 0)
    worker = Worker(OneOffice(memory_office), ["thing"], lambda: memory_office.at, desk, QUICK)
    assert worker.turn(stop) == 2
    assert worker.turn(stop) == 1
    assert memory_office.done == ["a", "b", "c"]


def test_answers_that_are_too_old_are_deleted_now_and_then(memory_office: Office) -> None:
    def answer(key: str) -> None:
        with memory_office.store.transaction():
            begun = memory_office.store.begin_request(key, b"", memory_office.at)
            assert isinstance(begun, Begun)
            memory_office.store.finish_request(begun, 200, {}, b"")

    answer("old")
    memory_office.forward(1)
    answer("new")
    memory_office.at = BEGINNING + ANSWERS_KEPT
    worker = Worker(OneOffice(memory_office), [], lambda: memory_office.at, desk, QUICK)
    worker.turn()
    assert memory_office.store.forget_requests(memory_office.at) == 1
    answer("old")
    memory_office.at += ANSWERS_KEPT
    memory_office.forward(-MICROS / MICROS)
    worker.turn()
    worker.turn()
    assert memory_office.store.forget_requests(memory_office.at) == 1


def test_all_accounts_and_modes_that_have_something_to_do_are_found(work_database: tuple[str, str]) -> None:
    owner, service = work_database
    offices = PostgresOffices(service, most=2)
    done: list[tuple[str, bool]] = []

    def do(found: Desk, row: Row) -> None:
        done.append((row.id, found.live))
        found.store.put(replace(row, due_at=None))

    works("widget", do)
    places: list[tuple[str, Mode]] = [("worker 1", "live"), ("worker 1", "test"), ("worker 2", "test"), ("worker 3", "test")]
    for account, mode in places:
        ensure_account(owner, account)
        with PostgresStore.open(service, account, mode) as store:
            store.add("widget", f"{account} {mode}", 1, {}, due_at=BEGINNING)
            store.add("widget", "elsewhere", 1, {}, due_at=BEGINNING, clock="clock_1")
            store.add("gadget", "of another kind", 1, {}, due_at=BEGINNING)
    assert offices.due(["widget"], BEGINNING - 1) == []
    assert sorted(offices.due(["widget"], BEGINNING)) == sorted(places)
    assert set(offices.due(["widget", "gadget"], BEGINNING)) == set(places)
    worker = Worker(offices, ["widget"], lambda: BEGINNING, desk)
    assert worker.turn() == 4
    assert sorted(done) == sorted((f"{account} {mode}", mode == "live") for account, mode in places)
    assert offices.due(["widget"], BEGINNING) == []
    with offices.of("worker 3", "test") as store, store.transaction():
        begun = store.begin_request("k", b"0" * 32, BEGINNING)
        assert isinstance(begun, Begun)
        store.finish_request(begun, 200, {}, b"")
    assert ("worker 3", "test") in offices.answered(BEGINNING)
    assert offices.answered(BEGINNING - 1) == []
    offices.close()


def test_a_look_for_work_does_not_read_what_is_due_later(work_database: tuple[str, str]) -> None:
    """However many rows there are that are due later, or never, or are of other kinds."""
    owner = work_database[0]
    number = ensure_account(owner, "worker many")
    rows = """INSERT INTO farthing.resources (account, mode, kind, id, created, document, due_at)
        SELECT %s, 'test', kind, n::text, 1, '{}', CASE WHEN kind = 'done' THEN NULL ELSE %s + n END
        FROM generate_series(1, 10000) AS n, unnest(ARRAY['later', 'done']) AS kind"""
    look = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM farthing.accounts_with_due_work(ARRAY['later', 'done', 'none'], %s)"
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(rows, (number, BEGINNING))
        connection.execute("ANALYZE farthing.resources")
        plan: Any = [connection.execute(look, (BEGINNING,)).fetchone() for _ in range(2)][-1]
        accounts: Any = connection.execute("SELECT count(*) FROM farthing.accounts").fetchone()
        connection.execute("DELETE FROM farthing.resources WHERE kind IN ('later', 'done')")
    read = plan[0][0]["Plan"]["Shared Hit Blocks"] + plan[0][0]["Plan"]["Shared Read Blocks"]
    assert read < 10 + 20 * accounts[0], (read, accounts)


def test_it_waits_longer_the_longer_there_is_nothing_to_do(memory_office: Office) -> None:
    pauses: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            assert timeout is not None
            pauses.append(timeout)
            if len(pauses) == 4:
                memory_office.thing("more", 0)
            if len(pauses) == 6:
                self.set()
            return self.is_set()

    works("thing", memory_office.once)
    for n in range(4):
        memory_office.thing(f"a{n}", 0)
    Worker(OneOffice(memory_office), ["thing"], lambda: memory_office.at, desk, Pace(2, 1, 5, 30)).run(Stop())
    assert pauses == [1, 2, 4, 5, 1, 2]
    assert len(memory_office.done) == 5
