"""Stores with due work, and clocks that stand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from work_office import Office, forget_work

from farthing.edges.postgres.migrate import ensure_account
from farthing.edges.postgres.store import PostgresStore
from farthing.edges.postgres.supervisor import OWNER, SERVICE, Server
from farthing.testing.memory import MemoryStore

_numbers = count(1)


@pytest.fixture(scope="session")
def work_database(pg_server: Server, migrated_template: str) -> Iterator[tuple[str, str]]:
    """One database for all tests here, as URLs of owner and service."""
    pg_server.create_database("farthing_work_suite", template=migrated_template)
    yield pg_server.dsn("farthing_work_suite", OWNER), pg_server.dsn("farthing_work_suite", SERVICE)
    pg_server.drop_database("farthing_work_suite")


@pytest.fixture
def pg_office(work_database: tuple[str, str]) -> Iterator[Office]:
    """An account of its own over PostgreSQL; `further()` is another connection of it."""
    owner, service = work_database
    account = f"account {next(_numbers)}"
    ensure_account(owner, account)
    with ExitStack() as stack:

        def open_() -> PostgresStore:
            return stack.enter_context(PostgresStore.open(service, account, "test"))

        yield Office(open_(), account, open_)


@pytest.fixture
def memory_office() -> Office:
    """An account in memory."""
    store = MemoryStore()
    return Office(store, store.account, lambda: store)


@pytest.fixture(params=["memory_office", "pg_office"])
def office(request: pytest.FixtureRequest) -> Office:
    """An account over either store."""
    made: Office = request.getfixturevalue(request.param)
    return made


@pytest.fixture(autouse=True)
def registry() -> Iterator[Callable[[], None]]:
    """What a test registers is gone after it."""
    with forget_work():
        yield lambda: None
