"""The stores that the contract suite runs over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from farthing.app.store import Store
from farthing.edges.postgres.migrate import ensure_account
from farthing.edges.postgres.store import PostgresStore
from farthing.testing.memory import MemoryStore

OpenStore = Callable[[], Store]


@pytest.fixture(params=["memory", "postgres"])
def open_store(request: pytest.FixtureRequest) -> Iterator[OpenStore]:
    """Opens stores of one account and mode; every call the same one."""
    if request.param == "memory":
        store = MemoryStore()
        yield lambda: store
        return
    dsns: Any = request.getfixturevalue("fresh_database")
    ensure_account(dsns.owner, "acme")
    with ExitStack() as stack:
        yield lambda: stack.enter_context(PostgresStore.open(dsns.service, "acme", "test"))


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    """An empty store."""
    return open_store()
