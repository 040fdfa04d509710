"""The kernel and core agree on random programs, meters and events: lines, traces and refusals, value for value."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farthing.core.base.exact import show
from farthing.core.base.time import Interval
from farthing.core.events.event import Event
from farthing.core.rating.program import Program
from farthing.core.usage.meter import Meter
from farthing.core.usage.select import by_group
from farthing.kernel import Engine, Job, KernelResult, OutsideDomain, rate
from farthing.testing import strategies as make
from farthing.testing.columns import core_rated, events_table

TOGETHER = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture], deadline=None)


Case = tuple[Program, Meter, Interval, dict[Any, list[Event]]]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(threads=1) as opened:
        yield opened


@st.composite
def cases(draw: st.DrawFn, number: st.SearchStrategy[str] | None = None) -> Case:
    interval = draw(make.intervals())
    return draw(make.programs()), draw(make.meters()), interval, draw(make.charges(interval, number))


def run(
    engine: Engine, program: Program, meter: Meter, interval: Interval, charges: dict[Any, list[Event]], numbers: pa.DataType | None = None
) -> KernelResult:
    keys: list[Hashable] = [
        (charge, *(value for _, value in group)) if group else charge
        for charge, events in charges.items()
        for group in (by_group(meter, events) or ({} if meter.group_by else {(): []}))
    ]
    types = dict.fromkeys(make.NUMBERS, numbers) if numbers is not None else {}
    return rate(events_table(charges, make.PROPERTIES, types), Job(program, meter, interval), engine=engine, charges=keys)


def assert_same(result: KernelResult, program: Program, meter: Meter, interval: Interval, charges: dict[Any, list[Event]]) -> None:
    rated, refused = core_rated(program, meter, charges, interval)
    assert result.ran == "kernel"
    assert result.rows_read == sum(len(events) for events in charges.values())
    left = set(result.outside)
    assert result.rated() == {key: lines for key, lines in rated.items() if key not in left}
    assert {key: refusal.document() for key, refusal in result.refused.items()} == {
        key: refusal.document() for key, refusal in refused.items() if key not in left
    }


@TOGETHER
@given(cases())
def test_kernel_equals_core(engine: Engine, case: Case) -> None:
    result = run(engine, *case)
    try:
        assert not result.outside
        assert_same(result, *case)
    finally:
        result.close()


@TOGETHER
@given(cases(make.values(make.EXTREME, exponents=True)))
def test_kernel_equals_core_at_the_limits_or_says_that_it_is_outside(
    engine: Engine, case: tuple[Program, Meter, Interval, dict[Any, list[Event]]]
) -> None:
    try:
        result = run(engine, *case)
    except OutsideDomain as outside:
        assert "127 bits" in outside.reason
        return
    try:
        assert_same(result, *case)
    finally:
        result.close()


EXACT = make.decimals(make.MODEST).map(show)
TYPES = (pa.decimal128(18, 4), pa.decimal128(30, 10), pa.decimal128(12, 4))


@TOGETHER
@given(cases(EXACT), st.sampled_from(TYPES))
def test_kernel_equals_core_over_decimal_columns(engine: Engine, case: Case, numbers: pa.DataType) -> None:
    result = run(engine, *case, numbers)
    try:
        assert not result.outside
        assert_same(result, *case)
    finally:
        result.close()
