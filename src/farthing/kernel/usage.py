"""Events → quantity by charge and cell: what `core.usage.aggregate` computes, one row each."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from farthing.core.base.rounding import RoundingMode
from farthing.core.rating.program import Cell
from farthing.core.usage.aggregate import nearest_rank
from farthing.core.usage.meter import Aggregation
from farthing.core.usage.windows import bucket_bounds
from farthing.kernel.columns import NumberColumn, as_num, integer, named, summed
from farthing.kernel.job import Job
from farthing.kernel.layers import Layers
from farthing.kernel.numbers import BIG, Num, product, retyped, rounded, sub, times
from farthing.kernel.stage import Stage

COUNTS = ("n", "aside", "first", "last")
ORDER = f'(CAST("at" AS HUGEINT) * CAST({2**64} AS HUGEINT) + position)'
"""An event's place in the order of events, as one number."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A query of keys, cell, n, aside, first, last, q and details d0… for each charge and cell with events."""

    sql: str
    quantity: Num
    details: tuple[tuple[str, int], ...]  # name and denominator
    empty: tuple[int, ...]  # the details of a charge without events

    @property
    def columns(self) -> dict[str, str]:
        """The columns after the keys and their types."""
        counts = {"cell": "SMALLINT"} | dict.fromkeys(COUNTS, "BIGINT")
        return counts | {"q": "HUGEINT"} | {f"d{i}": "HUGEINT" for i in range(len(self.details))}


def measure(job: Job, stage: Stage) -> Measured:
    """The query that measures all curve cells of the program."""
    match job.meter.aggregation:
        case Aggregation.TIME_WEIGHTED:
            return _time_weighted(job, stage)
        case Aggregation.PERCENTILE:
            return _percentile(job, stage)
        case Aggregation.WINDOWED:
            return _windowed(job, stage)
        case _:
            return _plain(job, stage)


def _relation(job: Job, stage: Stage) -> str:
    """The events of curve cells."""
    if not stage.has_cell:
        return stage.relation
    return stage.of(f"cell IN ({', '.join(str(i) for i in curve_cells(job.program.cells))})")


def curve_cells(cells: tuple[Cell, ...]) -> list[int]:
    """The numbers of the cells that are priced by a quantity."""
    return [index for index, cell in enumerate(cells) if cell.fees is None]


def _value(job: Job, stage: Stage) -> str:
    """What must not be NULL for an event to be measured; "" when every event is."""
    if job.measured is Aggregation.COUNT:
        return ""
    if job.measured is Aggregation.UNIQUE_COUNT:
        return stage.typed.texts[job.meter.value_key]
    return stage.typed.numbers[job.meter.value_key].sql


def _counts(value: str, inside: str = "") -> str:
    """How many were measured and set aside, and the first and last position, of the events `inside`.

    CASE, not FILTER: where the columns' statistics decide it the engine drops the CASE; a FILTER that is always true it keeps, at
    half of the speed.
    """
    tests = [test for test in (inside, f"{value} IS NOT NULL" if value else "") if test]
    measured = f"CASE WHEN {' AND '.join(tests)} THEN position END" if tests else "position"
    n = f"count({measured})"
    everyone = f"count(CASE WHEN {inside} THEN position END)" if inside else "count(*)"
    aside = f"{everyone} - {n}" if value else "CAST(0 AS BIGINT)"
    return f"{n} AS n, {aside} AS aside, coalesce(min({measured}), 0) AS first, coalesce(max({measured}), 0) AS last"


def _aggregate(job: Job, stage: Stage) -> tuple[str, NumberColumn]:
    """The plain aggregation of a group as SQL, and what it yields, as a column named qa."""
    kind, value = job.measured, _value(job, stage)
    if kind in (Aggregation.COUNT, Aggregation.UNIQUE_COUNT):
        sql = "count(*)" if kind is Aggregation.COUNT else f"count(DISTINCT {value})"
        return sql, NumberColumn("qa", "BIGINT", 0, 0, 0, BIG)
    column = stage.typed.numbers[job.meter.value_key]
    if kind is Aggregation.SUM:
        sql, result = summed(column)
        return sql, named(result, "qa")
    if kind is Aggregation.LATEST:
        return f"arg_max({value}, {ORDER}) FILTER (WHERE {value} IS NOT NULL)", named(column, "qa")
    return f"{kind.value}({value})", named(column, "qa")


