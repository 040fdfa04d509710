"""What every test run here obeys: the Hypothesis profiles, and that in CI nothing is skipped.

Profiles (HYPOTHESIS_PROFILE; `quick` without it): `quick` and `ci` derive their examples from the test alone, so that a run is the
same on every machine; `nightly` draws 10,000 fresh examples per test and prints how to repeat a failure. A test that needs fewer
than the profile gives says so as a share of it (`settings.default.max_examples // 4`), never as a number of its own: a number
would hold the nightly run down as well, and the ratchets refuse it.

Hypothesis also draws constants that it finds in the source of every module of ours that is loaded. So all of them are loaded before
the first example is drawn: a test has the same examples whichever tests run beside it.

`ci` neither shrinks nor explains what fails: that took five minutes for one history of bills, half of what the suite may take. What it
prints repeats the failure. `shrink` draws the same examples and shrinks.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

NIGHTLY_EXAMPLES = 10_000
OURS = ("farthing", "tools", "benchmarks")
"""The packages whose modules are loaded in every run with property tests."""
ALLOWED_SKIPS: dict[str, str] = {}
"""Test id → why it cannot run in CI. Empty: CI installs whatever the tests need."""

_SAME_EVERYWHERE: dict[str, Any] = {
    "derandomize": True,
    "deadline": None,
    "database": None,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow],
}
settings.register_profile("quick", settings(max_examples=50, **_SAME_EVERYWHERE))
settings.register_profile("shrink", settings(max_examples=100, **_SAME_EVERYWHERE))
settings.register_profile("ci", settings(settings.get_profile("shrink"), phases=(Phase.explicit, Phase.generate, Phase.target)))
settings.register_profile("nightly", settings(max_examples=NIGHTLY_EXAMPLES, **{**_SAME_EVERYWHERE, "derandomize": False}))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def in_ci() -> bool:
    """Whether this run is CI's."""
    return os.environ.get("CI", "").lower() in ("1", "true")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Load every module of ours where there are property tests: about a second."""
    if any(getattr(getattr(item, "obj", None), "is_hypothesis_test", False) for item in session.items):
        for name in OURS:
            _load_all(name)


def _load_all(package: str) -> None:
    if importlib.util.find_spec(package) is None:  # a run outside of this repository
        return
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped or expectedly failed test into a failure in CI."""
    report = yield
    if in_ci() and report.nodeid not in ALLOWED_SKIPS:
        _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips itself while it is imported."""
    report = yield
    if in_ci() and report.nodeid not in ALLOWED_SKIPS:
        _fail_if_skipped(report)
    return report


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    expected_failure = getattr(report, "wasxfail", None)
    if expected_failure is not None:
        del report.wasxfail  # type: ignore[union-attr]  # pytest sets it on the reports of xfail only
        why = f"expected to fail: {expected_failure}"
    elif report.outcome == "skipped":
        why = f"skipped: {report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr}"
    else:
        return
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid} was not really run, which CI does not accept ({why})."
