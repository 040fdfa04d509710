"""docs/quickstart.md: its script runs against a real `farthing serve`, prints what the page says, and what it billed is proven."""

from __future__ import annotations

import os
import re
import resource
import shlex
import signal
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "quickstart.md").read_text(encoding="utf-8")
PATIENCE = 900
"""Seconds for one step, on however busy a machine."""
MOST_CPU = 150
"""Seconds of processor time for all of it: the five minutes of the page with as much again to read it, whatever else runs meanwhile."""


def blocks(language: str) -> list[str]:
    """The code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FARTHING_")}
    return {**kept, "FARTHING_PORT": "0"}


def spent() -> float:
    """The processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def farthing(command: str, directory: Path) -> str:
    """What a command that has to succeed prints."""
    arguments = [sys.executable, "-m", "farthing", *shlex.split(command)[1:]]
    done = subprocess.run(arguments, cwd=directory, env=environment(), capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_bills_explains_and_proves_a_month(tmp_path: Path) -> None:
    (serve,) = blocks("sh")
    (expected,) = blocks("text")
    begun = spent()
    arguments = [sys.executable, "-m", "farthing", *shlex.split(serve)[1:]]
    with subprocess.Popen(arguments, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as service:
        try:
            assert service.stdout is not None
            ready = re.search(r"ready at (http://\S+)", service.stdout.readline())
            assert ready is not None
            script = "\n".join(blocks("python"))
            assert script.count("http://127.0.0.1:4242") == 1
            run = [sys.executable, "-c", script.replace("http://127.0.0.1:4242", ready[1])]
            done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=PATIENCE)
            assert done.returncode == 0, done.stderr
            assert done.stdout.startswith(expected)
            explained, booked = re.fullmatch(r"(.*)\nin the books: (\S+)\n", done.stdout.removeprefix(expected), re.DOTALL).groups()
            assert explained.startswith('10.10 USD for "API calls"\n') and "25,000 " in explained and "20 events" in explained
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(60)
    explain, verify = re.findall(r"^    (farthing (?:explain|verify).*)$", PAGE, re.MULTILINE)
    assert farthing(explain.replace("INV-000001:1", booked), tmp_path).rstrip("\n") == explained
    assert "verified" in farthing(verify, tmp_path).lower()
    assert spent() - begun < MOST_CPU
