"""A shell for each test of commands, on a database of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from cli_shell import CATALOGUE, Shell


@pytest.fixture
def shell(fresh_database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell whose database has the schema, and the owner at hand."""
    monkeypatch.setenv("FARTHING_OWNER_URL", fresh_database.owner)
    monkeypatch.setenv("FARTHING_DATA_DIR", str(tmp_path / "data"))
    return Shell(fresh_database.service, tmp_path)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell without a database of its own, for what needs none."""
    monkeypatch.delenv("FARTHING_OWNER_URL", raising=False)
    monkeypatch.setenv("FARTHING_DATA_DIR", str(tmp_path / "data"))
    return Shell(None, tmp_path)


@pytest.fixture
def ready(shell: Shell) -> Shell:
    """A shell with a customer, a price and a contract."""
    assert shell.json("apply", shell.file("catalogue.json", json.dumps(CATALOGUE)))["prices"] == 1
    return shell
