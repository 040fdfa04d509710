"""The registry of resource kinds: their names, ids and what lists of them can be asked by. Paths, documentation and tests derive from it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource. `name` is what the API calls it (the `object` of its documents), `prefix` begins its ids, `collection` is
    where it is listed. `filters` are the fields by which lists are filtered, `search` those that searches know, with their types.
    `events` are the suffixes of the events that tell of it (`<name>.<suffix>`). `dated` is the field that says when it was made."""

    name: str
    prefix: str
    collection: str
    filters: tuple[str, ...] = ()
    search: dict[str, str] = field(default_factory=dict)
    events: tuple[str, ...] = ()
    dated: str = "created"


KINDS: dict[str, Kind] = {}


def kind(
    name: str,
    prefix: str,
    collection: str,
    *,
    filters: tuple[str, ...] = (),
    search: dict[str, str] | None = None,
    events: tuple[str, ...] = (),
    dated: str = "created",
) -> Kind:
    """Register a kind, once; the fields are those of `Kind`."""
    made = Kind(name, prefix, collection, filters, search or {}, events, dated)
    if name in KINDS:
        raise ValueError(f"resource kind {name} is registered twice")
    KINDS[name] = made
    return made
