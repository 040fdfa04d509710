"""Many writers at once: each identifier once, positions dense, and what is known at a position never changes."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farthing.app.store import EventQuery, Receipt
from farthing.core.base.timeline import ALL_TIME
from farthing.core.events.event import Cancel, Event, Fact, Replace
from farthing.edges.postgres.rows import copy_lines, rows_of
from farthing.edges.postgres.session import Patience
from farthing.edges.postgres.statements import statement
from farthing.edges.postgres.store import PostgresStore
from farthing.testing.builders import event


def known(store: PostgresStore, up_to: int, customer: str | None = None) -> list[tuple[int, str]]:
    customers = None if customer is None else (customer,)
    return [(found.position, found.identifier) for found in store.events(EventQuery("call", ALL_TIME, up_to, customers))]


class HeldWriter:
    """A writer whose transaction is driven step by step: it has put its facts in, and has not taken the head yet."""

    def __init__(self, store: PostgresStore) -> None:
        self.store, self.batch, self.facts = store, 0, 0
        self._connection: Any = None

    def put(self, *facts: Fact) -> None:
        self._connection = self.store.session.run(lambda connection: connection)
        self._connection.execute("BEGIN")
        batch = self.store._put(self._connection, rows_of(facts))
        assert batch is not None
        self.batch, self.facts = batch, len(facts)

    def finish(self, how: str) -> None:
        if how == "COMMIT":
            self._connection.execute(statement("map_batch"), {"batch": self.batch, "facts": self.facts, "recorded_at": None})
        self._connection.execute(how)


@pytest.fixture
def writers(account: Any, open_store: Callable[..., PostgresStore]) -> list[HeldWriter]:
    return [HeldWriter(open_store(account)) for _ in range(4)]


_numbers = count()
STEPS = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3), st.sampled_from(["COMMIT", "COMMIT", "COMMIT", "ROLLBACK"])), max_size=14)


@settings(max_examples=settings.default.max_examples // 4, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
def test_what_is_known_at_a_head_never_changes_whoever_commits_when(store: PostgresStore, writers: list[HeldWriter], steps: list[Any]) -> None:
    open_: dict[int, int] = {}
    written = before = store.head()
    customer = f"customer {next(_numbers)}"
    seen: dict[int, list[tuple[int, str]]] = {}
    for who, facts, how in [*steps, *((who, 0, "COMMIT") for who in range(4))]:
        if who in open_:
            writers[who].finish(how)
            put = open_.pop(who)
            written += put if how == "COMMIT" else 0
        elif facts:
            writers[who].put(*(event(f"n{next(_numbers)}", customer=customer) for _ in range(facts)))
            open_[who] = facts
        head = store.head()
        assert head == written
        for position in {head, *list(seen)[-3:]}:
            now = known(store, position, customer)
            assert [place for place, _ in now] == list(range(before + 1, position + 1)), "dense, and all of it"
            assert seen.setdefault(position, now) == now


def test_a_reader_beside_many_writers_never_sees_the_past_change(account: Any, store: PostgresStore) -> None:
    stop = threading.Event()
    receipts: list[Receipt] = []
    failures: list[BaseException] = []

    def write(seed: int) -> None:
        chance = random.Random(seed)
        try:
            with PostgresStore.open(account.service, account.name, "test") as own:
                for turn in range(25):
                    if turn % 8 == 7:  # however slow the machine is, the reader has to see something of what happens
                        let_read()
                    receipts.append(own.append([event(f"e{chance.randrange(400)}") for _ in range(chance.randrange(1, 20))]))
        except BaseException as error:
            failures.append(error)

    seen: dict[int, list[tuple[int, str]]] = {}
    reads = 0

    def let_read() -> None:
        before = reads
        while reads < before + 2 and not failures:
            time.sleep(0.002)

    def read() -> None:
        nonlocal reads
        try:
            with PostgresStore.open(account.service, account.name, "test") as own:
                while not stop.is_set():
                    head = own.head()
                    seen.setdefault(head, known(own, head))
                    reads += 1
        except BaseException as error:
            failures.append(error)

    reader, threads = threading.Thread(target=read), [threading.Thread(target=write, args=(seed,)) for seed in range(5)]
    for thread in (reader, *threads):
        thread.start()
    for thread in threads:
        thread.join(120)
    stop.set()
    reader.join(30)
    assert failures == []
    final = known(store, store.head())
    assert len(final) == sum(receipt.accepted for receipt in receipts) == len({name for _, name in final})
    assert [position for position, _ in final] == list(range(1, len(final) + 1))
    assert len(seen) > 2, "the reader saw too little to prove anything"
    for head, then in seen.items():
        assert then == final[:head]


def test_writers_with_the_same_identifiers_and_other_content(account: Any, store: PostgresStore) -> None:
    """Each identifier is won once; whoever sent the same content hears duplicate, whoever sent other content hears conflict. And none is
    ever the victim of a deadlock: with no patience for that, a writer would fail by it."""
    sent: list[tuple[list[Fact], Receipt]] = []
    failures: list[BaseException] = []
    barrier = threading.Barrier(5)

    def write(seed: int) -> None:
        chance = random.Random(seed)
        try:
            with PostgresStore.open(account.service, account.name, "test", Patience(clashes=0, lock=600)) as own:
                barrier.wait()
                for _ in range(20):
                    facts: list[Fact] = [event(f"e{chance.randrange(150)}", chance.randrange(1, 3)) for _ in range(chance.randrange(1, 30))]
                    sent.append((facts, own.append(facts)))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []
    found = {one.identifier: one for one in store.events(EventQuery("call", ALL_TIME, store.head()))}
    assert len(found) == store.head() == sum(receipt.accepted for _, receipt in sent)
    for facts, receipt in sent:
        refused = {index for index, _ in receipt.conflicts}
        assert receipt.accepted + receipt.duplicates + len(refused) == len(facts)
        for index, fact in enumerate(facts):
            won = found[fact.identifier]
            assert (won.properties != fact.properties) == (index in refused)
            assert won.position <= receipt.head, "what counts of a batch is at or below the head it was told"
    assert list(store.altered()) == []


def test_writers_that_meet_head_on_wait_and_do_not_deadlock(store: PostgresStore, writers: list[HeldWriter]) -> None:
    facts = [event(f"e{n:05d}") for n in range(15_000)]
    outcomes: list[str] = []
    barrier = threading.Barrier(2)

    def insert(writer: HeldWriter, batch: list[Event]) -> None:
        def work(connection: Any) -> None:
            with connection.cursor().copy(statement("copy_facts")) as copy:
                for chunk in copy_lines(rows_of(batch), range(len(batch))):
                    copy.write(chunk)
            barrier.wait()
            connection.execute(statement("insert_facts"))

        with writer.store.session.run(lambda connection: connection) as connection:
            try:
                with connection.transaction():
                    work(connection)
                outcomes.append("won")
            except psycopg.Error as error:
                outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=insert, args=each) for each in zip(writers, (facts, facts[::-1]), strict=False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(outcomes) == ["UniqueViolation", "won"]


def test_writers_that_cancel_and_replace_the_same_events(account: Any, store: PostgresStore) -> None:
    store.append([event(f"t{n}") for n in range(30)])
    outcomes: Counter[str] = Counter()
    failures: list[BaseException] = []

    def write(who: int) -> None:
        try:
            with PostgresStore.open(account.service, account.name, "test") as own:
                for n in range(30):
                    target = f"t{(n * 11 + who * 7) % 30}"
                    receipt = own.append([Replace(target, event(f"{target} by {who}")), Cancel(target, "call"), event(f"own {who} {n}")])
                    outcomes["refused"] += len(receipt.conflicts)
                    outcomes["duplicates"] += receipt.duplicates
                    outcomes["accepted"] += receipt.accepted
                    assert {refusal.code for _, refusal in receipt.conflicts} <= {"event_replaced_already"}
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []
    assert outcomes == {"accepted": 30 + 30 + 120, "refused": 90, "duplicates": 90}
    names = [name for _, name in known(store, store.head())]
    assert len(names) == 30 + 120, "one replacement for each target, and everybody's own"
    assert sorted(name.split()[0] for name in names if name.startswith("t")) == sorted(f"t{n}" for n in range(30))
    assert list(store.altered()) == []


def waiting(superuser: Any) -> int:
    """How many transactions wait for another one's lock in this database."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return int(superuser.execute(query).fetchone()[0])


