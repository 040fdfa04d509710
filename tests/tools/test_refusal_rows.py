"""Every refusal that the package declares occurs in a test, by its code or by the name of its declaration."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from farthing.core.base.refusal import RefusalKind

ROOT = Path(__file__).resolve().parents[2]


def declared() -> dict[str, str]:
    """Code → name of the declaration, of every refusals.py of the package."""
    found = {}
    for file in sorted((ROOT / "src").rglob("refusals.py")):
        module = importlib.import_module(".".join(file.relative_to(ROOT / "src").with_suffix("").parts))
        found |= {value.code: name for name, value in vars(module).items() if isinstance(value, RefusalKind)}
    return found


def words_of_tests() -> set[str]:
    """Every word in the tests, their data included."""
    files = [file for kind in ("*.py", "*.ndjson", "*.json", "*.toml") for file in (ROOT / "tests").rglob(kind)]
    return {word for file in files for word in re.findall(r"\w+", file.read_text(encoding="utf-8"))}


def untested(kinds: dict[str, str], words: set[str]) -> list[str]:
    return sorted(code for code, name in kinds.items() if code not in words and name not in words)


def test_every_refusal_occurs_in_a_test() -> None:
    kinds = declared()
    assert len(kinds) > 50
    assert untested(kinds, words_of_tests()) == []


def test_a_refusal_that_no_test_names_is_found() -> None:
    assert untested({"never" + "_heard_of": "NEVER" + "_HEARD_OF"}, words_of_tests()) == ["never" + "_heard_of"]


def test_codes_are_what_clients_can_rely_on() -> None:
    assert [code for code in declared() if not re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", code)] == []
