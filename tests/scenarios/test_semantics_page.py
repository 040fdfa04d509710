"""docs/semantics.md names only tests and scenarios that exist, and every scenario there is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.(?:py|txt))(?:::(\w+))?`", PAGE)


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_what_the_page_names_exists(path: str, name: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    if name:
        assert name in {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}


def test_every_scenario_is_named() -> None:
    scenarios = {file.relative_to(ROOT).as_posix() for file in (ROOT / "tests" / "scenarios").glob("*.txt")}
    assert scenarios - {path for path, _ in NAMED} == set()


def test_every_section_is_held_by_something() -> None:
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        assert "`tests/" in section, section.splitlines()[0]
