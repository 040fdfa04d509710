"""The README's first screen, and the line that it explains."""

from __future__ import annotations

from pathlib import Path

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
SCREEN = 34
"""Lines of a first screen."""


def test_the_first_screen_says_what_it_is_the_two_commands_a_picture_and_a_real_line() -> None:
    screen = "\n".join(README.splitlines()[:SCREEN])
    for part in ("monetization platform", "make demo", "make test", "events ──► usage", "explanation", "45.15 USD = 45.149935 USD rounded"):
        assert part in screen, part
