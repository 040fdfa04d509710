"""Pages of lists that are no page of the table: a part of documents that are all at hand."""

from __future__ import annotations

from collections.abc import Sequence

from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Document
from farthing.core.base.refusal import Refusal
from farthing.edges.http import lists
from farthing.edges.http.routes import Call


def part_of(call: Call, every: Sequence[Document]) -> tuple[Sequence[Document], bool]:
    """The page of documents that the cursors ask for, and whether there are more in its direction. Errors: limit_out_of_range,
    fields_conflict, resource_missing for a cursor that names none of them."""
    lists.refuse_two_cursors(call.params)
    limit, after, before = lists.limit_of(call.params), call.params.get("starting_after"), call.params.get("ending_before")
    places = {one["id"]: n for n, one in enumerate(every)}
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor is not None and cursor not in places:
            raise Refusal(RESOURCE_MISSING, f"there is no {cursor[:80]!r} in this list.", name)
    if before is not None:
        end = places[before]
        return every[max(end - limit, 0) : end], end > limit
    start = 0 if after is None else places[after] + 1
    return every[start : start + limit], len(every) > start + limit