def _or_zero(num: Num) -> Num:
    return Num(f"coalesce({num.sql}, 0)", num.den, min(num.low, 0), max(num.high, 0), num.width)


def _plain(job: Job, stage: Stage) -> Measured:
    aggregate, result = _aggregate(job, stage)
    inner = f"SELECT {stage.typed.key_list()}, {stage.cell} AS cell, {_counts(_value(job, stage))}, {aggregate} AS qa"
    query = f"{inner} FROM ({_relation(job, stage)}) GROUP BY {stage.group}"
    return _measured(stage, query, _or_zero(as_num(result)), (), ())


def _measured(stage: Stage, query: str, quantity: Num, details: tuple[tuple[str, Num], ...], empty: tuple[int, ...]) -> Measured:
    """Finish a query that has keys, cell and counts: quantity and details as HUGEINT."""
    items = "".join(f", {retyped(num, 'HUGEINT').sql} AS d{i}" for i, (_, num) in enumerate(details))
    sql = f"SELECT {stage.typed.key_list()}, cell, n, aside, first, last, {retyped(quantity, 'HUGEINT').sql} AS q{items} FROM ({query})"
    wide = Num("q", quantity.den, quantity.low, quantity.high, "HUGEINT")
    return Measured(sql, wide, tuple((name, num.den) for name, num in details), empty)


def _rank(percentile: Fraction, count: str) -> Num:
    """The nearest rank among `count` values, a column."""
    return rounded(times(Num(count, 1, 0, BIG, "BIGINT"), percentile / 100), RoundingMode.UP)


def _count(sql: str) -> Num:
    return Num(sql, 1, 0, BIG, "BIGINT")


def _percentile(job: Job, stage: Stage) -> Measured:
    assert job.meter.percentile is not None
    column, group = stage.typed.numbers[job.meter.value_key], stage.group
    layers = Layers(f"SELECT *, {column.sql} AS v FROM ({_relation(job, stage)})")
    layers.columns({"size": f"count(v) OVER (PARTITION BY {group})", "place": f"row_number() OVER (PARTITION BY {group} ORDER BY v NULLS LAST)"})
    layers.columns({"wanted": _rank(job.meter.percentile, "size").sql})
    query = (
        f"SELECT {stage.typed.key_list()}, {stage.cell} AS cell, {_counts('v')}, max(v) FILTER (WHERE place = wanted) AS qa, "
        f"max(wanted) AS wanted, max(size) AS size FROM ({layers.sql}) GROUP BY {group}"
    )
    quantity = _or_zero(as_num(named(column, "qa")))
    return _measured(stage, query, quantity, (("rank", _rank_column()), ("of", _count("size"))), (0, 0))


def _rank_column() -> Num:
    return Num("CAST(wanted AS HUGEINT)", 1, 0, BIG, "HUGEINT")


def _time_weighted(job: Job, stage: Stage) -> Measured:
    start, end = job.interval.start, job.interval.end
    column = stage.typed.numbers[job.meter.value_key]
    layers = Layers(f"SELECT *, {column.sql} AS v FROM ({_relation(job, stage)})")
    place = 'ORDER BY "at", position'
    layers.columns({"next": f'coalesce(lead("at") OVER (PARTITION BY {stage.group}, v IS NULL {place}), CAST({end} AS BIGINT))'})
    layers.columns({"held": f'greatest(next, CAST({start} AS BIGINT)) - greatest("at", CAST({start} AS BIGINT))'})
    level = integer(named(column, "v"))
    area = layers.one("area", product(level, Num("held", 1, 0, end - start, "BIGINT")))
    query = (
        f'SELECT {stage.typed.key_list()}, {stage.cell} AS cell, {_counts("v", f"""("at" >= {start})""")}, sum(area) AS area, '
        f'arg_max(v, {ORDER}) FILTER (WHERE v IS NOT NULL AND "at" < {start}) AS carried FROM ({layers.sql}) GROUP BY {stage.group}'
    )
    total = _or_zero(Num("CAST(area AS HUGEINT)", area.den, area.low * 10**12, area.high * 10**12, "HUGEINT"))
    quantity = times(total, Fraction(1, job.meter.per_micros or end - start))
    return _measured(stage, query, quantity, (("carried", _or_zero(as_num(named(column, "carried")))),), (0,))


