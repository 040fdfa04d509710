"""The plugin of every run: profiles, and no skipping in CI. Runs pytest on small files of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import Phase, settings

import ci_guard

ROOT = Path(__file__).resolve().parents[2]
SKIPPING = """
import pytest

@pytest.mark.skip(reason="not here")
def test_marked(): assert 1

def test_inside(): pytest.skip("not now")

@pytest.mark.xfail(reason="known")
def test_expected(): assert 0

def test_runs(): assert 1
"""


def run(folder: Path, code: str, **environment: str) -> str:
    (folder / "test_it.py").write_text(code)
    command = [sys.executable, "-m", "pytest", "-p", "ci_guard", "-p", "no:cacheprovider", "-q", "-rA", "--rootdir", str(folder), str(folder)]
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "HYPOTHESIS_PROFILE", "PYTEST_ADDOPTS")}
    paths = {"PYTHONPATH": os.pathsep.join(str(ROOT / path) for path in ("tests/plugins", "src", "."))}
    return subprocess.run(command, cwd=folder, env={**kept, **paths, **environment}, capture_output=True, text=True, check=False).stdout


def test_outside_of_ci_a_skip_is_a_skip(tmp_path: Path) -> None:
    assert "1 passed, 2 skipped, 1 xfailed" in run(tmp_path, SKIPPING)


def test_in_ci_a_skip_and_an_expected_failure_are_failures_that_say_why(tmp_path: Path) -> None:
    output = run(tmp_path, SKIPPING, CI="true")
    assert "2 failed, 1 passed, 1 error" in output
    for why in ("skipped: Skipped: not here", "skipped: Skipped: not now", "expected to fail: known"):
        assert f"was not really run, which CI does not accept ({why})" in output


def test_in_ci_a_file_that_skips_itself_is_a_failure(tmp_path: Path) -> None:
    code = 'import pytest\npytest.importorskip("a_module_that_is_not_there")\ndef test_it(): assert 1\n'
    assert "1 skipped" in run(tmp_path, code)
    assert "which CI does not accept" in run(tmp_path, code, CI="true")


def test_the_allow_list_is_empty_or_gives_reasons() -> None:
    assert all(reason.strip() for reason in ci_guard.ALLOWED_SKIPS.values())


@pytest.mark.parametrize("profile", ["quick", "ci", "shrink"])
def test_ordinary_runs_are_the_same_everywhere(profile: str) -> None:
    chosen = settings.get_profile(profile)
    assert chosen.derandomize
    assert chosen.deadline is None
    assert chosen.database is None


def test_nightly_runs_draw_at_least_ten_thousand_fresh_examples() -> None:
    nightly = settings.get_profile("nightly")
    assert nightly.max_examples >= 10_000
    assert not nightly.derandomize


def test_the_profile_is_chosen_by_the_environment(tmp_path: Path) -> None:
    code = "from hypothesis import settings\ndef test_it(): assert settings.default.max_examples == 10_000"
    assert "1 passed" in run(tmp_path, code, HYPOTHESIS_PROFILE="nightly")
    assert "1 failed" in run(tmp_path, code)


def test_ci_does_not_shrink_and_the_profile_that_does_draws_the_same() -> None:
    ci, shrinking = settings.get_profile("ci"), settings.get_profile("shrink")
    assert set(shrinking.phases) - set(ci.phases) >= {Phase.shrink, Phase.explain}
    assert {Phase.explicit, Phase.generate} <= set(ci.phases)
    assert (ci.max_examples, ci.derandomize) == (shrinking.max_examples, shrinking.derandomize)


LOADED = """
import sys
from hypothesis import given, strategies

modules = {"farthing.main", "farthing.core.flow", "farthing.testing.world", "tools.ratchets", "benchmarks.report"}
early = modules & set(sys.modules)

@given(strategies.none())
def test_it(_): assert modules - set(sys.modules) == set() == early and "farthing.__main__" not in sys.modules
"""


def test_every_module_is_loaded_before_examples_are_drawn(tmp_path: Path) -> None:
    """Hypothesis draws constants that it finds in loaded modules: without this, examples would depend on which tests run together."""
    assert "1 passed" in run(tmp_path, LOADED)


def test_without_property_tests_nothing_is_loaded(tmp_path: Path) -> None:
    assert "1 passed" in run(tmp_path, "import sys\ndef test_it(): assert 'farthing' not in sys.modules")
