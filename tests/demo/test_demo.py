"""The demo as a user runs it: a process of its own, its figures against totals computed apart, twice from a clean state."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest

EXPECTED = json.loads((Path(__file__).parent / "expected.json").read_text(encoding="utf-8"))


def demo_command(data_dir: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "farthing", "demo", "--data-dir", str(data_dir), *arguments]


def run_demo(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(demo_command(data_dir, *arguments), capture_output=True, text=True, timeout=240, check=False)


def run_demo_at_a_terminal(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The same with a terminal as its standard error."""
    terminal, stderr = pty.openpty()
    shown = b""
    with TemporaryFile("w+", encoding="utf-8") as stdout:
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
        process = subprocess.Popen(demo_command(data_dir, *arguments), stdout=stdout, stderr=stderr, env=environment)
        os.close(stderr)
        with suppress(OSError):  # what reading gives once the other end is closed
            while part := os.read(terminal, 1 << 16):
                shown += part
        os.close(terminal)
        process.wait(timeout=240)
        stdout.seek(0)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout.read(), shown.decode())


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def outcome(data_dir: Path) -> dict[str, Any]:
    done = run_demo(data_dir, "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_every_bill_is_verified_by_the_other_path(outcome: dict[str, Any]) -> None:
    assert outcome["verified"] is True
    assert outcome["verification"]["recomputed_by"] == ["kernel"]
    assert outcome["verification"]["documents"] == 15
    assert outcome["verification"]["lines"] == 4 + 39


def test_the_language_model_hour_comes_to_the_published_totals(outcome: dict[str, Any]) -> None:
    found = {bill["customer"]: bill for bill in outcome["scenarios"]["llm"]["invoices"]}
    fields = ("quantity", "amount_exact", "amount")
    figures = {who: [*(tuple(line[field] for field in fields) for line in bill["lines"]), bill["total"]] for who, bill in found.items()}
    assert figures == {
        "code-assistant": [(18059974, "4514.9935", 4515), (245896, "245.896", 246), 4761],
        "chat": [(22361870, "5590.4675", 5590), (4088665, "4088.665", 4089), 9679],
    }
    assert {(bill["period_start"], bill["period_end"], bill["currency"]) for bill in found.values()} == {
        ("2023-11-16T18:15:00+00:00", "2023-11-16T19:15:00+00:00", "usd")
    }


def test_thirteen_months_of_fees_come_to_totals_computed_apart(outcome: dict[str, Any]) -> None:
    bills = outcome["scenarios"]["fees"]["invoices"]
    assert [shape(bill, "description") for bill in bills] == [shape(bill, "line") for bill in EXPECTED["fees"]["invoices"]]
    assert sum(bill["total"] for bill in bills) == 18_226_564
    assert bills[5]["period_start"] == "2011-05-01T00:00:00+01:00"  # British summer time
    assert all(len(bill["digest"]) == 64 for bill in bills)


def shape(bill: dict[str, Any], name: str) -> dict[str, Any]:
    fields = ("quantity", "amount_exact", "amount")
    lines = [(line[name].removeprefix("Card processing: "), *(line[field] for field in fields)) for line in bill["lines"]]
    return {**{field: bill[field] for field in ("customer", "period_start", "period_end", "currency", "total")}, "lines": lines}


@pytest.fixture(scope="module")
def again(outcome: dict[str, Any], data_dir: Path) -> subprocess.CompletedProcess[str]:
    return run_demo_at_a_terminal(data_dir, "--engine", "kernel")


def test_a_second_run_starts_from_its_own_clean_state_and_the_other_engine_makes_the_same_bills(
    outcome: dict[str, Any], again: subprocess.CompletedProcess[str]
) -> None:
    assert again.returncode == 0, again.stderr
    for part in ("code-assistant", "online-retail", "Why?", "by the core path", "Verified: every line and every digest is the same."):
        assert part in again.stdout
    digests = [bill["digest"][:12] for scenario in outcome["scenarios"].values() for bill in scenario["invoices"]]
    assert re.findall(r"digest ([0-9a-f]{12})", again.stdout) == digests


def test_progress_is_shown_at_a_terminal(again: subprocess.CompletedProcess[str]) -> None:
    loading = re.findall(r"loading [0-9,]+ events[^%]*?([0-9]+)%", again.stderr)
    assert len(loading) > 2
    assert set(loading) > {"100"}
    assert "verifying" in again.stderr
