"""The README's first screen, the line that it explains, and the commands that it names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from farthing.core.rating.models import MODELS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SCREEN = 34
"""Lines of a first screen."""


def test_the_first_screen_says_what_it_is_the_two_commands_a_picture_and_a_real_line() -> None:
    screen = "\n".join(README.splitlines()[:SCREEN])
    for part in ("monetization platform", "make demo", "make test", "events ──► usage", "explanation", "45.15 USD = 45.149935 USD rounded"):
        assert part in screen, part


def test_it_counts_the_models_of_the_registry() -> None:
    assert re.findall(r"(\w+) models", README) == [str(len(MODELS))]


def test_every_command_that_it_names_is_one() -> None:
    section = README.split("## The commands")[1]
    lines = re.findall(r"^    (?:\.venv/bin/)?farthing (.*)$", section, re.MULTILINE)
    named = {word for line in lines for word in re.findall(r"(?:^|\| )([a-z]+)", line.split("  ")[0])}
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200", "TERM": "dumb"}
    shown = subprocess.run([sys.executable, "-m", "farthing", "--help"], env=environment, capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"^\W*([a-z]+) ", shown, re.MULTILINE))
    assert {"apply", "bill", "explain", "verify"} <= named <= known, named - known
