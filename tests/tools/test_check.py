"""`make check` runs every check even when one fails, shows what the failing one said, and then fails."""

from __future__ import annotations

import sys

import pytest

from tools import check

GOOD = [sys.executable, "-c", "print('all well')"]
BAD = [sys.executable, "-c", "print('this is wrong'); raise SystemExit(3)"]


def test_one_failing_check_fails_the_run_and_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(check, "CHECKS", {"bad": BAD, "good": GOOD})
    assert check.main() == 1
    output = capsys.readouterr().out
    assert "FAILED bad" in output
    assert "this is wrong" in output
    assert "ok     good" in output
    assert "all well" not in output
    assert output.endswith("failed: bad\n")


def test_when_all_hold_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(check, "CHECKS", {"good": GOOD})
    assert check.main() == 0
    assert capsys.readouterr().out.endswith("all checks hold\n")
