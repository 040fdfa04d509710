"""A promise is held only by a test that is there, runs and can fail, or by a measurement that reached its goal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.promises import problems

GOOD = "tests/a/test_good.py::test_it"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "test_good.py": "def test_it():\n    assert f()\n\nclass TestBoth:\n    def test_inner(self):\n        assert f()\n",
        "test_bad.py": (
            "import pytest\n\ndef test_empty():\n    f()\n\ndef test_true():\n    assert True\n\n"
            "@pytest.mark.skip(reason='later')\ndef test_skipped():\n    assert f()\n\n"
            "@pytest.mark.xfail\ndef test_expected():\n    assert f()\n\n"
            "def test_gives_up():\n    pytest.skip('later')\n    assert f()\n\n"
            "@pytest.mark.skip\nclass TestSkipped:\n    def test_inner(self):\n        assert f()\n\n"
            "@pytest.mark.skipif(not there, reason='elsewhere')\ndef test_elsewhere():\n    assert f()\n"
        ),
        "test_marked.py": "import pytest\npytestmark = [pytest.mark.skip]\n\ndef test_it():\n    assert f()\n",
    }
    (tmp_path / "tests" / "a").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / "tests" / "a" / name).write_text(text)
    results: dict[str, Any] = {
        "fast": {"value": 0.7, "goal": 0.6, "better": "higher"},
        "slow": {"value": 0.5, "goal": 0.6, "better": "higher"},
        "small": {"value": 2, "goal": 4, "better": "lower"},
        "big": {"value": 5, "goal": 4, "better": "lower"},
    }
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "benchmarks.json").write_text(json.dumps({"results": results}))
    return tmp_path


def promise(*holders: str) -> dict[str, Any]:
    return {"promise": [{"id": "one", "text": "It works.", "held_by": list(holders)}]}


@pytest.mark.parametrize(
    "holder", [GOOD, "tests/a/test_good.py::TestBoth::test_inner", "tests/a/test_bad.py::test_elsewhere", "benchmark:fast", "benchmark:small"]
)
def test_what_holds(holder: str, root: Path) -> None:
    assert problems(promise(holder), root) == []


@pytest.mark.parametrize(
    ("holder", "why"),
    [
        ("tests/a/test_none.py::test_it", "is no test file"),
        ("tests/a/test_good.py", "is no test file"),
        ("src/farthing/core/flow.py::test_it", "is no test file"),
        ("tests/a/test_good.py::test_other", "does not exist"),
        ("tests/a/test_good.py::test_inner", "does not exist"),
        ("tests/a/test_good.py::TestOther::test_inner", "does not exist"),
        ("tests/a/test_bad.py::test_empty", "asserts nothing"),
        ("tests/a/test_bad.py::test_true", "asserts nothing"),
        ("tests/a/test_bad.py::test_skipped", "is skipped"),
        ("tests/a/test_bad.py::test_expected", "is skipped or expected to fail"),
        ("tests/a/test_bad.py::test_gives_up", "is skipped"),
        ("tests/a/test_bad.py::TestSkipped::test_inner", "class that is skipped"),
        ("tests/a/test_marked.py::test_it", "file that is skipped"),
        ("benchmark:none", "is not in docs/benchmarks.json"),
        ("benchmark:slow", "is 0.5, and its goal is 0.6"),
        ("benchmark:big", "is 5, and its goal is 4"),
    ],
)
def test_what_does_not_hold(holder: str, why: str, root: Path) -> None:
    (found,) = problems(promise(GOOD, holder), root)
    assert found.startswith(f"one: {holder} ")
    assert why in found


def test_a_promise_held_by_nothing_must_be_listed_as_open(root: Path) -> None:
    assert problems(promise(), root) == ["one: held by nothing, and not listed as open"]
    assert problems({**promise(), "open": {"one": "waits for the store"}}, root) == []
    assert problems({**promise(), "open": {"one": " "}}, root) == ["[open] gives no reason for one"]
    assert problems({**promise(GOOD), "open": {"two": "why"}}, root) == ["[open] names two, which is no promise"]


def test_an_open_promise_still_may_not_name_what_is_not_there(root: Path) -> None:
    assert len(problems({**promise("tests/a/test_none.py::test_it"), "open": {"one": "why"}}, root)) == 1


def test_promises_have_ids_of_their_own_and_a_text(root: Path) -> None:
    twice = {"promise": promise(GOOD)["promise"] * 2}
    assert len(problems(twice, root)) == 1
    assert len(problems({"promise": [{"id": "one", "text": " ", "held_by": [GOOD]}]}, root)) == 1


def test_without_measurements_a_benchmark_holds_nothing(root: Path) -> None:
    (root / "docs" / "benchmarks.json").unlink()
    assert problems(promise("benchmark:fast"), root) == ["one: benchmark:fast is not in docs/benchmarks.json"]
