"""Where columns come from: tables, streams, files; types and names of any kind; hints that lie; memory that runs out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farthing.core.base.rounding import RoundingMode
from farthing.core.base.time import Interval
from farthing.core.events.condition import Condition, NumberTest, TextTest
from farthing.core.events.event import Event
from farthing.core.rating.program import Bands, Cell, Component, Curve, Fees, Program, Segment
from farthing.core.usage.meter import Aggregation, Meter
from farthing.kernel import Engine, Job, rate
from farthing.kernel import source as sources
from farthing.testing.columns import core_rated, events_table
from farthing.testing.strategies import HOSTILE

SPAN = Interval(0, 1000)
UNIT = Curve("graduated", (Segment(None, Fraction(3)),), linear_below_zero=True)
PROGRAM = Program("usd", (Cell("", curve=UNIT),))
FEES = Program("usd", (Cell("", fees=Fees((Component("a", "value", Fraction(1, 7), Fraction(3)),), rounding=RoundingMode.HALF_AWAY)),))
SUM = Meter("m", "used", Aggregation.SUM)
CHARGES: dict[Any, list[Event]] = {
    charge: [
        Event(f"e{charge}-{n}", "used", "c", 10 * n, {"value": str(7 * n + charge), "region": "eu" if n % 2 else "us"}, 100 * charge + n)
        for n in range(9)
    ]
    for charge in (1, 2, 3)
}
TABLE = events_table(CHARGES, ("value", "region"))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(threads=2) as opened:
        yield opened


def core(program: Program = PROGRAM, meter: Meter = SUM) -> dict[Any, Any]:
    return core_rated(program, meter, CHARGES, SPAN)[0]


@pytest.mark.parametrize("program", [PROGRAM, FEES])
@pytest.mark.parametrize(
    "kind", [pa.int64(), pa.int16(), pa.uint64(), pa.decimal128(18, 6), pa.decimal128(38, 18), pa.decimal128(5, 2), pa.string(), pa.large_string()]
)
def test_any_exact_type_holds_numbers(engine: Engine, kind: pa.DataType, program: Program) -> None:
    table = events_table(CHARGES, ("value", "region"), {"value": kind})
    assert rate(table, Job(program, SUM, SPAN), engine=engine).rated() == core(program)


def test_dictionary_encoded_text(engine: Engine) -> None:
    table = TABLE.set_column(4, "region", TABLE["region"].dictionary_encode())
    meter = replace(SUM, group_by=("region",))
    assert rate(table, Job(PROGRAM, meter, SPAN), engine=engine).rated() == core(meter=meter)


@pytest.mark.parametrize("program", [PROGRAM, FEES, Program("usd", (Cell("n", curve=UNIT, during=Bands("UTC", ((3, 0, 1),))), *FEES.cells))])
@pytest.mark.parametrize("aggregation", [Aggregation.SUM, Aggregation.TIME_WEIGHTED, Aggregation.LATEST])
def test_a_stream_is_read_once(engine: Engine, program: Program, aggregation: Aggregation) -> None:
    reader = pa.RecordBatchReader.from_batches(TABLE.schema, TABLE.to_batches(max_chunksize=4))
    meter = replace(SUM, aggregation=aggregation)
    result = rate(reader, Job(program, meter, SPAN), engine=engine)
    assert (result.rows_read, result.rated()) == (27, core(program, meter))


def test_files(engine: Engine, tmp_path: Path) -> None:
    paths = [tmp_path / "it's one.parquet", tmp_path / "two.parquet"]
    pq.write_table(TABLE.slice(0, 10), paths[0])
    pq.write_table(TABLE.slice(10), paths[1])
    result = rate(paths, Job(PROGRAM, SUM, SPAN), engine=engine)
    assert (result.rows_read, result.rated()) == (27, core())
    assert rate(str(paths[0]), Job(PROGRAM, SUM, SPAN), engine=engine).rows_read == 10


def test_files_of_unlike_columns_are_refused(engine: Engine, tmp_path: Path) -> None:
    for name, scale in (("a", 6), ("b", 2)):
        pq.write_table(events_table(CHARGES, ("value",), {"value": pa.decimal128(18, scale)}), tmp_path / f"{name}.parquet")
    with pytest.raises(ValueError, match="other columns"):
        rate([tmp_path / "a.parquet", tmp_path / "b.parquet"], Job(PROGRAM, SUM, SPAN), engine=engine)


def test_batches_stream_the_table(engine: Engine) -> None:
    result = rate(TABLE, Job(PROGRAM, SUM, SPAN), engine=engine)
    batches = list(result.batches(1))
    assert sum(batch.num_rows for batch in batches) == result.table.num_rows == 3
    assert not {"double", "float"} & {str(item.type) for item in result.table.schema}


def test_several_charge_columns_and_text_keys(engine: Engine) -> None:
    table = TABLE.append_column("item", pa.array([f"i'{n % 2}" for n in range(27)]))
    found = rate(table, Job(PROGRAM, SUM, SPAN), engine=engine, charge_columns=("charge", "item"), charges=[(9, "none")]).rated()
    assert set(found) == {(charge, item) for charge in (1, 2, 3) for item in ("i'0", "i'1")} | {(9, "none")}
    assert sum(lines[0].exact for lines in found.values()) == sum(lines[0].exact for lines in core().values())


@pytest.mark.parametrize(
    "name", ["value", 'x"; DROP TABLE y; --', "it's", "a\x00b", "Ünïcode ☃", "at", "charge", "Position", "$p0 ", "", "{0}", "c3"]
)
def test_property_names_of_any_kind(engine: Engine, name: str) -> None:
    table = TABLE.rename_columns(["charge", "position", "at", "the number", "region"])
    result = rate(table, Job(PROGRAM, replace(SUM, value_key=name), SPAN), engine=engine, properties={name: "the number"})
    assert result.rated() == core()


def test_names_that_differ_only_in_case(engine: Engine, tmp_path: Path) -> None:
    table = TABLE.append_column("VALUE", pa.array(["1"] * 27)).append_column("AT", pa.array(["x"] * 27))
    pq.write_table(table, tmp_path / "case.parquet")
    for events in (table, tmp_path / "case.parquet"):
        ones = rate(events, Job(PROGRAM, replace(SUM, value_key="VALUE"), SPAN), engine=engine).rated()
        assert {lines[0].quantity for lines in ones.values()} == {9}
        assert rate(events, Job(PROGRAM, SUM, SPAN), engine=engine).rated() == core()


@pytest.mark.parametrize("text", HOSTILE)
def test_values_of_any_kind(engine: Engine, text: str) -> None:
    events = {
        1: [Event("a", "used", "c", 1, {"region": text}, 1), Event("b", "used", "c", 2, {"region": "other"}, 2), Event("c", "used", "c", 3, {}, 3)]
    }
    for operator in ("in", "not_in"):
        meter = Meter("m", "used", Aggregation.COUNT, filters=Condition((TextTest("region", operator, (text,)),)), group_by=("region",))
        assert (
            rate(events_table(events, ("region",)), Job(PROGRAM, meter, SPAN), engine=engine).rated() == core_rated(PROGRAM, meter, events, SPAN)[0]
        )


def test_number_tests_on_text_are_exact(engine: Engine) -> None:
    texts = ("0.1", "0.10000", "0.1000000000000000001", "0.099999999999999999", "abc", "-5", "+0.1")
    events = {n: [Event("e", "used", "c", 1, {"value": text}, 1)] for n, text in enumerate(texts)}
    meter = Meter("m", "used", Aggregation.COUNT, filters=Condition((NumberTest("value", "gte", Fraction(1, 10)),)))
    found = rate(events_table(events, ("value",)), Job(PROGRAM, meter, SPAN), engine=engine).rated()
    assert set(found) == {0, 1, 6}


@pytest.mark.parametrize("program", [PROGRAM, FEES])
def test_statistics_that_lie_cost_a_second_run_and_no_digit(engine: Engine, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    table = events_table(CHARGES, ("value",), {"value": pa.decimal128(18, 6)})
    large = {1: [Event("e", "used", "c", 1, {"value": "999999999999"}, 1)]}
    table = pa.concat_tables([table, events_table(large, ("value",), {"value": pa.decimal128(18, 6)})])
    honest = rate(table, Job(program, SUM, SPAN), engine=engine).rated()
    monkeypatch.setattr(sources, "_column_bounds", lambda column: (0, 1))
    assert rate(table, Job(program, SUM, SPAN), engine=engine).rated() == honest
    assert honest[1][0].cells[0].usage.events == 10


_TIGHT = """
import resource, sys
import duckdb
duckdb.sql("SET enable_progress_bar = false")
from fractions import Fraction
from farthing.core.base.time import Interval
from farthing.core.rating.program import Cell, Curve, Program, Segment
from farthing.core.usage.meter import Aggregation, Meter
from farthing.kernel import Engine, Job, rate
path, spill = sys.argv[1:]
duckdb.sql(f"COPY (SELECT i % 600000 AS charge, i AS position, i AS at, CAST(i AS DECIMAL(18,6)) AS value FROM range(3000000) t(i)) TO '{path}'")
program = Program("usd", (Cell("", curve=Curve("graduated", (Segment(None, Fraction(3)),))),))
with Engine("160MB", spill, threads=1) as engine:
    result = rate(path, Job(program, Meter("m", "used", Aggregation.PERCENTILE, percentile=Fraction(95)), Interval(0, 3000000)), engine=engine)
    rows = sum(batch.num_rows for batch in result.batches())
print(rows, result.events_rated, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_more_than_memory_holds_spills_to_disk(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _TIGHT, str(tmp_path / "e.parquet"), str(tmp_path / "spill")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows, rated, mebibytes = map(int, done.stdout.split())
    assert (rows, rated) == (600_000, 3_000_000)
    assert mebibytes < 1024
