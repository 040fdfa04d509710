"""docs/promises.toml: what Farthing promises, each with the tests or benchmarks that hold it.

A promise is held by test functions (`tests/rating/test_tiers.py::test_bounds_are_inclusive`) and measurements (`benchmark:name`, a
result of docs/benchmarks.json). This fails where one is missing, skipped, expected to fail, asserts nothing, or misses its goal, and
where a promise is held by nothing without standing under [open], which is printed.

    python -m tools.promises
"""

from __future__ import annotations

import ast
import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.sources import ROOT
from tools.words import can_fail

Test = ast.FunctionDef | ast.AsyncFunctionDef


def problems(promises: Mapping[str, Any], root: Path) -> list[str]:
    """Everything wrong with a list of promises, one line each."""
    entries, still_open = promises.get("promise", []), promises.get("open", {})
    found, seen = [], set()
    results = _results(root / "docs" / "benchmarks.json")
    for entry in entries:
        name = entry.get("id", "")
        if not name or name in seen or not entry.get("text", "").strip():
            found.append(f"{name or entry}: every promise has an id of its own and a text")
        seen.add(name)
        holders = entry.get("held_by", [])
        if not holders and name not in still_open:
            found.append(f"{name}: held by nothing, and not listed as open")
        found += [f"{name}: {holder} {wrong}" for holder in holders if (wrong := holder_problem(holder, root, results))]
    found += [f"[open] names {name}, which is no promise" for name in still_open if name not in seen]
    found += [f"[open] gives no reason for {name}" for name, reason in still_open.items() if not str(reason).strip()]
    return found


def holder_problem(holder: str, root: Path, results: Mapping[str, Any]) -> str | None:
    """Why this test or benchmark holds nothing; None if it does."""
    if holder.startswith("benchmark:"):
        return _benchmark_problem(holder.removeprefix("benchmark:"), results)
    path, *names = holder.split("::")
    file = root / path
    if not path.startswith("tests/") or not names or not file.is_file():
        return "is no test file with a test function"
    tree = ast.parse(file.read_text(encoding="utf-8"))
    if any(_skips(value) for value in _module_marks(tree)):
        return "stands in a file that is skipped or expected to fail"
    return _function_problem(tree, names)


def _function_problem(tree: ast.Module, names: list[str]) -> str | None:
    body: list[ast.stmt] = tree.body
    for name in names[:-1]:
        inside = next((node for node in body if isinstance(node, ast.ClassDef) and node.name == name), None)
        if inside is None:
            return "does not exist"
        if any(_skips(mark) for mark in inside.decorator_list):
            return "stands in a class that is skipped or expected to fail"
        body = inside.body
    test = next((node for node in body if isinstance(node, Test) and node.name == names[-1]), None)
    if test is None:
        return "does not exist"
    if any(_skips(mark) for mark in test.decorator_list) or _gives_up(test):
        return "is skipped or expected to fail"
    return None if can_fail(test) else "asserts nothing"


def _skips(mark: ast.expr) -> bool:
    """Whether a decorator is pytest's skip or xfail. skipif is not: CI turns a skip into a failure."""
    return any(isinstance(node, ast.Attribute) and node.attr in ("skip", "xfail") for node in ast.walk(mark))


def _gives_up(test: Test) -> bool:
    """Whether a statement of the test itself, not one under a condition, skips it."""
    calls = (node.value.func for node in test.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
    return any(isinstance(call, ast.Attribute) and call.attr in ("skip", "xfail") for call in calls)


def _module_marks(tree: ast.Module) -> list[ast.expr]:
    assigned = (node for node in tree.body if isinstance(node, ast.Assign))
    return [node.value for node in assigned if any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)]


def _benchmark_problem(name: str, results: Mapping[str, Any]) -> str | None:
    result = results.get(name)
    if result is None:
        return "is not in docs/benchmarks.json"
    value, goal = result["value"], result["goal"]
    reached = value >= goal if result["better"] == "higher" else value <= goal
    return None if reached else f"is {value}, and its goal is {goal} ({result['better']} is better)"


def _results(file: Path) -> Mapping[str, Any]:
    if not file.is_file():
        return {}
    results: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))["results"]
    return results


def main() -> int:
    """Print what is wrong and what is open; 1 if anything is wrong."""
    promises = tomllib.loads((ROOT / "docs" / "promises.toml").read_text(encoding="utf-8"))
    found = problems(promises, ROOT)
    still_open = promises.get("open", {})
    for name, reason in still_open.items():
        print(f"open: {name}: {reason}")
    print("\n".join([*found, f"{len(promises['promise'])} promises, {len(still_open)} open, {len(found)} problems"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