def _windowed(job: Job, stage: Stage) -> Measured:
    windows = job.meter.windows
    assert windows is not None
    keys, group = stage.typed.key_list(), stage.group
    aggregate, result = _aggregate(job, stage)
    inner = f"SELECT {keys}, {stage.cell} AS cell, bucket, {_counts(_value(job, stage))}, {aggregate} AS qa"
    layers = Layers(f"{inner} FROM ({_relation(job, stage)}) GROUP BY {group}, bucket")
    filled = layers.one("filled", as_num(result))
    filled = layers.one("each", Num("CASE WHEN n > 0 THEN filled END", filled.den, filled.low, filled.high, filled.width))
    zeros = len(bucket_bounds(windows, job.interval)) if windows.empty_as_zero else None
    counts = (
        "CAST(sum(n) AS BIGINT) AS n, CAST(sum(aside) AS BIGINT) AS aside, coalesce(min(first) FILTER (WHERE n > 0), 0) AS first, "
        "max(last) AS last, count(each) AS buckets"
    )
    if windows.outer is Aggregation.PERCENTILE:
        return _bucket_percentile(job, stage, layers, filled, counts, zeros)
    query = f"SELECT {keys}, cell, {counts}, {windows.outer.value}(each) AS qa FROM ({layers.sql}) GROUP BY {keys}, cell"
    quantity = _or_zero(Num("CAST(qa AS HUGEINT)", filled.den, filled.low * 10**12, filled.high * 10**12, "HUGEINT"))
    if zeros is not None and windows.outer in (Aggregation.MIN, Aggregation.MAX):
        function = "least" if windows.outer is Aggregation.MIN else "greatest"
        clipped = f"CASE WHEN buckets < {zeros} THEN {function}({quantity.sql}, CAST(0 AS HUGEINT)) ELSE {quantity.sql} END"
        quantity = Num(clipped, quantity.den, quantity.low, quantity.high, "HUGEINT")
    return _measured(stage, query, quantity, (("buckets", _count("buckets")),), (0,))


def _bucket_percentile(job: Job, stage: Stage, layers: Layers, filled: Num, counts: str, zeros: int | None) -> Measured:
    """The nearest-rank percentile of bucket quantities; empty buckets stand among them as zeros without being made."""
    percentile, keys = job.meter.percentile, stage.typed.key_list()
    assert percentile is not None
    over = f"OVER (PARTITION BY {keys}, cell)"
    layers.columns(
        {
            "used": f"count(each) {over}",
            "below": f"count(*) FILTER (WHERE each < 0) {over}",
            "place": f"row_number() OVER (PARTITION BY {keys}, cell ORDER BY each NULLS LAST)",
        }
    )
    layers.columns({"size": "used" if zeros is None else f"CAST({zeros} AS BIGINT)"})
    layers.one("wanted", _rank(percentile, "size"))
    blank = sub(_count("size"), _count("used"))
    layers.columns({"pick": f"CASE WHEN wanted <= below THEN wanted WHEN wanted <= below + {blank.sql} THEN NULL ELSE wanted - {blank.sql} END"})
    query = (
        f"SELECT {keys}, cell, {counts}, max(each) FILTER (WHERE place = pick) AS qa, max(wanted) AS wanted, max(size) AS size "
        f"FROM ({layers.sql}) GROUP BY {keys}, cell"
    )
    quantity = _or_zero(Num("CAST(qa AS HUGEINT)", filled.den, filled.low, filled.high, "HUGEINT"))
    size = zeros or 0
    details = (("buckets", _count("buckets")), ("rank", _rank_column()), ("of", _count("size")))
    return _measured(stage, query, quantity, details, (0, nearest_rank(percentile, size), size))
