"""Due work: the order, one transaction for each row, and what becomes of what fails."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from work_office import BEGINNING, THING, Office

from farthing.app.refusals import CUSTOMER_UNKNOWN
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.app.work.due import run_due
from farthing.app.work.faults import LONGEST_PAUSE, faults, pause
from farthing.app.work.registry import WORKS, After, works
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import MICROS
from farthing.edges.postgres.refusals import DATABASE_BUSY, DATABASE_UNAVAILABLE


def test_the_earliest_is_first_over_all_kinds(office: Office) -> None:
    works("thing", office.once)
    works("other", office.once)
    for id_, due, kind in [("c", 3, "thing"), ("a", 1, "other"), ("b", 2, "thing"), ("d", 4, "other"), ("later", 6, "thing")]:
        office.thing(id_, due, kind)
    office.thing("never", None)
    office.thing("elsewhere", 1, clock="clock_1")
    office.forward(5)
    assert office.run() == 4
    assert office.done == ["a", "b", "c", "d"]
    assert office.run() == 0
    office.forward(1)
    assert office.run() == 1
    assert office.done[-1] == "later"


def test_kinds_and_limit_are_kept_to(office: Office) -> None:
    works("thing", office.once)
    works("other", office.once)
    for n in range(3):
        office.thing(f"t{n}", n)
        office.thing(f"o{n}", n, "other")
    office.forward(10)
    assert office.run("other", limit=2) == 2
    assert office.done == ["o0", "o1"]


def test_a_row_whose_work_fails_is_undone_put_off_and_stops_no_other(office: Office) -> None:
    broken = True

    def do(desk: Desk, row: Row) -> None:
        office.once(desk, row)
        if row.id == "bad" and broken:
            desk.store.add("made", "by bad", 1, {})
            raise ValueError("it \0 broke")

    works("thing", do)
    office.thing("bad", 0)
    office.thing("good", 1)
    office.forward(2)
    assert office.run() == 2
    assert (office.find("bad").document["runs"], office.find("good").document["runs"]) == (0, 1)
    assert office.store.find("made", "by bad") is None
    assert office.due_in("bad") == 10
    (fault,) = faults(office.store)
    assert (fault["kind"], fault["id"], fault["count"], fault["due_at"]) == ("thing", "bad", 1, BEGINNING)
    assert fault["reason"] == "ValueError: it ? broke"
    for expected in (20, 40):
        office.forward(office.due_in("bad") or 0)
        assert office.run() == 1
        assert office.due_in("bad") == expected
    assert faults(office.store)[0]["count"] == 3
    broken = False
    office.forward(40)
    assert office.run() == 1
    assert office.find("bad").document["runs"] == 1
    assert faults(office.store) == []


def test_a_fault_after_a_success_counts_anew(office: Office) -> None:
    fails = [True, False, True]

    def do(desk: Desk, row: Row) -> None:
        if fails.pop(0):
            raise Refusal(CUSTOMER_UNKNOWN, "there is none.", "customer")
        desk.store.put(replace(row, due_at=desk.at + MICROS))

    works("thing", do)
    office.thing("a", 0)
    office.run()
    office.forward(10)
    office.run()
    office.forward(1)
    office.run()
    (fault,) = faults(office.store)
    assert (fault["count"], fault["reason"]) == (1, "customer_unknown: there is none. (at customer)")
    assert office.due_in("a") == 10


def test_pauses_grow_up_to_a_bound() -> None:
    assert [pause(n) // MICROS for n in (1, 2, 3)] == [10, 20, 40]
    assert pause(13) == pause(10_000) == LONGEST_PAUSE


def test_work_that_leaves_the_row_as_due_is_a_fault(office: Office) -> None:
    works("thing", lambda desk, row: desk.store.put(replace(row, document={"id": row.id, "runs": 7})))
    office.thing("a", 0)
    assert office.run() == 1
    assert office.find("a").document["runs"] == 0
    assert faults(office.store)[0]["reason"] == f"NotMovedOn: the work left due_at at {BEGINNING}"


def test_work_in_steps_goes_on_while_the_row_changes(office: Office) -> None:
    def step(desk: Desk, row: Row) -> None:
        runs = row.document["runs"] + 1
        desk.store.put(replace(row, document={"id": row.id, "runs": runs}, due_at=None if runs == 3 else row.due_at))

    works("thing", step, steps=True)
    works("stuck", lambda desk, row: None, steps=True)
    office.thing("a", 0)
    office.thing("b", 0, "stuck")
    assert office.run("thing") == 3
    assert office.run("stuck") == 1
    assert faults(office.store)[0]["id"] == "b"


def test_what_follows_happens_after_the_commit(pg_office: Office) -> None:
    seen: list[int] = []
    beside = pg_office.further()

    def do(desk: Desk, row: Row) -> After:
        pg_office.once(desk, row)
        return lambda: seen.append(beside.find(THING, row.id).document["runs"])

    works("thing", do)
    pg_office.thing("a", 0)
    pg_office.run()
    assert seen == [1]


def test_what_follows_may_fail(office: Office) -> None:
    def follow() -> None:
        raise ValueError("no")

    def do(desk: Desk, row: Row) -> After:
        desk.store.put(replace(row, due_at=desk.at + MICROS))
        return follow

    works("thing", do)
    office.thing("a", 0)
    assert office.run() == 1
    assert office.due_in("a") == 1
    assert faults(office.store)[0]["reason"] == "ValueError: no"


def test_a_database_that_is_gone_is_no_fault_of_the_row(office: Office) -> None:
    def do(desk: Desk, row: Row) -> None:
        raise Refusal(DATABASE_UNAVAILABLE, "it is gone.")

    works("thing", do)
    office.thing("a", 0)
    with pytest.raises(Refusal, match="database_unavailable"):
        office.run()
    assert office.due_in("a") == 0
    assert faults(office.store) == []


def test_a_row_in_whose_way_another_transaction_was_is_tried_again_soon(office: Office) -> None:
    def do(desk: Desk, row: Row) -> None:
        raise Refusal(DATABASE_BUSY, "deadlock.")

    works("thing", do)
    office.thing("a", 0)
    assert office.run() == 1
    assert office.due_in("a") == 0.5
    assert faults(office.store) == []


@pytest.mark.parametrize("breaks", [False, True])
def test_what_becomes_of_a_fault_may_be_its_kinds_own(office: Office, breaks: bool) -> None:
    def do(desk: Desk, row: Row) -> None:
        raise ValueError("no")

    def on_fault(desk: Desk, row: Row, why: str) -> None:
        desk.store.put(replace(row, document={"why": why}, due_at=None))
        if breaks:
            raise ValueError("that too")

    works("thing", do, on_fault=on_fault)
    office.thing("a", 0)
    office.run()
    assert office.due_in("a") == (10 if breaks else None)
    assert office.find("a").document.get("why") == (None if breaks else "ValueError: no")
    assert faults(office.store)[0]["count"] == 1


def test_a_kind_is_registered_once() -> None:
    works("thing", lambda desk, row: None)
    with pytest.raises(ValueError, match="thing"):
        works("thing", lambda desk, row: None)
    assert set(WORKS) >= {"thing", "test_helpers.test_clock"}


def test_two_workers_do_nothing_twice_and_do_not_wait(pg_office: Office) -> None:
    begun, go = threading.Event(), threading.Event()

    def do(desk: Desk, row: Row) -> None:
        pg_office.once(desk, row)
        if row.id == "slow":
            begun.set()
            assert go.wait(20)

    works("thing", do)
    pg_office.thing("slow", 0)
    for n in range(5):
        pg_office.thing(f"quick {n}", 1)
    pg_office.forward(2)
    stores = [pg_office.further(), pg_office.further()]

    def run(store: Any) -> int:
        return run_due(lambda at: Desk(store, at, pg_office.desk.new_id), ["thing"], pg_office.at)

    counts: list[int] = []
    first = threading.Thread(target=lambda: counts.append(run(stores[0])))
    first.start()
    assert begun.wait(20)
    assert run(stores[1]) == 5
    go.set()
    first.join(20)
    assert counts == [1]
    assert sorted(pg_office.done) == ["quick 0", "quick 1", "quick 2", "quick 3", "quick 4", "slow"]
