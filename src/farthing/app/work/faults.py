"""Faults of due work: which rows could not be worked on, why, and when they are tried again. They are rows of a kind of their own."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from farthing.app.resources.desk import Desk, ResourceStore
from farthing.app.resources.table import PageQuery, Row
from farthing.app.resources.values import LONGEST_NAME
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import MICROS, Instant

LOG = logging.getLogger("farthing.work")
FAULT = "due_work_fault"
FIRST_PAUSE, LONGEST_PAUSE = 10 * MICROS, 6 * 3600 * MICROS
_LOST = ("database_unavailable", "database_disk_full")
_CLASH = "database_busy"
_REASON_LENGTH = 500


class NotMovedOn(Exception):
    """The work on a row left it due as it was: a mistake of ours, which would be repeated for ever."""


def lost(error: BaseException) -> bool:
    """Whether the database is to blame, so that no row can be worked on."""
    return isinstance(error, Refusal) and error.code in _LOST


def clashed(error: BaseException) -> bool:
    """Whether another transaction was in the way, so that the same may do a moment later."""
    return isinstance(error, Refusal) and error.code == _CLASH


def pause(count: int) -> Instant:
    """How long a row is left alone after its work has failed `count` times, in microseconds."""
    return min(FIRST_PAUSE << min(count - 1, 20), LONGEST_PAUSE)


def reason(error: BaseException) -> str:
    """An error in a line that can be stored."""
    text = str(error) if isinstance(error, Refusal) else f"{type(error).__name__}: {error}"
    return text[:_REASON_LENGTH].encode("utf-8", "replace").decode().replace("\0", "?")


def note(desk: Desk, row: Row, why: str) -> int:
    """Keep that the work on a row failed, inside a transaction; returns how often it has by now."""
    id_ = fault_id(row)
    known = desk.store.find(FAULT, id_, lock=True)
    before = known.document if known is not None and not known.deleted else None
    count = 1 if before is None else int(before["count"]) + 1
    document = {
        "kind": row.kind,
        "id": row.id,
        "count": count,
        "reason": why,
        "first_at": desk.second if before is None else before["first_at"],
        "last_at": desk.second,
        "due_at": row.due_at if before is None else before["due_at"],
    }
    if known is None:
        desk.store.add(FAULT, id_, desk.second, document)
    else:
        desk.store.put(replace(known, document=document, deleted=False))
    return count


def settle(store: ResourceStore, row: Row) -> None:
    """The work on a row has succeeded: it has no fault any more."""
    known = store.find(FAULT, fault_id(row))
    if known is not None and not known.deleted:
        store.put(replace(known, deleted=True))


def faults(store: ResourceStore, limit: int = 100) -> Sequence[dict[str, Any]]:
    """The rows whose work has failed, and has not succeeded since, newest first: kind, id, count, reason, first_at and last_at (seconds),
    due_at (microseconds, before it was put off)."""
    return [dict(row.document) for row in store.page(PageQuery(FAULT, limit)).rows]


def fault_id(row: Row) -> str:
    """The id of a row's fault."""
    return f"{row.kind}:{row.id}"[:LONGEST_NAME]
