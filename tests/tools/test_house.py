"""What the README and CI call is there and does what it says, in the order that it says."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tools.check import CHECKS

ROOT = Path(__file__).resolve().parents[2]
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def make(*arguments: str) -> str:
    """What make prints, run as from a shell: these tests themselves may run below another make."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTEST_ARGS"))}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def planned(target: str, **variables: str) -> str:
    """The commands that make would run for a target."""
    return make("--dry-run", target, *(f"{name}={value}" for name, value in variables.items()))


def test_ci_checks_then_tests_and_limits_the_time() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    lines = [line for line in CI.splitlines() if not line.startswith("#")]
    assert lines.index("export CI=true HYPOTHESIS_PROFILE=ci") < lines.index("make check") < lines.index("make test")
    assert "limit=600" in lines
    assert re.search(r"set -euo pipefail", CI)


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("demo", ".venv/bin/farthing demo"),
        ("test", ".venv/bin/pytest -n auto"),
        ("check", ".venv/bin/python -m tools.check"),
        ("bench", ".venv/bin/python -m benchmarks --quick"),
        ("bench-full", ".venv/bin/python -m benchmarks --full"),
        ("nightly", "HYPOTHESIS_PROFILE=nightly .venv/bin/pytest"),
    ],
)
def test_each_target_makes_the_environment_and_then_runs_its_command(target: str, command: str) -> None:
    environment, run = planned(target).splitlines()
    assert environment == f"tools/venv.sh {'run' if target == 'demo' else 'dev'}"
    assert run.startswith(command)


def test_the_suite_can_be_narrowed() -> None:
    assert planned("test", PYTEST_ARGS="-k tiers").rstrip().endswith("-k tiers")


def test_make_without_a_target_lists_all_of_them() -> None:
    assert set(re.findall(r"^  make ([a-z-]+)", make(), re.MULTILINE)) >= {"demo", "test", "check", "bench", "bench-full", "nightly", "lock", "clean"}


def test_every_check_is_run_by_make_check() -> None:
    run = {" ".join(Path(part).name if part.startswith("/") else part for part in command) for command in CHECKS.values()}
    for tool in ("mypy", "ruff check --output-format concise .", "ruff format --check --output-format concise .", "lint-imports --no-logo"):
        assert tool in run
    modules = {command[2] for command in CHECKS.values() if "-m" in command}
    assert modules == {"tools.ratchets", "tools.promises", "tools.changelog", "tools.documents", "tools.lock"}
