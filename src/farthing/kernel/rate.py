"""Rate columns: the kernel's way in."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import pyarrow as pa

from farthing.kernel.domain import OutsideDomain
from farthing.kernel.engine import Engine, Overflow
from farthing.kernel.job import Job
from farthing.kernel.result import KernelResult, Layout
from farthing.kernel.run import Run
from farthing.kernel.source import Events, open_source, require
from farthing.kernel.typed import check_uses, find_roles, typed_columns


def rate(
    events: Events,
    job: Job,
    *,
    engine: Engine | None = None,
    charge_columns: tuple[str, ...] = ("charge",),
    properties: Mapping[str, str] | None = None,
    charges: Iterable[Hashable] = (),
) -> KernelResult:
    """Rate the events of many charges at once; the same as core's `rate_events` for each charge and group, trace included.

    `events` is an Arrow table, a RecordBatchReader or paths of Parquet files, with the `charge_columns` (integers or text),
    `position` and `at` (integers: place in the log, distinct for each event of a charge; UTC microseconds), and a column for each
    property that the job reads: of that name, or of the name that `properties` gives. Properties are text as the log holds it, or
    integers, or DECIMAL; NULL where absent. The meter's filters and groups are applied here; its event name is not.
    `charges` lists keys (as in `KernelResult.rated`) that get their line even without any event inside the interval.

    Errors: OutsideDomain, whose reason says why this job is left to core; ValueError for columns that are missing or null.
    """
    own = engine or Engine()
    try:
        return _rate(own, events, job, charge_columns, properties, charges, owned=engine is None)
    except BaseException:
        if engine is None:
            own.close()
        raise


def domain(job: Job, types: pa.Schema, *, charge_columns: tuple[str, ...] = ("charge",), properties: Mapping[str, str] | None = None) -> str | None:
    """Why the kernel would leave this job to core, whatever the data; None when it would compute it."""
    try:
        with Engine() as engine:
            _rate(engine, types.empty_table(), job, charge_columns, properties, (), owned=False)
    except OutsideDomain as outside:
        return outside.reason
    return None


def _rate(
    engine: Engine,
    events: Events,
    job: Job,
    charge_columns: tuple[str, ...],
    properties: Mapping[str, str] | None,
    charges: Iterable[Hashable],
    owned: bool,
) -> KernelResult:
    source = open_source(engine, events)
    run = Run(engine, job)
    try:
        roles = find_roles(source, job, charge_columns, properties)
        require(source, events, (*roles.charge, roles.position, roles.at))
        check_uses(source, roles, job)
        listed = list(charges)
        try:
            table, layout, outside = run.all(source, typed_columns(source, roles, job), listed)
        except Overflow:
            if source.once or not source.bounds:
                raise
            source.bounds = {}  # hints that did not hold, or intermediate numbers at the edge: once more at full width
            table, layout, outside = run.all(source, typed_columns(source, roles, job), listed)
    finally:
        run.clean()
        if source.attached:
            engine.detach(source.attached)
    rated = engine.rows(_count_rated(job, layout, table))[0][0]
    return KernelResult(job, layout, source.rows, int(rated or 0), outside, engine, table, owned)


def _count_rated(job: Job, layout: Layout, table: str) -> str:
    if job.is_line_each:
        return f"SELECT sum(events + set_aside + unmatched) FROM {table}"
    keys = ", ".join(f"k{i}" for i in range(layout.keys))
    return f"SELECT sum(inside) FROM (SELECT coalesce(sum(events + set_aside), 0) + max(unmatched) AS inside FROM {table} GROUP BY {keys})"
