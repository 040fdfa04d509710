"""The stores that the contract suite runs over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest

from farthing.app.store import Store
from farthing.edges.postgres.migrate import ensure_account
from farthing.edges.postgres.store import PostgresStore
from farthing.edges.postgres.supervisor import OWNER, SERVICE, Server
from farthing.testing.memory import MemoryStore

OpenStore = Callable[[], Store]


_numbers = count(1)


@pytest.fixture(scope="session")
def shared_database(pg_server: Server, migrated_template: str) -> Iterator[tuple[str, str]]:
    """One database for all tests here, as URLs of owner and service: each test has an account of its own, and sees nothing else."""
    pg_server.create_database("farthing_store_suite", template=migrated_template)
    yield pg_server.dsn("farthing_store_suite", OWNER), pg_server.dsn("farthing_store_suite", SERVICE)
    pg_server.drop_database("farthing_store_suite")


@pytest.fixture(params=["memory", "postgres"])
def open_store(request: pytest.FixtureRequest) -> Iterator[OpenStore]:
    """Opens stores of one account and mode; every call the same one."""
    if request.param == "memory":
        store = MemoryStore()
        yield lambda: store
        return
    owner, service = request.getfixturevalue("shared_database")
    account = f"account {next(_numbers)}"
    ensure_account(owner, account)
    with ExitStack() as stack:
        yield lambda: stack.enter_context(PostgresStore.open(service, account, "test"))


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    """An empty store."""
    return open_store()
