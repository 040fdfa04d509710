"""What the kernel leaves to core, each by its reason, and what it refuses as a mistake of the caller."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import pyarrow as pa
import pytest

from farthing.core.base.time import Interval
from farthing.core.events.condition import Condition, NumberTest, TextTest
from farthing.core.rating.program import Bands, Cell, Component, Curve, Fees, Program, Segment
from farthing.core.usage.meter import Aggregation, Meter, Windows
from farthing.kernel import Engine, Job, OutsideDomain, domain, rate
from farthing.kernel.numbers import const, literal

SPAN = Interval(0, 1000)
PROGRAM = Program("usd", (Cell("", curve=Curve("graduated", (Segment(None, Fraction(3)),))),))
SUM = Meter("m", "used", Aggregation.SUM)
SCHEMA = pa.schema({"charge": pa.int64(), "position": pa.int64(), "at": pa.int64(), "value": pa.string(), "region": pa.string()})


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(threads=1) as opened:
        yield opened


def priced(unit: Fraction) -> Program:
    return Program("usd", (Cell("", curve=Curve("graduated", (Segment(None, unit),))),))


FREE_BELOW_ZERO = Program("usd", (Cell("", fees=Fees((Component("a", "value", Fraction(1)),), free_of="value", free_amount=Fraction(-1))),))


def with_type(name: str, kind: pa.DataType) -> pa.Schema:
    return SCHEMA.set(SCHEMA.get_field_index(name), pa.field(name, kind))


def filtered(test: TextTest | NumberTest) -> Meter:
    return replace(SUM, filters=Condition((test,)))


STATIC = [
    (PROGRAM, SUM, SCHEMA, None),
    (PROGRAM, SUM, with_type("value", pa.float64()), "the property 'value' stands in a column of DOUBLE"),
    (PROGRAM, SUM, with_type("value", pa.bool_()), "BOOLEAN"),
    (PROGRAM, SUM, with_type("value", pa.decimal128(30, 4)), "beyond 20 whole or 18 decimal digits"),
    (PROGRAM, SUM, with_type("value", pa.decimal128(38, 20)), "beyond 20 whole or 18 decimal digits"),
    (PROGRAM, SUM, with_type("charge", pa.float64()), "the charge column 'charge' is DOUBLE"),
    (PROGRAM, SUM, with_type("at", pa.timestamp("us")), "the column 'at' is TIMESTAMP"),
    (PROGRAM, SUM, SCHEMA.remove(3), "no column holds the property 'value'"),
    (PROGRAM, replace(SUM, value_key="position"), SCHEMA, "no column holds the property 'position'"),
    (PROGRAM, replace(SUM, group_by=("value",)), with_type("value", pa.decimal128(18, 6)), "'value' stands in a column of DECIMAL"),
    (PROGRAM, filtered(TextTest("value", "in", ("1",))), with_type("value", pa.decimal128(18, 6)), "'value' stands in a column of DECIMAL"),
    (PROGRAM, filtered(TextTest("value", "exists")), with_type("value", pa.decimal128(18, 6)), None),
    (PROGRAM, replace(SUM, aggregation=Aggregation.UNIQUE_COUNT), with_type("value", pa.decimal128(18, 6)), None),
    (PROGRAM, filtered(TextTest("region", "in", ("\ud800",))), SCHEMA, "no Unicode"),
    (priced(Fraction(1, 2**128)), SUM, SCHEMA, "more than 127 bits"),
    (priced(Fraction(2**128)), SUM, SCHEMA, "more than 127 bits"),
    (FREE_BELOW_ZERO, SUM, SCHEMA, "free amount below zero"),
]  # fmt: skip


@pytest.mark.parametrize(("program", "meter", "schema", "reason"), STATIC)
def test_static_domain(program: Program, meter: Meter, schema: pa.Schema, reason: str | None) -> None:
    found = domain(Job(program, meter, SPAN), schema)
    assert found == reason if reason is None else found is not None and reason in found


def test_hours_too_fine_for_their_span() -> None:
    bands = Bands("Europe/London", ((0, 60, 120),))
    long = Interval(-4_000_000_000_000_000, 4_000_000_000_000_000)  # from 1843, when the clocks were off by odd seconds
    program = Program("usd", (Cell("", curve=PROGRAM.cells[0].curve, during=bands),))
    assert "share no step of time" in str(domain(Job(program, SUM, long), SCHEMA))
    minutes = replace(SUM, aggregation=Aggregation.WINDOWED, windows=Windows("minute", 1, Aggregation.SUM, Aggregation.SUM))
    assert "share no step of time" in str(domain(Job(PROGRAM, minutes, Interval(0, 4 * 366 * 86_400_000_000)), SCHEMA))


def table(values: list[str], charges: list[int] | None = None) -> pa.Table:
    size = len(values)
    return pa.table({"charge": charges or [1] * size, "position": range(1, size + 1), "at": [10] * size, "value": values})


@pytest.mark.parametrize("kind", [Aggregation.SUM, Aggregation.TIME_WEIGHTED])
def test_sums_beyond_127_bits(engine: Engine, kind: Aggregation) -> None:
    events = table(["9" * 20 + ".000000000000000001"] * 2)
    with pytest.raises(OutsideDomain, match="127 bits"):
        rate(events, Job(PROGRAM, replace(SUM, aggregation=kind), SPAN), engine=engine)


def test_exponents_leave_only_their_charge_to_core(engine: Engine) -> None:
    result = rate(table(["1e3", "5", "7", "1e"], [1, 1, 2, 2]), Job(PROGRAM, SUM, SPAN), engine=engine, charges=[1, 2, 3])
    assert set(result.outside) == {1}
    assert "exponent" in str(result.outside[1])
    assert {key: lines[0].amount for key, lines in result.rated().items()} == {2: 21, 3: 0}
    assert result.rated()[2][0].cells[0].usage.set_aside == 1


def test_an_exponent_decides_a_filter_too(engine: Engine) -> None:
    meter = replace(SUM, aggregation=Aggregation.COUNT, filters=Condition((NumberTest("value", "lt", Fraction(10)),)))
    result = rate(table(["1e3", "5"], [1, 2]), Job(PROGRAM, meter, SPAN), engine=engine)
    assert (set(result.outside), set(result.rated())) == ({1}, {2})


@pytest.mark.parametrize("name", ["charge", "position", "at"])
def test_null_where_none_may_be(engine: Engine, name: str) -> None:
    events = table(["1", "2"])
    events = events.set_column(events.column_names.index(name), name, pa.array([1, None], pa.int64()))
    with pytest.raises(ValueError, match=f"column '{name}' is null in 1 events"):
        rate(events, Job(PROGRAM, SUM, SPAN), engine=engine)
    with pytest.raises(Exception, match=f"column '{name}' is null in 1 events"):
        rate(pa.RecordBatchReader.from_batches(events.schema, events.to_batches()), Job(PROGRAM, SUM, SPAN), engine=engine)


def test_missing_or_double_columns(engine: Engine) -> None:
    with pytest.raises(ValueError, match="need one column 'position'"):
        rate(table(["1"]).drop_columns(["position"]), Job(PROGRAM, SUM, SPAN), engine=engine)
    with pytest.raises(ValueError, match="need one column 'at'"):
        rate(table(["1"]).append_column("at", pa.array([1])), Job(PROGRAM, SUM, SPAN), engine=engine)
    with pytest.raises(ValueError, match="a listed charge has 1 keys"):
        rate(table(["1"]), Job(PROGRAM, SUM, SPAN), engine=engine, charges=[(1, 2)])


def test_a_planned_double_is_caught(engine: Engine) -> None:
    with pytest.raises(AssertionError, match="did not declare"):
        engine.make("x", "SELECT 1 / 3 AS q", {}, {})
    with pytest.raises(AssertionError, match="did not declare"):
        engine.make("x", "SELECT CAST(1 AS DECIMAL(18,2)) AS q", {}, {"q": "DECIMAL(18,6)"})


def test_an_engine_is_left_as_it_was_found(engine: Engine) -> None:
    def left() -> int:
        return int(engine.rows("SELECT count(*) FROM duckdb_tables()")[0][0])

    before = left()
    result = rate(table(["1", "abc", "3"]), Job(PROGRAM, SUM, SPAN), engine=engine, charges=[7])
    result.close()
    with pytest.raises(OutsideDomain):
        rate(table(["9" * 20 + ".000000000000000001"] * 2), Job(PROGRAM, SUM, SPAN), engine=engine)
    assert left() == before


def test_constants_beyond_127_bits() -> None:
    with pytest.raises(OutsideDomain):
        literal(2**127, "HUGEINT")
    assert const(2**127 - 1).width == "HUGEINT"
