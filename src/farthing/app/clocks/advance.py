"""How a test clock moves: step by step, each row at the time when it is due, each step a transaction that can be broken off."""

from __future__ import annotations

from dataclasses import replace

from farthing.app.clocks.clocks import delete_clock, put_status
from farthing.app.clocks.desks import at_time
from farthing.app.clocks.kinds import CLOCK
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.app.work.due import earliest, work_on
from farthing.app.work.faults import clashed, lost, reason
from farthing.app.work.registry import After, kinds_on_clocks
from farthing.core.base.time import MICROS

_STEPS = "steps"


class StepFailed(Exception):
    """What a test clock's step was to do failed, and the clock cannot go on."""


def work_on_clock(desk: Desk, row: Row) -> After | None:
    """One step of a test clock, which is locked: the earliest row that is due by the time to which it goes (its own, if it stands) is worked
    on at the time when it was due, which becomes the clock's. When nothing is left it is there, and ready. A clock whose lifetime is over
    is deleted."""
    document = row.document
    advancing = document["status"] == "advancing"
    if not advancing and desk.at >= document["deletes_after"] * MICROS:
        delete_clock(desk, row.id)
        return None
    frozen = document["frozen_time"]
    target = document["status_details"]["advancing"]["target_frozen_time"] if advancing else frozen
    due = earliest(desk.store, kinds_on_clocks(), target * MICROS, row.id)
    if due is not None:
        return _step(desk, row, due)
    rest = document["deletes_after"] * MICROS
    if advancing:
        put_status(desk, row, {**document, "frozen_time": target, "status": "ready", "status_details": {}}, rest)
    else:
        desk.store.put(replace(row, due_at=rest))
    return None


def _step(desk: Desk, row: Row, due: Row) -> After | None:
    assert due.due_at is not None
    frozen = row.document["frozen_time"] * MICROS
    at = max(due.due_at, frozen)
    hidden = {**row.hidden, _STEPS: row.hidden.get(_STEPS, 0) + 1}
    # Due from now on: what else has been due for longer is done before the next step, other clocks' steps too.
    desk.store.put(replace(row, document={**row.document, "frozen_time": at // MICROS}, hidden=hidden, due_at=desk.at))
    try:
        return work_on(at_time(desk, row.id, at), due)
    except Exception as error:
        if lost(error) or clashed(error):
            raise
        raise StepFailed(f"{due.kind} {due.id}, due at {due.due_at // MICROS}: {reason(error)}") from error


def fail_clock(desk: Desk, row: Row, why: str) -> None:
    """A step failed: the clock stops where it is, and its status says so. The log and the fault have the reason, `why`."""
    del why
    assert row.kind == CLOCK.name
    put_status(desk, row, {**row.document, "status": "internal_failure", "status_details": {}}, row.document["deletes_after"] * MICROS)
