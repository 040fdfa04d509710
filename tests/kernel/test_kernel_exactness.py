"""The parts that exactness rests on, each against core's own rule: rounding, text numbers, comparisons, local hours, buckets."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import get_args

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.exact import show
from farthing.core.base.rounding import RoundingMode, round_to_whole
from farthing.core.base.time import Interval
from farthing.core.events.condition import NumberOperator, NumberTest, number_property
from farthing.core.rating.interpret import in_bands
from farthing.core.rating.program import Bands, Cell, Curve, Program, Segment
from farthing.core.usage.meter import Aggregation, Meter, Windows
from farthing.core.usage.windows import bucket_bounds
from farthing.kernel import Engine, Job, rate
from farthing.kernel.columns import holds, integer, number_column
from farthing.kernel.hours import band_spans, make_slots
from farthing.kernel.numbers import Num, add, choose, compare, const, greatest, least, product, rounded, sub, times
from farthing.testing import strategies as make

WIDE = st.one_of(st.integers(-40, 40), st.integers(-(2**62), 2**62), st.integers(-(2**120), 2**120))
DENS = st.one_of(st.integers(1, 12), st.integers(1, 10**9))
UNIT = Program("usd", (Cell("", curve=Curve("graduated", (Segment(None, Fraction(1)),), linear_below_zero=True)),))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(threads=1) as opened:
        yield opened


def evaluate(engine: Engine, num: Num, **values: int) -> Fraction | None:
    columns = ", ".join(f"CAST({value} AS HUGEINT) AS {name}" for name, value in values.items())
    row = engine.rows(f"SELECT {num.sql}, typeof({num.sql}) FROM (SELECT {columns})")[0]
    assert row[1] == num.width
    return None if row[0] is None else Fraction(row[0], num.den)


def num(name: str, den: int, value: int) -> Num:
    return Num(name, den, min(value, 0), max(value, 0), "HUGEINT")


@given(WIDE, DENS, st.sampled_from(RoundingMode))
def test_rounding_is_that_of_core(engine: Engine, value: int, den: int, mode: RoundingMode) -> None:
    assert evaluate(engine, rounded(num("x", den, value), mode), x=value) == round_to_whole(Fraction(value, den), mode)


@pytest.mark.parametrize("mode", RoundingMode)
@pytest.mark.parametrize("den", [1, 2, 3, 4, 5, 10])
def test_rounding_near_halves(engine: Engine, den: int, mode: RoundingMode) -> None:
    for value in range(-3 * den, 3 * den + 1):
        assert evaluate(engine, rounded(num("x", den, value), mode), x=value) == round_to_whole(Fraction(value, den), mode)
        narrow = rounded(Num("CAST(x AS BIGINT)", den, -30, 30, "BIGINT"), mode)
        assert evaluate(engine, narrow, x=value) == round_to_whole(Fraction(value, den), mode)


@given(
    st.integers(-(10**15), 10**15), DENS, st.integers(-(10**15), 10**15), DENS, st.fractions(max_denominator=1000).filter(lambda f: abs(f) < 10**6)
)
def test_arithmetic_is_exact(engine: Engine, x: int, xd: int, y: int, yd: int, factor: Fraction) -> None:
    a, b, fa, fb = num("x", xd, x), num("y", yd, y), Fraction(x, xd), Fraction(y, yd)
    for made, wanted in (
        (add(a, b, const(factor)), fa + fb + factor),
        (sub(a, b), fa - fb),
        (times(a, factor), fa * factor),
        (product(a, b), fa * fb),
        (least(a, b), min(fa, fb)),
        (greatest(a, const(factor)), max(fa, factor)),
        (choose(compare(a, "<", b), a, b), min(fa, fb)),
    ):
        assert evaluate(engine, made, x=x, y=y) == wanted


def test_null_stays_null_through_bounds(engine: Engine) -> None:
    absent = choose("x > 100", Num("x", 1, 0, 5, "HUGEINT"))
    for made in (least(absent, const(-1)), greatest(absent, const(9)), rounded(times(absent, Fraction(1, 1000)), RoundingMode.HALF_AWAY)):
        assert evaluate(engine, made, x=3) is None


NUMERIC = st.one_of(
    st.text("0123456789+-.eE_ ٣", max_size=12),
    st.from_regex(r"[+-]?0{0,3}[0-9]{0,22}(\.[0-9]{0,20}0{0,3})?([eE][+-]?[0-9]{1,4})?", fullmatch=True),
    st.sampled_from(
        (*make.UNREADABLE, *make.ODD_PLAIN, "9" * 20 + "." + "9" * 18, "9" * 21, "0." + "0" * 17 + "1", "1" * 201, "0" * 199 + "1", "0" * 200 + "1")
    ),
)


@given(st.lists(NUMERIC, min_size=1, max_size=20))
def test_text_is_read_as_core_reads_it(engine: Engine, texts: list[str]) -> None:
    table = pa.table({"charge": range(len(texts)), "position": range(1, len(texts) + 1), "at": [5] * len(texts), "value": texts})
    result = rate(table, Job(UNIT, Meter("m", "used", Aggregation.MAX), Interval(0, 10)), engine=engine)
    lines = result.rated()
    for charge, text in enumerate(texts):
        number = number_property({"value": text}, "value")
        if charge in result.outside:
            assert "e" in text.lower()
        elif number is not None and abs(number) * 2 >= 2 * 10**18 - 1:
            assert result.refused[charge].code == "amount_too_large"
        else:
            usage = lines[charge][0].cells[0].usage
            assert (usage.events, usage.set_aside, usage.quantity) == ((0, 1, 0) if number is None else (1, 0, number))
    result.close()


COLUMNS = (
    "DECIMAL(18,6)",
    "DECIMAL(9,2)",
    "DECIMAL(38,18)",
    "DECIMAL(20,0)",
    "DECIMAL(20,3)",
    "DECIMAL(4,4)",
    "BIGINT",
    "UBIGINT",
    "INTEGER",
    "UTINYINT",
)


@pytest.mark.parametrize("kind", COLUMNS)
@given(data=st.data())
def test_typed_columns_become_integers_and_compare_exactly(engine: Engine, kind: str, data: st.DataObject) -> None:
    column = number_column("c", kind)
    assert column is not None
    value = data.draw(
        st.one_of(st.integers(column.low, column.high), st.sampled_from((column.low, column.high)), st.integers(max(column.low, -9), 9))
    )
    exact = Fraction(value, 10**column.scale)
    bound = data.draw(st.one_of(st.just(exact), st.fractions(max_denominator=10**6), st.just(exact + Fraction(1, 10**20)), st.just(Fraction(10**40))))
    operator: NumberOperator = data.draw(st.sampled_from(get_args(NumberOperator)))
    relation = f"(SELECT CAST('{show(exact)}' AS {kind}) AS c)"
    made = integer(column)
    assert engine.rows(f"SELECT {made.sql}, typeof({made.sql}) FROM {relation}") == [(value, made.width)]
    wanted = NumberTest("c", operator, bound).holds({"c": show(exact)})
    assert engine.rows(f"SELECT {holds(column, operator, bound)} FROM {relation}") == [(wanted,)]
    assert engine.rows(f"SELECT {holds(column, operator, bound)} FROM (SELECT CAST(NULL AS {kind}) AS c)") == [(False,)]


@given(make.bands(), make.intervals(), st.data())
def test_band_spans_are_the_hours_of_core(bands: Bands, interval: Interval, data: st.DataObject) -> None:
    spans = band_spans(bands, interval)
    assert all(start < end for start, end in spans)
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    edges = [edge + step for span in spans for edge in span for step in (-1, 0)]
    drawn = data.draw(st.lists(make.instants(interval), max_size=20))
    for at in (at for at in [*edges, *drawn] if at in interval):
        assert any(start <= at < end for start, end in spans) == in_bands(bands, at)


@given(make.windows(), st.lists(make.bands(), max_size=2), make.intervals(), st.data())
def test_slots_find_bands_and_buckets(windows: Windows, bands: list[Bands], interval: Interval, data: st.DataObject) -> None:
    cells = tuple(Cell("", curve=UNIT.cells[0].curve, during=band) for band in bands) or UNIT.cells
    meter = Meter("m", "used", Aggregation.WINDOWED, windows=windows)
    slots = make_slots(Job(Program("usd", cells), meter, interval), interval.start)
    rows = slots.table.to_pydict()
    bounds = bucket_bounds(windows, interval)
    for at in data.draw(st.lists(make.instants(interval).filter(lambda at: at in interval), max_size=20)):
        slot = (at - slots.base) // slots.step
        assert rows["slot"][slot] == slot
        assert at in bounds[rows["bucket"][slot]]
        for index, band in enumerate(slots.bands):
            assert rows[f"b{index}"][slot] == in_bands(band, at)


def test_a_span_that_begins_inside_a_band() -> None:
    hour = make.HOUR
    cell = Cell("", curve=UNIT.cells[0].curve, during=Bands("UTC", tuple((day, 60, 120) for day in range(7))))
    begins = 3 * hour // 2 + 1
    slots = make_slots(Job(Program("usd", (cell,)), Meter("m", "used", Aggregation.SUM), Interval(begins, 50 * hour)), begins)
    flags = slots.table["b0"].to_pylist()
    for at in (begins, 2 * hour - 1, 2 * hour, 25 * hour - 1, 25 * hour, 26 * hour, 49 * hour, 50 * hour - 1):
        assert flags[(at - slots.base) // slots.step] == in_bands(slots.bands[0], at)


@pytest.mark.parametrize("value", ["1000000000000001.000000000000000001", "99999999999999999999.999999999999999999"])
def test_bounds_of_text_numbers_keep_every_digit(engine: Engine, value: str) -> None:
    """A bound that is less than the number lets a comparison be decided at planning: here, whether all of it is in the first tier."""
    upper = Fraction(value) - Fraction(1, 10**18)
    program = Program("usd", (Cell("", curve=Curve("graduated", (Segment(upper, Fraction(0)), Segment(None, Fraction(10**18))))),))
    events = pa.table({"charge": [1], "position": [1], "at": [0], "v": [value]})
    meter = Meter("m", "e", Aggregation.MAX, value_key="v")
    ((line,),) = rate(events, Job(program, meter, Interval(0, 1)), engine=engine).rated().values()
    first, second = line.cells[0].segments
    assert (first.units, second.units, line.amount) == (upper, Fraction(1, 10**18), 1)


def test_sums_keep_every_digit(engine: Engine) -> None:
    values = [Decimal("0.000001"), Decimal("999999999999.999999"), Decimal("-0.000003"), Decimal("123456.789012")]
    table = pa.table(
        {"charge": [1] * 4, "position": range(1, 5), "at": [5] * 4, "value": pa.array(values, pa.decimal128(18, 6))},
    )
    line = rate(table, Job(UNIT, Meter("m", "used", Aggregation.SUM), Interval(0, 10)), engine=engine).rated()[1][0]
    assert line.quantity == list(accumulate(Fraction(value) for value in values))[-1]
