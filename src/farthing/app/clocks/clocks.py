"""Test clocks: made, advanced, deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from farthing.app.clocks.desks import at_time
from farthing.app.clocks.kinds import CLOCK
from farthing.app.clocks.refusals import FROZEN_TIME_NOT_LATER, TEST_CLOCK_ADVANCING, TEST_MODE_ONLY
from farthing.app.customers.customers import delete_customer
from farthing.app.customers.kinds import CUSTOMER
from farthing.app.resources import plain
from farthing.app.resources.changes import tell
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Document, PageQuery, Row, Test
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import MICROS, Instant

LIFETIME = 30 * 86_400
"""How long a clock is kept, in seconds of the wall clock; then it is deleted with all that lives by it."""
_PAGE = 100
Delete = Callable[[Desk, str], None]
_DELETIONS: dict[str, Delete] = {}


def deleted_with_clock(name: str, delete: Delete) -> None:
    """Register, once and by a name, what else is done when a test clock is deleted: `delete(desk, clock)`, with the clock's time, before
    its customers are deleted."""
    if name in _DELETIONS:
        raise ValueError(f"what is done to {name} with a clock is registered twice")
    _DELETIONS[name] = delete


def create_clock(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Make a test clock that stands at `frozen_time` (seconds). Errors: test_mode_only."""
    if desk.live:
        raise Refusal(TEST_MODE_ONLY, "this is live mode.", None)
    deletes_after = desk.second + LIFETIME
    document = {
        "deletes_after": deletes_after,
        "frozen_time": params["frozen_time"],
        "name": params.get("name"),
        "status": "ready",
        "status_details": {},
    }
    return plain.create(desk, CLOCK, document, due_at=deletes_after * MICROS)


def advance_clock(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Begin to move a test clock on to `frozen_time` (seconds): the worker does it, all that becomes due on the way at its own time.

    A clock that failed may be advanced again: it tries again what failed. Errors: resource_missing, test_clock_advancing,
    frozen_time_not_later."""
    with desk.store.transaction():
        row = plain.need(desk, CLOCK, id_, lock=True)
        if row.document["status"] == "advancing":
            raise Refusal(TEST_CLOCK_ADVANCING, f"{id_} is advancing.", None)
        target, frozen = params["frozen_time"], row.document["frozen_time"]
        if target <= frozen:
            raise Refusal(FROZEN_TIME_NOT_LATER, f"{target} is not later than {frozen}.", "frozen_time")
        document = {**row.document, "status": "advancing", "status_details": {"advancing": {"target_frozen_time": target}}}
        return put_status(desk, row, document, desk.wall_clock)


def delete_clock(desk: Desk, id_: str) -> Document:
    """Delete a test clock, with its customers and what else lives by it. Returns what the API shows of it. Errors: resource_missing."""
    with desk.store.transaction():
        row = plain.need(desk, CLOCK, id_, lock=True)
        within = at_time(desk, id_, row.document["frozen_time"] * MICROS)
        for delete in _DELETIONS.values():
            delete(within, id_)
        _delete_customers(within, id_)
        return plain.delete(desk, CLOCK, id_)


def put_status(desk: Desk, row: Row, document: Document, due_at: Instant | None) -> Row:
    """Write a clock whose status has changed, and tell of it, as of the wall clock."""
    changed = replace(row, document=dict(document), due_at=due_at)
    desk.store.put(changed)
    tell(desk, f"{CLOCK.name}.{document['status']}", document)
    return changed


def _delete_customers(desk: Desk, clock: str) -> None:
    query = PageQuery(CUSTOMER.name, _PAGE, tests=(Test("test_clock", "eq", clock),))
    while rows := desk.store.page(query).rows:  # those deleted are on no page any more
        for row in rows:
            delete_customer(desk, row.id)
