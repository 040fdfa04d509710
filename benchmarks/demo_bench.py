"""How long the demo takes once everything is installed: the whole command, from an empty data directory to the proof of every bill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

Results = dict[str, dict[str, Any]]
SRC = Path(__file__).resolve().parents[1] / "src"
GOAL = 60.0


def run(quick: bool) -> Results:
    """Seconds of `farthing demo`: the first run, and without `quick` the slowest of three."""
    seconds = max(_seconds() for _ in range(1 if quick else 3))
    details = {"runs": 1 if quick else 3}
    return {"demo_seconds": {"value": round(seconds, 1), "unit": "s", "goal": GOAL, "better": "lower", "details": details}}


def _seconds() -> float:
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "farthing", "demo", "--json", "--data-dir", str(Path(folder) / "demo")]
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(SRC)}, check=True)
        seconds = time.monotonic() - started
    if json.loads(done.stdout)["verified"] is not True:
        raise RuntimeError("the demo's bills were not verified")
    return seconds
