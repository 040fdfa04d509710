"""The verbs that every kind of resource shares: create, read, update, delete, list. Each change is told in its own transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from farthing.app.resources.changes import tell
from farthing.app.resources.desk import Desk
from farthing.app.resources.kinds import Kind
from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Document, Page, PageQuery, Row
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Instant

METADATA = "metadata"


def create(
    desk: Desk,
    kind: Kind,
    document: Mapping[str, Any],
    *,
    clock: str | None = None,
    due_at: Instant | None = None,
    hidden: Document | None = None,
    event: str | None = "created",
) -> Row:
    """Add a resource; its `id` (made, where the document has none), `object`, `created` and `livemode` are set. It lives by
    the desk's test clock unless `clock` names one. Errors: resource_already_exists."""
    id_ = document.get("id") or desk.new_id(kind.prefix.rstrip("_"))
    made = {**document, "id": id_, "object": kind.name, "livemode": desk.live}
    made.setdefault(kind.dated, desk.second)
    with desk.store.transaction():
        desk.store.add(kind.name, id_, made[kind.dated], made, clock=clock or desk.clock, due_at=due_at, hidden=hidden)
        if event is not None:
            tell(desk, f"{kind.name}.{event}", made)
        return need(desk, kind, id_)


def find(desk: Desk, kind: Kind, id_: str, lock: bool = False) -> Row | None:
    """The resource of an id, also a deleted one; None if there never was one."""
    return desk.store.find(kind.name, id_, lock)


def need(desk: Desk, kind: Kind, id_: str, field: str | None = None, lock: bool = False) -> Row:
    """The resource of an id, not deleted. `field` is where the id was sent. Errors: resource_missing."""
    row = desk.store.find(kind.name, id_, lock)
    if row is None or row.deleted:
        raise Refusal(RESOURCE_MISSING, f"there is no {kind.name} {id_[:80]!r}.", field or "id")
    return row


def change(desk: Desk, kind: Kind, row: Row, document: Mapping[str, Any], event: str | None = "updated", **kept: Any) -> Row:
    """Replace a resource's document (and `due_at`, `clock`, `hidden` by name), and tell of it; nothing is told where nothing differs."""
    changed = replace(row, document=dict(document), **kept)
    if changed == row:
        return row
    with desk.store.transaction():
        desk.store.put(changed)
        if event is not None and dict(row.document) != dict(document):
            tell(desk, f"{kind.name}.{event}", document, row.document)
    return changed


def update(desk: Desk, kind: Kind, id_: str, changes: Mapping[str, Any]) -> Row:
    """Change fields of a resource; metadata is merged, other objects are replaced. Errors: resource_missing."""
    with desk.store.transaction():
        row = need(desk, kind, id_, lock=True)
        document = {**row.document, **{name: value for name, value in changes.items() if name != METADATA}}
        if METADATA in changes:
            document[METADATA] = merged_metadata(row.document.get(METADATA) or {}, changes[METADATA])
        return change(desk, kind, row, document)


def merged_metadata(before: Mapping[str, str], sent: Mapping[str, str] | None) -> dict[str, str]:
    """Metadata after an update: keys that are sent empty go, others stay; None (sent as an empty text) clears all."""
    if sent is None:
        return {}
    return {name: value for name, value in {**before, **sent}.items() if value != ""}


def delete(desk: Desk, kind: Kind, id_: str) -> Document:
    """Delete a resource: it stays readable as deleted, and is in no list. Returns what the API shows of it. Errors: resource_missing."""
    with desk.store.transaction():
        row = need(desk, kind, id_, lock=True)
        desk.store.put(replace(row, deleted=True, due_at=None))
        tell(desk, f"{kind.name}.deleted", row.document)
        return {"id": id_, "object": kind.name, "deleted": True}


def page(desk: Desk, query: PageQuery) -> Page:
    """A page of a list. Errors: resource_missing for a cursor that is none."""
    return desk.store.page(query)
