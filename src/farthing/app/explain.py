"""Explain a line of a bill: how its amount came to be, and the events behind it, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from farthing.app.raters import query_for
from farthing.app.refusals import LINE_UNKNOWN, PAGE_UNKNOWN
from farthing.app.store import Store, StoredDocument
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Interval, parse_instant
from farthing.core.events.event import Event
from farthing.core.explain.explanation import Explanation
from farthing.core.explain.line import explain_line
from farthing.core.invoice.document import read_line
from farthing.core.invoice.invoice import Line
from farthing.core.rating.compile import compile_price
from farthing.core.rating.interpret import takes
from farthing.core.rating.program import Cell
from farthing.core.usage.parse import parse_meter
from farthing.core.usage.select import group_of, matches
from farthing.kernel import Job

PAGE = 50


@dataclass(frozen=True, slots=True)
class EventPage:
    """One page of the events behind a line, in log order; `page` counts from 1, `more` says whether another follows."""

    page: int
    events: tuple[Event, ...]
    more: bool


def find_line(store: Store, line_id: str) -> tuple[StoredDocument, Line]:
    """A line of a final bill, by `<document's number or id>:<line, from 1>`. Errors: line_unknown."""
    found = store.line(line_id)
    if found is None:
        raise Refusal(LINE_UNKNOWN, f"there is no line {line_id[:80]!r}.", "line")
    document, content = found
    return document, read_line(content)


def explain(store: Store, line_id: str) -> Explanation:
    """The explanation of a line, made from its trace alone. Errors: line_unknown."""
    found = store.line(line_id)
    if found is None:
        raise Refusal(LINE_UNKNOWN, f"there is no line {line_id[:80]!r}.", "line")
    return explain_line(found[1])


def events_behind(store: Store, line_id: str, page: int, size: int = PAGE) -> EventPage:
    """The events that a line measured (and those it set aside), as they were known when it was made.

    Errors: line_unknown; page_unknown for a page that has no events, except the first.
    """
    document, line = find_line(store, line_id)
    if page < 1:
        raise Refusal(PAGE_UNKNOWN, f"there is no page {page}.", "page")
    found: list[Event] = []
    total = 0
    for total, event in enumerate(_events(store, document, line), start=1):
        if total > page * size:
            return EventPage(page, tuple(found), more=True)
        if total > (page - 1) * size:
            found.append(event)
    if page > 1 and not found:
        last = max(1, -(-total // size))
        raise Refusal(PAGE_UNKNOWN, f"there is no page {page}: the line's last page of events is {last}.", "page")
    return EventPage(page, tuple(found), more=False)


def _events(store: Store, document: StoredDocument, line: Line) -> Iterator[Event]:
    derivation = line.derivation
    if derivation["meter"] is None:
        return
    meter = parse_meter(derivation["meter"])
    start, end = derivation["metered"]
    program = compile_price(_price(store, derivation["price"]["lineage"], derivation["price"]["id"])).program
    job = Job(program, meter, Interval(parse_instant(start), parse_instant(end)))
    group = dict(line.key.group)
    cell = group.get("cell") if program.line_per_cell else None
    for event in store.events(query_for(job, (line.key.customer,), document.pins["position"])):
        grouped = all(group.get(name) == value for name, value in group_of(meter, event))
        if matches(meter, event) and grouped and (cell is None or _cell_of(program.cells, event) == cell):
            yield event


def _price(store: Store, lineage: str, version_id: str) -> dict[str, object]:
    versions = store.prices([lineage])[lineage]
    return dict(next(version.value.document for version in versions if version.value.id == version_id))


def _cell_of(cells: tuple[Cell, ...], event: Event) -> str:
    return next((cell.label for cell in cells if takes(cell, event)), "")
