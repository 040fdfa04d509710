"""kill -9 anywhere while loading or billing, then run again: the same bills, no more and no fewer. Real processes, real Postgres."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROWS = 12_000
CUSTOMERS = 5
CATALOGUE: dict[str, Any] = {
    "customers": [{"id": f"c{n}"} for n in range(CUSTOMERS)],
    "meters": [{"id": "calls", "event_name": "call", "default_aggregation": {"formula": "sum"}}],
    "prices": [
        {
            "lineage": "calls",
            "price": {
                "id": "calls-1",
                "currency": "usd",
                "billing_scheme": "tiered",
                "tiers_mode": "graduated",
                "tiers": [{"up_to": 1000, "unit_amount": 3}, {"up_to": "inf", "unit_amount_decimal": "1.5", "flat_amount": 100}],
            },
        }
    ],
    "contracts": [
        {
            "id": f"k{n}",
            "customer": f"c{n}",
            "currency": "usd",
            "starts_at": "2025-01-01T00:00:00Z",
            "ends_at": "2025-04-01T00:00:00Z",
            "billing": {"interval": "month", "anchor": "2025-01-01T00:00:00"},
            "items": [{"id": "calls", "description": "API calls", "price": "calls", "meter": "calls"}],
        }
        for n in range(CUSTOMERS)
    ],
}


def events_file(path: Path) -> Path:
    """ROWS events over three months, some sent twice, some malformed."""
    with path.open("w", encoding="utf-8") as file:
        for n in range(ROWS):
            day, hour = n % 90, n % 24
            at = f"2025-{1 + day // 31:02}-{1 + day % 28:02}T{hour:02}:{n % 60:02}:00Z"
            identifier = f"e{n if n % 50 else n // 2}"
            value = "x" if n % 1999 == 0 else str(n % 7)
            payload = {"stripe_customer_id": f"c{n % CUSTOMERS}", "value": value}
            file.write(json.dumps({"identifier": identifier, "event_name": "call", "timestamp": at, "payload": payload}) + "\n")
    return path


def farthing(data_dir: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "farthing", *arguments, "--data-dir", str(data_dir)]


def finish(command: list[str], codes: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in codes, done.stderr
    return done.stdout


def kill_during(command: list[str], after: float) -> bool:
    """Start, kill -9 after a while; True if it was still running."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def kill_twice(command: list[str], chance: random.Random) -> int:
    """Run the command until it was killed twice at random moments, earlier each time it came to its end first; how often it was."""
    killed, longest = 0, 2.0
    for _ in range(8):
        if kill_during(command, chance.uniform(longest / 2, longest)):
            killed += 1
        else:
            longest *= 0.7
        if killed == 2:
            break
    return killed


def bills(data_dir: Path) -> list[dict[str, Any]]:
    shown = [json.loads(line) for line in finish(farthing(data_dir, "invoices", "--json")).splitlines()]
    return sorted(shown, key=lambda bill: (bill["customer"], bill["period_start"]))


def essence(shown: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(bill["customer"], bill["period_start"], bill["total"], bill["digest"]) for bill in shown]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[tuple[Any, ...]], list[str]]:
    home = tmp_path_factory.mktemp("undisturbed")
    file = events_file(home / "events.ndjson")
    (home / "catalogue.json").write_text(json.dumps(CATALOGUE), encoding="utf-8")
    finish(farthing(home / "data", "apply", str(home / "catalogue.json")))
    finish(farthing(home / "data", "ingest", str(file)), codes=(1,))
    finish(farthing(home / "data", "bill", "--until", "2025-04-01T00:00:00Z"))
    rejects = (home / "events.ndjson.rejects.ndjson").read_text(encoding="utf-8").splitlines()
    return essence(bills(home / "data")), rejects


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_anywhere_and_run_again_makes_the_same_bills(seed: int, tmp_path: Path, undisturbed: tuple[list[tuple[Any, ...]], list[str]]) -> None:
    chance = random.Random(seed)
    file = events_file(tmp_path / "events.ndjson")
    (tmp_path / "catalogue.json").write_text(json.dumps(CATALOGUE), encoding="utf-8")
    data = tmp_path / "data"
    finish(farthing(data, "apply", str(tmp_path / "catalogue.json")))
    killed = kill_twice(farthing(data, "ingest", str(file)), chance)
    finish(farthing(data, "ingest", str(file)), codes=(0, 1))
    billing = farthing(data, "bill", "--until", "2025-04-01T00:00:00Z")
    killed += kill_twice(billing, chance)
    finish(billing)
    assert killed == 4, "the kills came too late to disturb anything"
    expected, rejects = undisturbed
    found = bills(data)
    assert essence(found) == expected
    assert sorted(bill["number"] for bill in found) == [f"INV-{n:06}" for n in range(1, len(found) + 1)]
    assert (tmp_path / "events.ndjson.rejects.ndjson").read_text(encoding="utf-8").splitlines() == rejects
    verified = json.loads(finish(farthing(data, "verify", "--json")))
    assert verified["verified"] is True, verified
