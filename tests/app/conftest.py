"""Fixtures of the verbs' tests; the helper modules of this folder are importable by their names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from farthing.edges.postgres.migrate import ensure_account, migrate
from farthing.edges.postgres.store import PostgresStore

sys.path.insert(0, str(Path(__file__).parents[1] / "flow"))
sys.path.insert(0, str(Path(__file__).parent))

from app_books import Books


@pytest.fixture
def database(fresh_database: Any) -> Any:
    """A migrated database with the account "default"."""
    migrate(fresh_database.owner)
    ensure_account(fresh_database.owner, "default")
    return fresh_database


@pytest.fixture(params=["core", "kernel"])
def books(database: Any, request: pytest.FixtureRequest) -> Iterator[Books]:
    """Books whose bills are made by each engine in turn."""
    with PostgresStore.open(database.service, "default", "test") as store:
        yield Books(store, request.param)
