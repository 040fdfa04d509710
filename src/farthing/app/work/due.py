"""Due work of one account and mode: the earliest row first, each in a transaction of its own, and none that fails stops the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Resources, Row
from farthing.app.work.faults import LOG, NotMovedOn, clashed, lost, note, pause, reason, settle
from farthing.app.work.registry import WORKS, After
from farthing.core.base.time import MICROS, Instant

OpenDesk = Callable[[Instant], Desk]
"""A desk whose time is the instant, on the store of the account and mode."""
CLASH_PAUSE: Instant = MICROS // 2


def run_due(open_desk: OpenDesk, kinds: Iterable[str], up_to: Instant, limit: int = 100) -> int:
    """Do the work that is due by an instant of the wall clock on rows of these kinds, at most `limit` pieces of it, earliest first over all
    kinds. Returns how many were done, those that failed included.

    Each is a transaction of its own, on a row that no other worker has locked. What fails is undone, logged and kept (`faults.py`), and
    put off for longer each time. Errors: database_unavailable, database_disk_full, after which everything is as it was before the row.
    """
    names = tuple(kinds)
    done = 0
    while done < limit:
        head = earliest(open_desk(up_to).store, names, up_to, None)
        if head is None:
            break
        done += _take(open_desk, head.kind, up_to)
    return done


def earliest(store: Resources, kinds: Iterable[str], up_to: Instant, clock: str | None) -> Row | None:
    """The row of these kinds and this test clock (None: the wall clock) that was due first by an instant; None if none is, or all are
    locked. Outside of a transaction it is not locked any more."""
    heads = [row for kind in kinds for row in store.due(kind, up_to, clock, 1)]
    return min(heads, key=lambda row: (row.due_at, row.place), default=None)


def work_on(desk: Desk, row: Row) -> After | None:
    """Do the work on a row that is locked, inside a transaction; returns what is to be called after it. Errors: whatever the work
    raises, and NotMovedOn when it leaves the row as due as it was."""
    work = WORKS[row.kind]
    after = work.do(desk, row)
    now = desk.store.find(row.kind, row.id)
    moved = now is None or now.deleted or now.due_at is None or row.due_at is None or now.due_at > row.due_at
    if not moved and not (work.steps and now != row):
        raise NotMovedOn(f"the work left due_at at {row.due_at}")
    settle(desk.store, row)
    return after


def _take(open_desk: OpenDesk, kind: str, up_to: Instant) -> bool:
    """Work on the first due row of a kind; False if other workers have taken all there were."""
    desk, row, after = open_desk(up_to), None, None
    try:
        with desk.store.transaction():
            row = next(iter(desk.store.due(kind, up_to, None, 1)), None)
            if row is None:
                return False
            after = work_on(desk, row)
    except Exception as error:
        if row is None or lost(error):
            raise
        _failed(desk, row, error)
        return True
    if after is not None:
        _followed(desk, row, after)
    return True


def _followed(desk: Desk, row: Row, after: After) -> None:
    try:
        after()
    except Exception as error:
        if lost(error):
            raise
        LOG.error("what follows the work on %s %s failed", row.kind, row.id, exc_info=error)
        with desk.store.transaction():
            note(desk, row, reason(error))


def _failed(desk: Desk, row: Row, error: Exception) -> None:
    """Keep why the work on a row failed, and put the row off; unless it was moved on meanwhile."""
    if clashed(error):
        LOG.warning("the work on %s %s is put off: %s", row.kind, row.id, reason(error))
        _put_off(desk, row, CLASH_PAUSE)
        return
    LOG.error("the work on %s %s failed", row.kind, row.id, exc_info=error)
    on_fault = WORKS[row.kind].on_fault
    if on_fault is not None:
        try:
            with desk.store.transaction():
                if (now := _still_due(desk, row)) is not None:
                    on_fault(desk, now, reason(error))
                    note(desk, now, reason(error))
        except Exception as further:
            if lost(further):
                raise
            LOG.error("what is to become of %s %s failed, too", row.kind, row.id, exc_info=further)
    _put_off(desk, row, None, reason(error))


def _put_off(desk: Desk, row: Row, by: Instant | None, why: str = "") -> None:
    """Put off a row that is still due: `by` some microseconds, or as its count of faults says, which this one is added to."""
    with desk.store.transaction():
        now = _still_due(desk, row)
        if now is not None:
            by = pause(note(desk, now, why)) if by is None else by
            desk.store.put(replace(now, due_at=desk.at + by))


def _still_due(desk: Desk, row: Row) -> Row | None:
    now = desk.store.find(row.kind, row.id, lock=True)
    return None if now is None or now.deleted or now.due_at is None or now.due_at > desk.at else now
