"""The kernel and core agree on random programs, meters and events: lines, traces and refusals, value for value."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farthing.core.base.time import Interval
from farthing.core.events.event import Event
from farthing.core.rating.program import Program
from farthing.core.usage.meter import Meter
from farthing.core.usage.select import by_group
from farthing.kernel import Engine, Job, KernelResult, OutsideDomain, rate
from farthing.testing import strategies as make
from farthing.testing.columns import core_rated, events_table

TOGETHER = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(threads=1) as opened:
        yield opened


@st.composite
def cases(draw: st.DrawFn, number: st.SearchStrategy[str] | None = None) -> tuple[Program, Meter, Interval, dict[Any, list[Event]]]:
    interval = draw(make.intervals())
    return draw(make.programs()), draw(make.meters()), interval, draw(make.charges(interval, number))


def run(engine: Engine, program: Program, meter: Meter, interval: Interval, charges: dict[Any, list[Event]]) -> KernelResult:
    keys: list[Hashable] = [
        (charge, *(value for _, value in group)) if group else charge
        for charge, events in charges.items()
        for group in (by_group(meter, events) or ({} if meter.group_by else {(): []}))
    ]
    return rate(events_table(charges, make.PROPERTIES), Job(program, meter, interval), engine=engine, charges=keys)


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
def test_kernel_equals_core(engine: Engine, case: tuple[Program, Meter, Interval, dict[Any, list[Event]]]) -> None:
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
