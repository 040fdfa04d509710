"""Every refusal that the package declares stands in a test: its code as a text of its own, in Python or in a data row."""

from __future__ import annotations

import ast
import importlib
import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from farthing.core.base.refusal import RefusalKind

ROOT = Path(__file__).resolve().parents[2]


def declared() -> set[str]:
    """The codes of every refusals.py of the package."""
    found = set()
    for file in sorted((ROOT / "src").rglob("refusals.py")):
        module = importlib.import_module(".".join(file.relative_to(ROOT / "src").with_suffix("").parts))
        found |= {value.code for value in vars(module).values() if isinstance(value, RefusalKind)}
    return found


def texts_in(code: str) -> set[str]:
    """The string constants of Python code. A code in a comment, in a longer text or as a variable's name is none."""
    return {node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def texts_of(row: Any) -> Iterator[str]:
    """The strings of a JSON document, keys left out."""
    if isinstance(row, str):
        yield row
    for value in row.values() if isinstance(row, dict) else row if isinstance(row, list) else ():
        yield from texts_of(value)


def texts_of_tests() -> set[str]:
    found: set[str] = set()
    for file in (ROOT / "tests").rglob("*.py"):
        found |= texts_in(file.read_text(encoding="utf-8"))
    for file in (ROOT / "tests").rglob("*.ndjson"):
        found |= {text for line in file.read_text(encoding="utf-8").splitlines() for text in texts_of(json.loads(line))}
    return found


def test_every_refusal_occurs_in_a_test() -> None:
    codes = declared()
    assert len(codes) > 50
    assert codes - texts_of_tests() == set()


def test_only_a_text_of_its_own_counts() -> None:
    code = """
        # never_heard_of
        def never_heard_of(): "about never_heard_of"
        never_heard_of = "never" + "_heard_of"
    """
    assert "never_heard_of" not in texts_in(textwrap.dedent(code))
    assert "never_heard_of" in texts_in('refused("never_heard_of", act)')
    assert list(texts_of({"never_heard_of": 1, "error": [{"code": "heard_of"}]})) == ["heard_of"]
    assert "never" + "_heard_of_at_all" not in texts_of_tests()


def test_codes_are_what_clients_can_rely_on() -> None:
    assert [code for code in declared() if not re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", code)] == []
