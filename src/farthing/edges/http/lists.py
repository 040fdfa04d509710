"""Lists: from a request's parameters to a page of the table, and from a page to the list's document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Document, Page, PageQuery, Test
from farthing.app.resources.values import passes
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELDS_CONFLICT
from farthing.edges.http.refusals import LIMIT_OUT_OF_RANGE

CURSORS = ("limit", "starting_after", "ending_before")
PARAMETERS = (*CURSORS, "created")
"""What every list takes. `created` is a time, or an object of gt, gte, lt, lte."""
USUAL, MOST = 10, 100


def limit_of(params: Mapping[str, Any]) -> int:
    """How many entries are asked for, 10 by default. Errors: limit_out_of_range (1 to 100)."""
    limit = params.get("limit", USUAL)
    if not isinstance(limit, int) or not 1 <= limit <= MOST:
        raise Refusal(LIMIT_OUT_OF_RANGE, f"{limit} is not from 1 to {MOST}.", "limit")
    return limit


def tests(params: Mapping[str, Any], names: Mapping[str, str] | None = None) -> tuple[Test, ...]:
    """The conditions of a list's filters: each parameter beside the cursors compares the field of its name, or the path that `names`
    gives for it; objects of gt, gte, lt, lte are ranges."""
    made: list[Test] = []
    for name, value in params.items():
        path = (names or {}).get(name, name)
        if name in CURSORS or value is None:
            continue
        if isinstance(value, Mapping):
            made += [Test(path, bound, edge) for bound, edge in value.items()]
        else:
            made.append(Test(path, "eq", value))
    return tuple(made)


def refuse_two_cursors(params: Mapping[str, Any]) -> None:
    """Refuse a page that is asked for in both directions. Errors: fields_conflict."""
    if params.get("starting_after") is not None and params.get("ending_before") is not None:
        raise Refusal(FIELDS_CONFLICT, "starting_after and ending_before are both sent.", "ending_before")


def page(desk: Desk, kind: str, params: Mapping[str, Any], conditions: Sequence[Test] = (), any_of: bool = False) -> Page:
    """The page that `limit`, `starting_after` and `ending_before` ask for, of rows that pass the conditions.

    Errors: limit_out_of_range, fields_conflict, resource_missing for a cursor that names nothing."""
    after, before = params.get("starting_after"), params.get("ending_before")
    refuse_two_cursors(params)
    return desk.store.page(PageQuery(kind, limit_of(params), after, before, tuple(conditions), any_of))


def page_of_any(desk: Desk, kind: str, params: Mapping[str, Any], conditions: Sequence[Test], choices: Sequence[Test]) -> Page:
    """The same for rows that pass the conditions and one of the choices, of which at most one may hold for a row: the pages of each
    choice, merged. Errors: as `page`."""
    pages = [page(desk, kind, params, (*conditions, choice)) for choice in choices]
    rows = sorted((row for one in pages for row in one.rows), key=lambda row: (row.created, row.place), reverse=True)
    limit = limit_of(params)
    kept = rows[:limit] if params.get("ending_before") is None else rows[-limit:]
    return Page(tuple(kept), len(rows) > limit or any(one.more for one in pages))


def page_of_ids(desk: Desk, kind: str, params: Mapping[str, Any], conditions: Sequence[Test], ids: Sequence[str]) -> Page:
    """The rows of these ids that pass the conditions; there is one page of them. Errors: limit_out_of_range, fields_conflict."""
    for name in ("starting_after", "ending_before"):
        if params.get(name) is not None:
            raise Refusal(FIELDS_CONFLICT, f"ids and {name} are both sent.", name)
    found = [row for id_ in dict.fromkeys(ids) if (row := desk.store.find(kind, id_)) is not None and not row.deleted]
    rows = sorted((row for row in found if all(passes(row, test) for test in conditions)), key=lambda row: (row.created, row.place), reverse=True)
    limit = limit_of(params)
    return Page(tuple(rows[:limit]), len(rows) > limit)


def list_document(documents: Sequence[Document], more: bool, url: str) -> dict[str, Any]:
    """A list as the wire has it."""
    return {"object": "list", "url": url, "has_more": more, "data": list(documents)}
