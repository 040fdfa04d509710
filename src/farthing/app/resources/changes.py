"""Events: each change of a resource, told as a resource of its own, in the transaction that makes the change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from farthing.app.resources.desk import Desk
from farthing.app.resources.kinds import kind
from farthing.app.resources.table import Document

EVENT = kind("event", "evt_", "/v1/events", filters=("type",))
API_VERSION = "2026-10-28.endive"
Follower = Callable[[Desk, Document, Document | None], None]
_FOLLOWERS: dict[str, Follower] = {}


def follow(type_: str, follower: Follower) -> None:
    """Declare what else is to be done, in the same transaction, when an event of a type is told: `follower(desk, document, before)`."""
    if _FOLLOWERS.setdefault(type_, follower) is not follower:
        raise ValueError(f"{type_} is followed already")


def tell(desk: Desk, type_: str, document: Document, before: Document | None = None, at: int | None = None) -> str:
    """Store the event of a change and return its id. `before` is the document before an update: the event holds the previous values of
    the fields that differ. `at` is when it happened in seconds, by default now. The event's place in the outbox is its own row: it is
    due for delivery at once, whichever clock the change lives by."""
    id_ = desk.new_id("evt")
    data: dict[str, Any] = {"object": dict(document)}
    if before is not None:
        data["previous_attributes"] = previous(before, document)
    created = desk.second if at is None else at
    made: dict[str, Any] = {
        "id": id_,
        "object": "event",
        "api_version": API_VERSION,
        "created": created,
        "data": data,
        "livemode": desk.live,
        "pending_webhooks": 0,
        "request": {"id": desk.request, "idempotency_key": desk.idempotency_key},
        "type": type_,
    }
    desk.store.add("event", id_, created, made, due_at=desk.wall_clock)
    if type_ in _FOLLOWERS:
        _FOLLOWERS[type_](desk, document, before)
    return id_


def previous(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The values before of what differs after; inside objects only what differs there, lists whole. A field that is new was None."""
    found: dict[str, Any] = {}
    for name in (*before, *(name for name in after if name not in before)):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        found[name] = previous(old, new) if isinstance(old, Mapping) and isinstance(new, Mapping) else old
    return found
