"""Every worked example and rule of every pricing model, and any usage of their prices, through the kernel: the same lines as core's.

Models are told apart nowhere: those of the registry are taken, with their examples and the rows of tests/pricing_examples.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.app import rate as calculator
from farthing.core.base.exact import show
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Interval
from farthing.core.events.condition import TextTest
from farthing.core.events.event import Event
from farthing.core.events.exact_json import decode_json
from farthing.core.rating.compile import compile_price
from farthing.core.rating.interpret import rate_events, rate_quantity
from farthing.core.rating.models import MODELS
from farthing.core.rating.modifiers import MODIFIERS
from farthing.core.rating.program import Program
from farthing.core.rating.trace import Rated
from farthing.core.usage.meter import Aggregation, Meter
from farthing.kernel import Engine, Job, rate
from farthing.testing import strategies as make
from farthing.testing.builders import YEAR
from farthing.testing.columns import core_rated, events_table

FOLDER = Path(__file__).parents[1] / "pricing_examples"
SUM = Meter("m", "used", Aggregation.SUM)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(threads=1) as opened:
        yield opened


def rows(model: str) -> list[str]:
    """Lines for the calculator: the rows of a model (or of the modifiers), and its worked examples."""
    kinds = [MODELS[model]] if model in MODELS else MODIFIERS.values()
    lines = (FOLDER / f"{model}.ndjson").read_text("utf-8").splitlines()
    examples = [json.dumps({"id": 1, "price": example.price, **example.usage}) for kind in kinds for example in kind.schema.examples]
    return [line[: line.rindex(', "error"' if "error" in json.loads(line) else ', "amount":')] + "}" for line in lines] + examples


def rated_of(line: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Program, tuple[Event, ...]]]:
    """The programs and events that the price calculator rates for a row (none where it refuses the row before)."""
    seen: list[tuple[Program, tuple[Event, ...]]] = []

    def of_events(program: Program, meter: Meter, events: Sequence[Event], interval: Interval) -> tuple[Rated, ...]:
        seen.append((program, tuple(events)))
        return rate_events(program, meter, events, interval)

    def of_quantity(program: Program, quantity: Any) -> Rated:
        if not program.needs_events:
            seen.append((program, (Event("q", "used", "c", 0, {"value": show(quantity)}, 1),)))
        return real(program, quantity)

    real = rate_quantity
    monkeypatch.setattr(calculator, "rate_events", of_events)
    monkeypatch.setattr(calculator, "rate_quantity", of_quantity)
    calculator.rate_line(line.replace('"rule": ', '"id": ', 1))
    return seen


def same(engine: Engine, program: Program, events: Sequence[Event]) -> bool:
    """Whether it was rated, not refused; after comparing."""
    times = [event.at for event in events] or [0]
    interval = Interval(min(times), max(times) + 1)
    job = Job(program, SUM, interval)
    placed = [Event(e.identifier, "used", e.customer, e.at, e.properties, n) for n, e in enumerate(events, start=1)]
    names = dict.fromkeys((*job.numbers(), *job.texts(), *job.presences()))
    table = events_table({1: placed}, tuple(names)).rename_columns(["charge", "position", "at", *(f"p{n}" for n in range(len(names)))])
    result = rate(table, job, engine=engine, properties={name: f"p{n}" for n, name in enumerate(names)}, charges=[1])
    rated, refused = core_rated(program, SUM, {1: placed}, interval)
    assert (result.ran, result.outside, result.rows_read) == ("kernel", {}, len(events))
    assert result.rated() == rated
    assert {key: refusal.document() for key, refusal in result.refused.items()} == {key: refusal.document() for key, refusal in refused.items()}
    result.close()
    return not refused


FAMILIES = sorted((*MODELS, "modifiers"))


@pytest.mark.parametrize("model", FAMILIES)
def test_rules_of_each_model(engine: Engine, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = rows(model)
    rated = sum(same(engine, program, events) for line in lines for program, events in rated_of(line, monkeypatch))
    assert rated >= len(lines) // 2 > 0


@lru_cache
def programs(model: str) -> list[Program]:
    """What the prices of its rows and examples compile to, but for those that are refused."""
    found: dict[Program, None] = {}
    for line in rows(model):
        with suppress(Refusal):
            found[compile_price(decode_json(line)["price"]).program] = None
    return list(found)


@st.composite
def usages(draw: st.DrawFn, program: Program) -> list[Event]:
    """Events with any of the properties that a program reads; texts are mostly such as its conditions name, numbers often bounds of its tiers."""
    job = Job(program, SUM, Interval(0, 1))
    named = [text for condition in job.conditions() for test in condition.tests if isinstance(test, TextTest) for text in test.values]
    bounds = [show(segment.upper) for cell in program.cells if cell.curve for segment in cell.curve.segments if segment.upper is not None]
    texts, numbers = st.sampled_from([*named, "", "other"]), st.one_of(make.values(), st.sampled_from([*bounds, "0", "0.5", "1"]))
    values = dict.fromkeys((*job.texts(), *job.presences()), texts) | dict.fromkeys(job.numbers(), numbers)
    payloads = st.fixed_dictionaries({"value": numbers}, optional={name: found for name, found in values.items() if name != "value"})
    times = make.instants(Interval(YEAR.start, YEAR.start + 7 * 24 * make.HOUR))
    return [Event("e", "used", "c", at, payload, 1) for at, payload in draw(st.lists(st.tuples(times, payloads), max_size=6))]


@pytest.mark.parametrize("model", FAMILIES)
@settings(max_examples=settings.default.max_examples // 4)
@given(data=st.data())
def test_any_usage_of_the_prices_of_each_model(engine: Engine, model: str, data: st.DataObject) -> None:
    program = data.draw(st.sampled_from(programs(model)))
    same(engine, program, data.draw(usages(program)))