@pytest.mark.parametrize("length", [2, 3])
def test_two_writers_at_once_cannot_close_a_circle_of_replacements(account: Any, store: PostgresStore, open_store: Any, length: int) -> None:
    """Neither sees the other's replacement before it is committed, so the second waits."""
    names = [f"e{n}" for n in range(length)]
    *begun, last = [Replace(target, event(by)) for target, by in zip(names, [*names[1:], names[0]], strict=True)]
    store.append(begun[1:])
    receipts: list[Receipt] = []
    second = open_store(account)
    thread = threading.Thread(target=lambda: receipts.append(second.append([last, event("own")])))
    with account.connect_superuser() as superuser:
        with store.transaction():
            store.append(begun[:1])
            thread.start()
            deadline = time.monotonic() + 60
            while not waiting(superuser):
                assert time.monotonic() < deadline and thread.is_alive(), "it has to wait: it cannot know yet whether that is a circle"
                time.sleep(0.005)
        thread.join(60)
    assert [[(index, refusal.code) for index, refusal in receipt.conflicts] for receipt in receipts] == [[(0, "replacement_circular")]]
    assert sorted(name for _, name in known(store, store.head())) == [names[-1], "own"]


def test_the_second_writer_of_an_identifier_waits_for_the_first(account: Any, store: PostgresStore, writers: list[HeldWriter]) -> None:
    for how, expected in (("ROLLBACK", (1, 0)), ("COMMIT", (0, 1))):
        writers[0].put(event(f"x {how}"))
        receipts: list[Receipt] = []

        def append(receipts: list[Receipt] = receipts, how: str = how) -> None:
            receipts.append(store.append([event(f"x {how}")]))

        thread = threading.Thread(target=append)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive(), "it cannot know yet what it is"
        writers[0].finish(how)
        thread.join(30)
        assert [(one.accepted, one.duplicates) for one in receipts] == [expected]
        assert receipts[0].head >= 1


