"""How fast the column kernel rates, against what bare DuckDB takes for the same columns.

**Rating**: 20 million generated, already deduplicated events in a Parquet file, 100,000 charges, DECIMAL(18,6) values: metered by sum,
priced by four graduated tiers, a line with its trace for every charge, as Arrow; against `SELECT charge, sum(value) … GROUP BY charge`.
**Fees**: 1.5 % + 20 of every event, rounded half away from zero each, summed by charge, with the trace; against the same expression
written by hand on the DECIMAL column.

Both sides read the same file in turn, each in a process of its own kind: the same number of threads and the same memory limit. Values
are medians over the rounds of the ratio within a round. Memory is the peak of a process that only rates.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb

from farthing.core.base.rounding import RoundingMode
from farthing.core.base.time import Interval
from farthing.core.rating.program import Cell, Component, Curve, Fees, Program, Segment
from farthing.core.usage.meter import Aggregation, Meter
from farthing.kernel import Engine, Job, rate

MILLION = 1_000_000
CHARGES = 100_000
MEMORY = "2GB"
JANUARY = Interval(1_735_689_600_000_000, 1_738_368_000_000_000)
TIERS = Curve(
    "graduated",
    (
        Segment(Fraction(1_000), Fraction(3, 10)),
        Segment(Fraction(10_000), Fraction(1, 4), Fraction(100)),
        Segment(Fraction(50_000), Fraction(1, 5)),
        Segment(None, Fraction(1, 8)),
    ),
)
RATING = Job(Program("usd", (Cell("", curve=TIERS),)), Meter("usage", "usage", Aggregation.SUM), JANUARY)
FEE = Fees((Component("percent", of="value", rate=Fraction(15, 1000), fixed=Fraction(20)),), rounding=RoundingMode.HALF_AWAY)
FEES = Job(Program("usd", (Cell("", fees=FEE),)), Meter("payments", "payment", Aggregation.COUNT), JANUARY)
BARE_SUM = "SELECT charge, sum(value) FROM read_parquet(?) GROUP BY charge"
BARE_FEES = "SELECT charge, sum(round(value * 0.015 + 20, 0)) FROM read_parquet(?) GROUP BY charge"


def run(quick: bool) -> dict[str, dict[str, Any]]:
    """Both ratios, growth from half to all of the events, and peak memory."""
    rows, rounds = (20 * MILLION, 5) if quick else (20 * MILLION, 7)
    with tempfile.TemporaryDirectory() as folder:
        whole, half = Path(folder) / "whole.parquet", Path(folder) / "half.parquet"
        generate(whole, rows)
        generate(half, rows // 2)
        rating = _paired(lambda: _kernel(RATING, whole), lambda: _bare(BARE_SUM, whole), rounds)
        fees = _paired(lambda: _kernel(FEES, whole), lambda: _bare(BARE_FEES, whole), rounds)
        growth = _paired(lambda: _kernel(RATING, half), lambda: _kernel(RATING, whole), rounds)
        memory = peak_memory(whole)
    size = {"events": rows, "charges": CHARGES, "rounds": rounds}
    return {
        "rating_vs_bare_sum": {**_ratio(rating), "goal": 0.5, "better": "higher", "details": {**size, **_seconds(rating)}},
        "fees_vs_bare_expression": {**_ratio(fees), "goal": 0.7, "better": "higher", "details": {**size, **_seconds(fees)}},
        "rating_growth_at_twice_the_events": {**_ratio(growth), "goal": 2.2, "better": "lower", "details": size},
        "rating_peak_memory": {"value": memory, "unit": "GiB", "goal": 4.0, "better": "lower", "details": size},
    }


def generate(path: Path, rows: int) -> None:
    """Events of January 2025 by hash, the same every time: charge, position, at, value with six decimals from 0 to 10,000."""
    with duckdb.connect(config={"memory_limit": MEMORY}) as database:
        database.execute("SET enable_progress_bar = false")
        database.execute(
            f"""COPY (SELECT (hash(i) % {CHARGES})::BIGINT AS charge, i + 1 AS position,
                             {JANUARY.start} + (hash(i + {rows}) % {JANUARY.end - JANUARY.start})::BIGINT AS at,
                             ((hash(i * 7 + 3) % 10000000000)::DECIMAL(12,0) * 0.000001)::DECIMAL(18,6) AS value
                      FROM range({rows}) AS t(i)) TO '{path}' (FORMAT parquet)"""
        )


def _kernel(job: Job, path: Path) -> None:
    with Engine(MEMORY) as engine:
        result = rate(path, job, engine=engine)
        assert (result.ran, sum(batch.num_rows for batch in result.batches())) == ("kernel", CHARGES)


def _bare(sql: str, path: Path) -> None:
    with duckdb.connect(config={"memory_limit": MEMORY, "preserve_insertion_order": False}) as database:
        assert database.sql(sql, params=[str(path)]).to_arrow_table().num_rows == CHARGES


def _paired(ours: Callable[[], None], other: Callable[[], None], rounds: int) -> list[tuple[float, float]]:
    """Seconds of both, in turn, the first round thrown away; which of them begins changes every round."""
    taken: list[tuple[float, float]] = []
    for number in range(rounds + 1):
        if number % 2:
            second, first = _timed(other), _timed(ours)
        else:
            first, second = _timed(ours), _timed(other)
        taken.append((first, second))
    return taken[1:]


def _timed(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _ratio(pairs: list[tuple[float, float]]) -> dict[str, Any]:
    return {"value": round(statistics.median(other / ours for ours, other in pairs), 3), "unit": "ratio"}


def _seconds(pairs: list[tuple[float, float]]) -> dict[str, Any]:
    return {
        "kernel_seconds": round(statistics.median(ours for ours, _ in pairs), 3),
        "bare_seconds": round(statistics.median(other for _, other in pairs), 3),
    }


def peak_memory(path: Path) -> float:
    """GiB that a process needs at most to rate the file, lines decoded as Arrow."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.kernel_bench", str(path)], capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["peak_gib"])


def _measure_memory(path: Path) -> None:
    import resource

    _kernel(RATING, path)
    print(json.dumps({"peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)}))


if __name__ == "__main__":
    _measure_memory(Path(sys.argv[1]))
