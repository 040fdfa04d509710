"""Changelog fragments are named, short and gathered in order."""

from __future__ import annotations

import pytest

from tools.changelog import fragment_files, problems, release


def test_a_good_fragment() -> None:
    assert problems([("late-events.added.md", "Late events are billed by the next invoice.\n")]) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("late.md", "It works."),
        ("Late.added.md", "It works."),
        ("late.new.md", "It works."),
        ("late.added.md", ""),
        ("late.added.md", "no sentence"),
        ("late.added.md", "- a list."),
        ("late.added.md", "a" * 600 + "."),
    ],
)
def test_each_fault_is_found(name: str, text: str) -> None:
    assert len(problems([(name, text)])) >= 1


def test_a_release_gathers_the_fragments_by_kind() -> None:
    text = release("1.2.0", "2026-03-01", [("b.fixed.md", "B is\nright."), ("c.added.md", "C."), ("a.added.md", "A.")])
    assert text == "## 1.2.0 (2026-03-01)\n\n### Added\n\n- A.\n- C.\n\n### Fixed\n\n- B is right.\n\n"


def test_ours_are_good() -> None:
    assert problems([(file.name, file.read_text(encoding="utf-8")) for file in fragment_files()]) == []