def test_what_is_refused_is_kept_once(account: Any, store: PostgresStore) -> None:
    store.append([event("a")])
    for _ in range(3):
        store.append([event("a", 2), event("a", 3), Cancel("a", "answer"), Replace("a", event("b")), Replace("a", event("c"))])
    with account.connect() as service:
        found = service.execute("SELECT code, subject, document FROM refused_facts ORDER BY code, document::text").fetchall()
    assert [(code, subject) for code, subject, _ in found] == [
        ("cancel_names_other_event", "a"),
        ("event_replaced_already", "c"),
        ("identifier_conflict", "a"),
        ("identifier_conflict", "a"),
    ]
    assert found[0][2] == {"type": "cancel", "event_name": "answer", "cancel": {"identifier": "a"}}
    assert sorted(document["payload"]["value"] for _, _, document in found[2:]) == ["2", "3"]


def test_a_large_batch_lands_whole(store: PostgresStore) -> None:
    batch = [event(f"e{n:06d}") for n in range(20_000)]
    assert store.append(batch) == Receipt(20_000, 0, (), 20_000)
    mixed = [*batch[:5], *(event(f"f{n:06d}") for n in range(9_000)), *batch[5:10]]
    assert store.append(mixed) == Receipt(9_000, 10, (), 29_000)
    assert [position for position, _ in known(store, 29_000)] == list(range(1, 29_001))
