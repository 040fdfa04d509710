"""Events by cell: the meter's filter, the first cell that takes each event, its bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from farthing.kernel.conditions import Conditions
from farthing.kernel.engine import Engine
from farthing.kernel.hours import Slots, make_slots, needs_slots
from farthing.kernel.job import Job
from farthing.kernel.typed import Typed

NO_CELL = -1


@dataclass(frozen=True, slots=True)
class Stage:
    """Classified events: `relation` is a query with the columns of `typed`, and `cell` and `bucket` where they vary."""

    relation: str
    typed: Typed
    params: dict[str, Any]
    has_cell: bool
    temporary: tuple[str, ...] = ()

    def of(self, condition: str) -> str:
        """The events for which a condition holds ("" for all)."""
        return f"SELECT * FROM ({self.relation})" + (f" WHERE {condition}" if condition else "")

    @property
    def cell(self) -> str:
        """The number of an event's cell, as SQL."""
        return "cell" if self.has_cell else "CAST(0 AS SMALLINT)"

    @property
    def group(self) -> str:
        """What to group by for one row a charge and cell."""
        return self.typed.key_list() + (", cell" if self.has_cell else "")


def classify(engine: Engine, job: Job, typed: Typed, readers: int) -> Stage:
    """Classify the events; into a temporary table when more than one query will read them."""
    params = dict(typed.params)
    conditions = Conditions(typed, params)
    has_cell = len(job.program.cells) > 1 or job.may_leave_unmatched
    relation, temporary, slots = f"({typed.relation}) AS e", [], None
    if needs_slots(job):
        slots = make_slots(job, _since(engine, job, typed))
        name = engine.attach(slots.table)
        temporary.append(name)
        relation += f' JOIN {name} AS s ON s.slot = (e."at" - CAST({slots.base} AS BIGINT)) // CAST({slots.step} AS BIGINT)'
    items = "*" if not has_cell else f"*, {_cell(job, conditions, slots)} AS cell"
    where = f" WHERE {conditions.sql(job.meter.filters)}" if job.meter.filters.tests else ""
    sql = f"SELECT {items} FROM {relation}{where}"
    if readers > 1:
        table = engine.make("events", sql, params, {"position": "BIGINT", "at": "BIGINT"})
        temporary.append(table.name)
        sql = f"SELECT * FROM {table.name}"
    return Stage(sql, typed, params, has_cell, tuple(temporary))


def _since(engine: Engine, job: Job, typed: Typed) -> int:
    """From when on slots are needed: a carried level may come from long before the interval."""
    if not job.carries:
        return job.interval.start
    first = engine.rows(f'SELECT min("at") FROM ({typed.relation})', typed.params)[0][0]
    return job.interval.start if first is None else int(first)


def _cell(job: Job, conditions: Conditions, slots: Slots | None) -> str:
    cases = []
    for index, cell in enumerate(job.program.cells):
        tests = [conditions.sql(cell.when)] if cell.when.tests else []
        if cell.during is not None and slots is not None:
            tests.append(f"b{slots.bands.index(cell.during)}")
        cases.append(f"WHEN {' AND '.join(tests) or 'TRUE'} THEN {index}")
    return f"CAST(CASE {' '.join(cases)} ELSE {NO_CELL} END AS SMALLINT)"
