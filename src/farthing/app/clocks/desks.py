"""Whose time it is: the desk of a customer that lives by a test clock."""

from __future__ import annotations

from dataclasses import replace

from farthing.app.clocks.kinds import CLOCK
from farthing.app.clocks.refusals import TEST_CLOCK_ADVANCING
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import MICROS


def clock_of(desk: Desk, customer: Row, *, wakes: bool = True) -> Desk:
    """The desk for what concerns a customer: with the time of its test clock if it has one (`clock_desk`), else as it is.

    Errors: test_clock_advancing, resource_missing."""
    clock = customer.clock or customer.document.get("test_clock")
    return desk if clock is None else clock_desk(desk, clock, wakes=wakes)


def clock_desk(desk: Desk, clock: str, field: str = "test_clock", *, wakes: bool = True) -> Desk:
    """The desk with the time of a test clock; what it creates lives by the clock. `field` is where its id was sent.

    With `wakes` the clock is locked until the transaction ends, so that it does not move while something is changed, and looks afterwards
    what became due at its own time; without, for what only reads, neither. Errors: test_clock_advancing, resource_missing.
    """
    if desk.clock == clock:
        return desk
    row = plain.need(desk, CLOCK, clock, field, lock=wakes)
    if row.document["status"] == "advancing":
        raise Refusal(TEST_CLOCK_ADVANCING, f"{clock} is advancing.", field)
    if wakes and row.document["status"] == "ready":
        desk.store.put(replace(row, due_at=desk.wall_clock))
    return at_time(desk, clock, row.document["frozen_time"] * MICROS)


def at_time(desk: Desk, clock: str, at: int) -> Desk:
    """The desk with the time of a test clock, in UTC microseconds."""
    return replace(desk, at=at, clock=clock, wall=desk.wall_clock)


def time_of(desk: Desk, customer: str) -> int:
    """What time it is for a customer, by id, in UTC microseconds: the time of its test clock if it has one, else that of the desk."""
    row = None if desk.live else desk.store.find("customer", customer)
    clock = None if row is None else row.document.get("test_clock")
    found = None if clock is None else desk.store.find(CLOCK.name, clock)
    return desk.at if found is None else found.document["frozen_time"] * MICROS
