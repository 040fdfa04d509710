"""Every worked example and rule of every pricing model, through the kernel: the same lines as core's. Models are told apart nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from farthing.app import rate as calculator
from farthing.core.base.exact import show
from farthing.core.base.time import Interval
from farthing.core.events.event import Event
from farthing.core.rating.interpret import rate_events, rate_quantity
from farthing.core.rating.models import MODELS
from farthing.core.rating.program import Program
from farthing.core.rating.trace import Rated
from farthing.core.usage.meter import Aggregation, Meter
from farthing.kernel import Engine, Job, rate
from farthing.testing.columns import core_rated, events_table

FOLDER = Path(__file__).parents[1] / "pricing_examples"
SUM = Meter("m", "used", Aggregation.SUM)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(threads=1) as opened:
        yield opened


def rows(path: Path) -> list[str]:
    return [line[: line.rindex(', "error"' if "error" in json.loads(line) else ', "amount":')] + "}" for line in path.read_text("utf-8").splitlines()]


def given(line: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Program, tuple[Event, ...]]]:
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


@pytest.mark.parametrize("model", sorted((*MODELS, "modifiers")))
def test_rules_of_each_model(engine: Engine, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = rows(FOLDER / f"{model}.ndjson")
    rated = sum(same(engine, program, events) for line in lines for program, events in given(line, monkeypatch))
    assert rated >= len(lines) // 2 > 0
