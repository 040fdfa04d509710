"""ARCHITECTURE.md describes the tree that is there, and every domain folder says what it owns."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tools.documents import anchors, broken

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "farthing"
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (?P<first>.*?) \| (?P<second>.*?) \| ?(?P<third>.*?) ?\|?$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def folders_with_code() -> list[str]:
    found = {file.parent.relative_to(PACKAGE).as_posix() for file in (PACKAGE / "core").rglob("*.py")}
    return sorted(found - {"core"})


def test_every_folder_of_the_tree_exists_and_every_domain_folder_is_in_it() -> None:
    listed = re.findall(r"^\| `([a-z/]+)` \|", section("The tree"), re.MULTILINE)
    assert [folder for folder in listed if not (PACKAGE / folder).is_dir()] == []
    top = {folder.name for folder in PACKAGE.iterdir() if folder.is_dir() and list(folder.rglob("*.py"))}
    assert {folder.split("/")[0] for folder in listed} == top | {"core"}
    assert set(folders_with_code()) <= set(listed)


def test_every_noun_is_where_the_table_says_unless_it_comes_later() -> None:
    rows = [row for row in ROW.finditer(section("Which noun is where")) if CODE.fullmatch(row["second"])]
    assert len(rows) >= 30
    missing = [row["first"] for row in rows if row["third"] != "later" and not (PACKAGE / row["second"].strip("`")).exists()]
    assert missing == []


@pytest.mark.parametrize("title", ["Where to start reading", "Other changes, and what they touch"])
def test_every_file_and_function_named_in_the_guides_exists(title: str) -> None:
    named = [name for name in CODE.findall(section(title)) if "/" in name]
    assert named
    assert [name for name in named if not exists(name)] == []


def exists(named: str) -> bool:
    """Whether there is such a file or folder, of the package or of the repository, and in it the name behind `::` (`Class.name` too)."""
    path, _, name = named.partition("::")
    file = next((base / path for base in (PACKAGE, ROOT) if (base / path).exists()), None)
    if file is None or not name:
        return file is not None
    body: list[ast.stmt] = ast.parse(file.read_text(encoding="utf-8")).body
    for part in name.split("."):
        found = next((node for node in body if part in names_of(node)), None)
        body = getattr(found, "body", [])
    return found is not None


def names_of(node: ast.stmt) -> set[str]:
    """What a statement defines: a function, a class, or assigned names."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else [node]
    return {getattr(target, "name", getattr(target, "id", "")) for target in targets}


def test_a_rule_that_moved_is_found() -> None:
    assert exists("core/rating/curve.py::charge") and exists("core/invoice/causes.py::Inquiry.causes") and exists("core/ledger/accounts.py::CHART")
    assert not any(exists(f"core/rating/{name}") for name in ("curve.py::charged", "curves.py::charge", "curve.py::Curve.nothing"))


def test_every_rule_is_one_hop_away_and_every_stage_is_named() -> None:
    rows = [row for row in ROW.finditer(section("Where to start reading")) if "::" in row["second"]]
    assert len(rows) >= 35
    named = {name.split("/")[1] for row in rows for name in CODE.findall(row["second"]) if name.startswith("core/") and "::" in name}
    assert {stage.split("/")[1] for stage in folders_with_code()} <= named


def test_a_new_model_takes_at_most_four_files() -> None:
    steps = re.findall(r"^\d\. ", section("Adding a pricing model"), re.MULTILINE)
    assert 1 <= len(steps) <= 4


@pytest.mark.parametrize("folder", [*folders_with_code(), "kernel", "app", "edges"])
def test_every_domain_folder_says_what_it_owns(folder: str) -> None:
    text = (PACKAGE / folder / "README.md").read_text(encoding="utf-8")
    for part in ("**Owns**", "**Does not own**", "**Invariants**"):
        assert part in text
    assert len(text.splitlines()) <= 30
    named = [name for name in CODE.findall(text) if name.endswith(".py")]
    assert [name for name in named if not any((base / name).exists() for base in (PACKAGE / folder, PACKAGE, ROOT))] == []


def test_a_document_with_a_broken_link_or_a_missing_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("# A title, `with` code\n\n```\n# no heading\n```\n")
    assert list(broken("a.md", "[b](b.md) [c](b.md#a-title-with-code) [d](https://example.org/x) `tools/`", tmp_path)) == []
    found = list(broken("a.md", "[b](c.md) [c](b.md#no-heading) `tests/none.py`", tmp_path))
    assert found == ["a.md: the link to c.md leads nowhere", "a.md: b.md#no-heading has no such heading", "a.md: tests/none.py does not exist"]
    assert anchors("## Who may import whom?\n") == {"who-may-import-whom"}
