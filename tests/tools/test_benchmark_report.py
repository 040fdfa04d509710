"""The benchmarks' report: goals are compared the right way round, and nothing about the machine but its parts is written."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

import pytest

from benchmarks import report
from benchmarks.__main__ import SUITES, summary

MACHINE = {"cpu": "A CPU", "cores": 2, "memory_gib": 8.0, "system": "Debian", "versions": {"python": "3.11"}}
HIGHER = {"value": 0.62, "goal": 0.6, "better": "higher", "what": "Speed over bare speed.", "details": {"rows": 1_000_000, "runs": [0.5, 0.62]}}
LOWER = {"value": 5, "goal": 4, "better": "lower", "unit": "GiB"}


@pytest.mark.parametrize(
    ("value", "goal", "better", "is_reached"),
    [
        (1, 1, "higher", True),
        (2, 1, "higher", True),
        (0.9, 1, "higher", False),
        (1, 1, "lower", True),
        (0.9, 1, "lower", True),
        (2, 1, "lower", False),
    ],
)
def test_a_goal_is_reached_at_its_value_and_on_its_better_side(value: float, goal: float, better: str, is_reached: bool) -> None:
    assert report.reached({"value": value, "goal": goal, "better": better}) is is_reached


@pytest.mark.parametrize(
    "result",
    [
        {"value": "1", "goal": 1, "better": "higher"},
        {"value": True, "goal": 1, "better": "higher"},
        {"value": 1, "better": "higher"},
        {"value": 1, "goal": 1, "better": "more"},
        {"value": 1, "goal": 1, "better": "lower", "note": "x"},
    ],
)
def test_a_result_that_cannot_be_compared_is_an_error(result: dict[str, Any]) -> None:
    with pytest.raises(report.ReportError):
        report.checked({"a": result})


def test_both_documents_hold_every_result() -> None:
    content = report.document({"speed": HIGHER, "memory": LOWER}, "quick", MACHINE)
    assert json.loads(report.as_json(content))["results"]["speed"] == HIGHER
    page = report.as_markdown(content)
    assert "| `speed` | 0.620 | at least 0.600 | yes |" in page
    assert "| `memory` | 5 GiB | at most 4 GiB | **no** |" in page
    assert "- rows: 1,000,000" in page
    assert "- runs: 0.500, 0.620" in page


def test_a_missed_goal_fails_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert summary({"speed": HIGHER}, 1) == 0
    assert summary({"speed": HIGHER, "memory": LOWER}, 1) == 1
    assert "MISSED memory 5 (goal ≤ 4)" in capsys.readouterr().out


def test_the_machine_is_named_by_its_parts_only() -> None:
    facts = report.machine()
    assert set(facts) == {"cpu", "cores", "memory_gib", "system", "versions"}
    assert facts["cores"] >= 1
    values = [facts["cpu"], facts["system"], *facts["versions"].values()]
    assert platform.node() not in values
    assert not [value for value in values if value.startswith(os.sep)]


def test_every_suite_is_there() -> None:
    folder = Path(report.__file__).parent
    assert [suite for suite in SUITES if not (folder / f"{suite}.py").is_file()] == []
