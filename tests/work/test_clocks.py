"""Test clocks move step by step: in order, each row at its own time, resumable, and never by two at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from work_office import BEGINNING, THING, Office

from farthing.app.clocks import clocks
from farthing.app.clocks.clocks import advance_clock, create_clock, delete_clock, deleted_with_clock
from farthing.app.clocks.desks import clock_desk, clock_of
from farthing.app.clocks.kinds import CLOCK
from farthing.app.resources.changes import EVENT, tell
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import PageQuery, Row
from farthing.app.work.due import run_due
from farthing.app.work.faults import faults
from farthing.app.work.registry import works
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import MICROS

START = BEGINNING // MICROS
DAY = 86_400


def clock(office: Office, frozen_time: int = START) -> str:
    return create_clock(office.desk, {"frozen_time": frozen_time}).id


def document(office: Office, id_: str) -> Any:
    return office.find(id_, CLOCK.name).document


def advance(office: Office, id_: str, to: int) -> int:
    advance_clock(office.desk, id_, {"frozen_time": to})
    return office.run(CLOCK.name, limit=10_000)


def every(office: Office, seen: list[tuple[str, int]], seconds: int) -> Callable[[Desk, Row], None]:
    """Work that is done again and again, and keeps when it was done."""

    def do(desk: Desk, row: Row) -> None:
        assert row.due_at is not None
        seen.append((row.id, desk.second - START))
        assert desk.clock == row.clock and desk.wall_clock == office.at
        desk.store.put(replace(row, document={**row.document, "runs": row.document["runs"] + 1}, due_at=row.due_at + seconds * MICROS))

    return do


def test_a_clock_does_what_becomes_due_on_the_way_at_its_time_and_in_order(office: Office) -> None:
    seen: list[tuple[str, int]] = []
    works("thing", every(office, seen, 2 * DAY))
    works("other", every(office, seen, 3 * DAY))
    id_, elsewhere = clock(office), clock(office)
    office.thing("a", DAY, clock=id_)
    office.thing("b", DAY + 1.5, "other", clock=id_)
    office.thing("c", DAY, clock=elsewhere)
    office.thing("d", DAY)
    advance(office, id_, START + 5 * DAY)
    assert seen == [("a", DAY), ("b", DAY + 1), ("a", 3 * DAY), ("b", 4 * DAY + 1), ("a", 5 * DAY)]
    assert document(office, id_)["frozen_time"] == START + 5 * DAY
    assert (document(office, id_)["status"], document(office, id_)["status_details"]) == ("ready", {})
    assert document(office, elsewhere)["frozen_time"] == START
    name = "test_helpers.test_clock"
    assert office.events() == [f"{name}.created", f"{name}.created", f"{name}.advancing", f"{name}.ready"]


def test_a_clock_of_another_century_advances_all_the_same(office: Office) -> None:
    seen: list[tuple[str, int]] = []
    works("thing", every(office, seen, DAY))
    id_ = clock(office, 1_000_000)
    office.store.add(THING, "a", 1, {"runs": 0}, clock=id_, due_at=1_000_001 * MICROS)
    advance(office, id_, 1_000_000 + DAY)
    assert [at + START for _, at in seen] == [1_000_001]


def test_a_clock_that_was_broken_off_goes_on_where_it_was(pg_office: Office) -> None:
    office = pg_office
    seen: list[tuple[str, int]] = []
    works("thing", every(office, seen, DAY))
    id_ = clock(office)
    office.thing("a", DAY, clock=id_)
    advance_clock(office.desk, id_, {"frozen_time": START + 4 * DAY})
    assert office.run(CLOCK.name, limit=2) == 2
    assert (document(office, id_)["status"], document(office, id_)["frozen_time"]) == ("advancing", START + 2 * DAY)
    office.store = office.further()
    with pytest.raises(KeyboardInterrupt), office.store.transaction():  # killed in the middle of a step
        run_due(office.desk_at, [CLOCK.name], office.at, 1)
        raise KeyboardInterrupt
    assert document(office, id_)["frozen_time"] == START + 2 * DAY
    office.forward(3600)
    office.run(CLOCK.name)
    assert seen == [("a", n * DAY) for n in (1, 2, 3, 3, 4)]
    assert office.find("a").document["runs"] == 4
    assert document(office, id_)["status"] == "ready"


def test_two_workers_move_a_clock_once(pg_office: Office) -> None:
    seen: list[tuple[str, int]] = []
    works("thing", every(pg_office, seen, DAY))
    id_ = clock(pg_office)
    pg_office.thing("a", DAY, clock=id_)
    advance_clock(pg_office.desk, id_, {"frozen_time": START + 60 * DAY})

    def run(store: Any) -> None:
        while store.find(CLOCK.name, id_).document["status"] == "advancing":
            run_due(lambda at: Desk(store, at, pg_office.desk.new_id), [CLOCK.name], pg_office.at, 5)

    threads = [threading.Thread(target=run, args=(pg_office.further(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seen == [("a", n * DAY) for n in range(1, 61)]
    assert pg_office.events().count("test_helpers.test_clock.ready") == 1


def test_a_long_way_of_one_clock_keeps_no_other_waiting(office: Office) -> None:
    seen: list[tuple[str, int]] = []
    works("thing", every(office, seen, DAY))
    clocks = [clock(office) for _ in range(3)]
    for n, id_ in enumerate(clocks):
        office.thing(f"thing {n}", DAY, clock=id_)
        office.forward(1)
        advance_clock(office.desk, id_, {"frozen_time": START + 50 * DAY})
    office.forward(1)
    for _ in range(9):
        office.forward(1)
        office.run(CLOCK.name, limit=1)
    assert sorted(seen) == [(f"thing {n}", day * DAY) for n in range(3) for day in (1, 2, 3)]


def test_ten_years_of_months_take_seconds(pg_office: Office) -> None:
    seen: list[tuple[str, int]] = []
    works("thing", every(pg_office, seen, 30 * DAY))
    id_ = clock(pg_office)
    pg_office.thing("a", 30 * DAY, clock=id_)
    began = time.monotonic()
    advance(pg_office, id_, START + 3650 * DAY)
    assert len(seen) == 121
    assert time.monotonic() - began < 20


def test_a_step_that_fails_stops_the_clock_there(office: Office) -> None:
    broken = True

    def do(desk: Desk, row: Row) -> None:
        if broken:
            raise ValueError("no")
        office.once(desk, row)

    works("thing", do)
    id_ = clock(office)
    office.thing("a", DAY, clock=id_)
    advance(office, id_, START + 3 * DAY)
    assert (document(office, id_)["status"], document(office, id_)["frozen_time"]) == ("internal_failure", START)
    assert office.due_in(id_, CLOCK.name) == 30 * DAY
    assert office.events()[-1] == "test_helpers.test_clock.internal_failure"
    (fault,) = faults(office.store)
    assert fault["reason"] == f"StepFailed: thing a, due at {START + DAY}: ValueError: no"
    broken = False
    advance(office, id_, START + 3 * DAY)
    assert office.done == ["a"]
    assert document(office, id_)["status"] == "ready"
    assert faults(office.store) == []


def test_a_clock_only_goes_forward_and_once_at_a_time(office: Office) -> None:
    id_ = clock(office)
    for to in (START, START - 1):
        with pytest.raises(Refusal, match="frozen_time_not_later"):
            advance_clock(office.desk, id_, {"frozen_time": to})
    advance_clock(office.desk, id_, {"frozen_time": START + 1})
    with pytest.raises(Refusal, match="test_clock_advancing"):
        advance_clock(office.desk, id_, {"frozen_time": START + 2})
    with pytest.raises(Refusal, match="resource_missing"):
        advance_clock(office.desk, "clock_none", {"frozen_time": START})


def test_there_are_no_clocks_in_live_mode(office: Office) -> None:
    with pytest.raises(Refusal, match="test_mode_only"):
        create_clock(replace(office.desk, live=True), {"frozen_time": START})


def test_a_customer_on_a_clock_has_its_time(office: Office) -> None:
    id_ = clock(office, START + 7)
    office.store.add("customer", "cus_1", START, {"test_clock": id_})
    office.store.add("customer", "cus_2", START, {"test_clock": None})
    on, off = office.find("cus_1", "customer"), office.find("cus_2", "customer")
    assert clock_of(office.desk, off) == office.desk
    desk = clock_of(office.desk, on)
    assert (desk.second, desk.clock, desk.wall_clock) == (START + 7, id_, office.at)
    assert clock_of(desk, on) is desk
    with pytest.raises(Refusal, match=r"resource_missing.*at test_clock"):
        clock_desk(office.desk, "clock_none")
    advance_clock(office.desk, id_, {"frozen_time": START + 8})
    with pytest.raises(Refusal, match="test_clock_advancing"):
        clock_of(office.desk, on)


def test_an_event_of_what_lives_by_a_clock_is_due_at_once(office: Office) -> None:
    seen: list[tuple[str, int]] = []
    works("thing", every(office, seen, DAY))
    id_ = clock(office, START + 400 * DAY)
    tell(clock_desk(office.desk, id_), "thing.happened", {"id": "x"})
    row = office.store.page(PageQuery(EVENT.name, 1)).rows[0]
    assert (row.due_at, row.clock, row.created) == (office.at, None, START + 400 * DAY)


def test_what_is_due_at_the_time_of_a_clock_that_stands_is_done(office: Office) -> None:
    works("thing", office.once)
    id_ = clock(office, START + DAY)
    assert office.run() >= 0
    clock_desk(office.desk, id_)
    office.thing("a", DAY, clock=id_)
    office.thing("b", DAY + 1, clock=id_)
    office.run(CLOCK.name)
    assert office.done == ["a"]
    assert office.due_in(id_, CLOCK.name) == 30 * DAY
    clock_desk(office.desk, id_, wakes=False)
    assert office.run(CLOCK.name) == 0


def test_what_was_due_before_the_time_of_a_clock_is_done_at_its_time(office: Office) -> None:
    seen: list[tuple[str, int]] = []
    works("thing", every(office, seen, 7 * DAY))
    id_ = clock(office, START + 2 * DAY)
    clock_desk(office.desk, id_)
    office.thing("a", DAY, clock=id_)
    office.run(CLOCK.name)
    assert seen == [("a", 2 * DAY)]
    assert document(office, id_)["frozen_time"] == START + 2 * DAY


def test_a_clock_is_deleted_with_what_lives_by_it(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "_DELETIONS", {})
    hooked: list[tuple[str, int]] = []
    deleted_with_clock("things", lambda desk, id_: hooked.append((id_, desk.second)))
    with pytest.raises(ValueError, match="things"):
        deleted_with_clock("things", lambda desk, id_: None)
    id_, other = clock(office, START + 5), clock(office)
    for n, where in enumerate([id_, other, id_]):
        office.store.add("customer", f"cus_{n}", START, {"id": f"cus_{n}", "test_clock": where})
    assert delete_clock(office.desk, id_) == {"id": id_, "object": CLOCK.name, "deleted": True}
    assert hooked == [(id_, START + 5)]
    assert [office.find(f"cus_{n}", "customer").deleted for n in range(3)] == [True, False, True]
    assert office.events()[-3:] == ["customer.deleted", "customer.deleted", "test_helpers.test_clock.deleted"]
    with pytest.raises(Refusal, match="resource_missing"):
        delete_clock(office.desk, id_)
    office.forward(31 * DAY)
    office.run(CLOCK.name)
    assert office.find(other, CLOCK.name).deleted
    assert office.find("cus_1", "customer").deleted
