"""kill -9 of PostgreSQL, again and again, while writers append and bills become final: what was acknowledged is there, once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from farthing.app.store import EventQuery, Receipt
from farthing.core.base.timeline import ALL_TIME
from farthing.edges.postgres.migrate import ensure_account, migrate
from farthing.edges.postgres.session import Patience
from farthing.edges.postgres.store import PostgresStore
from farthing.edges.postgres.supervisor import OWNER, start
from farthing.testing.builders import bill, event, line, open_contract

KILLS = 2


def test_a_server_that_is_killed_again_and_again_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    stop = threading.Event()
    acknowledged: dict[str, Receipt] = {}
    numbers: dict[str, str] = {}
    failures: list[BaseException] = []
    server = start(tmp_path / "postgres")
    service, patience = server.dsn(), Patience(return_=90)
    migrate(server.dsn(role=OWNER))
    ensure_account(server.dsn(role=OWNER), "acme")

    def write(who: int, store: PostgresStore) -> None:
        n = 0
        while not stop.is_set():
            acknowledged[f"{who}-{n}"] = store.append([event(f"{who}-{n}-{i}") for i in range(15)])
            n += 1

    def finalise(who: int, store: PostgresStore) -> None:
        open_contract(store, f"c{who}", f"k{who}")
        n = 0
        while not stop.is_set():
            one = bill(f"in_{who}_{n}", line(10, f"item {n}", contract_id=f"k{who}", customer=f"c{who}"))
            numbers[one[0].id] = store.finalise(*one)
            n += 1

    def run(work: Callable[[int, PostgresStore], None], who: int) -> None:
        try:
            with PostgresStore.open(service, "acme", "test", patience) as store:
                ready.wait()
                work(who, store)
        except BaseException as error:
            failures.append(error)

    ready = threading.Barrier(5)
    threads = [threading.Thread(target=run, args=(work, who)) for work in (write, finalise) for who in range(2)]
    for thread in threads:
        thread.start()
    ready.wait(60)
    try:
        for _ in range(KILLS):
            before = len(acknowledged), len(numbers)
            for _ in range(200):  # until both got somewhere
                if len(acknowledged) > before[0] + 3 and len(numbers) > before[1] + 3:
                    break
                stop.wait(0.05)
            os.kill(server.pid, signal.SIGKILL)
            server.stop()
            server = start(tmp_path / "postgres")
        stop.set()
        for thread in threads:
            thread.join(120)
        assert failures == []
        with PostgresStore.open(service, "acme", "test") as store:
            check(store, acknowledged, numbers)
    finally:
        stop.set()
        server.stop()


def check(store: PostgresStore, acknowledged: dict[str, Receipt], numbers: dict[str, str]) -> None:
    found = list(store.events(EventQuery("call", ALL_TIME, store.head())))
    assert [one.position for one in found] == list(range(1, store.head() + 1))
    names = [one.identifier for one in found]
    assert sorted(names) == sorted(f"{batch}-{i}" for batch in acknowledged for i in range(15)), "all of it, once, and nothing else"
    assert len(acknowledged) > 2 * KILLS
    assert all(receipt.accepted + receipt.duplicates == 15 for receipt in acknowledged.values())
    assert {one.id: one.number for one in store.documents()} == numbers
    assert sorted(numbers.values()) == [f"INV-{n:06d}" for n in range(1, len(numbers) + 1)]
    assert all(sum(leg["amount"] for leg in store.postings(id_)) == 0 and len(store.postings(id_)) == 2 for id_ in numbers)
    assert list(store.altered()) == []
