"""A running service for each test, in an account of its own: over stores in memory, and over PostgreSQL."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from http_service import Api, MemoryAccounts, Running, make_api, running

from farthing.app.resources.access import Mode
from farthing.edges.http.pool import ApiStore
from farthing.edges.http.stores import ThreadStores
from farthing.edges.postgres.access import KeyRing
from farthing.edges.postgres.migrate import ensure_account
from farthing.edges.postgres.store import PostgresStore
from farthing.edges.postgres.supervisor import OWNER, SERVICE, Server


@pytest.fixture(scope="session")
def memory_service() -> Iterator[Running]:
    """The one server of the process over stores in memory."""
    accounts = MemoryAccounts()
    with running(lambda: accounts, accounts.open) as server:
        yield server


@pytest.fixture
def api(memory_service: Running) -> Iterator[Api]:
    """An account of its own in the service over stores in memory."""
    made = make_api(memory_service)
    yield made
    made.http.close()


@pytest.fixture(scope="session")
def open_postgres(pg_server: Server, migrated_template: str) -> Iterator[tuple[Callable[[], ThreadStores], Callable[[str, Mode], ApiStore]]]:
    """How threads and tests open stores of the one database of the process that services work on; accounts are made as needed."""
    pg_server.create_database("farthing_http_suite", template=migrated_template)
    owner, service = pg_server.dsn("farthing_http_suite", OWNER), pg_server.dsn("farthing_http_suite", SERVICE)
    beside = ThreadStores(lambda account, mode: PostgresStore.open(service, account, mode), lambda: KeyRing.open(service), 2)

    def open_beside(account: str, mode: Mode) -> ApiStore:
        ensure_account(owner, account)
        with beside.of(account, mode) as store:
            return store

    yield lambda: ThreadStores(lambda account, mode: PostgresStore.open(service, account, mode), lambda: KeyRing.open(service), 2), open_beside
    beside.close()
    pg_server.drop_database("farthing_http_suite")


@pytest.fixture(scope="session")
def postgres_service(open_postgres: tuple[Callable[[], ThreadStores], Callable[[str, Mode], ApiStore]]) -> Iterator[Running]:
    """The one server of the process over PostgreSQL."""
    with running(*open_postgres) as server:
        yield server


@pytest.fixture
def api_pg(postgres_service: Running) -> Iterator[Api]:
    """An account of its own in the service over PostgreSQL."""
    made = make_api(postgres_service)
    yield made
    made.http.close()


@pytest.fixture(params=["api", "api_pg"])
def both(request: pytest.FixtureRequest) -> Api:
    """The same over either store."""
    made: Api = request.getfixturevalue(request.param)
    return made
