"""docs/catalogue.md, run: its files and commands in an empty directory come to the output that it shows; every price that it shows is one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from farthing.app.apply import apply_catalogue
from farthing.testing.memory import MemoryStore

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def commands() -> list[tuple[list[str], str]]:
    """The commands of the page, each with what it is said to print."""
    [console] = blocks("console")
    found = re.findall(r"^\$ farthing (.*?)\n(.*?)(?=^\$ |\Z)", console, re.DOTALL | re.MULTILINE)
    return [(line.split(), output.strip("\n")) for line, output in found]


def run(arguments: list[str], folder: Path, database: Any) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "FARTHING_DATABASE_URL": database.service, "FARTHING_OWNER_URL": database.owner}
    command = [sys.executable, "-m", "farthing", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done.stdout.strip("\n")


def test_the_example_does_what_the_page_says(fresh_database: Any, tmp_path: Path) -> None:
    (tmp_path / "catalogue.json").write_text(blocks("json")[0], encoding="utf-8")
    (tmp_path / "events.ndjson").write_text(blocks("ndjson")[0], encoding="utf-8")
    said = commands()
    assert [arguments[0] for arguments, _ in said] == ["apply", "ingest", "bill", "explain", "verify"]
    for arguments, output in said:
        assert run(arguments, tmp_path, fresh_database) == output, arguments


def test_the_other_documents_of_the_page_can_be_applied_after_it() -> None:
    store, first = MemoryStore(), json.loads(blocks("json")[0])
    counts = [apply_catalogue(store, json.loads(block)) for block in blocks("json")]
    assert counts[0] == {name: len(entries) for name, entries in first.items()}
    assert [version.value.id for version in store.prices()["seats"]] == ["seats-1", "seats-2"]
