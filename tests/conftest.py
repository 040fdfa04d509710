"""A real PostgreSQL for the tests: one server per test process, and for each test that asks a database of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import NamedTuple

import pytest

from farthing.edges.postgres.migrate import migrate as run_migrations
from farthing.edges.postgres.supervisor import OWNER, SERVICE, Server, ephemeral

_TEMPLATE = "farthing_template"
_numbers = count(1)


class Dsns(NamedTuple):
    """The connection URLs of one database: of the role that owns it, and of the role that the application runs as."""

    owner: str
    service: str


@pytest.fixture(scope="session")
def pg_server() -> Iterator[Server]:
    """A throw-away server (about 1 s to start, without fsync). Under xdist each worker has its own."""
    with ephemeral() as server:
        yield server


@pytest.fixture(scope="session")
def migrate() -> Callable[[str], None]:
    """The hook: brings the empty database with this owner URL to the schema that `fresh_database` starts from."""

    def run(owner_dsn: str) -> None:
        run_migrations(owner_dsn)

    return run


@pytest.fixture(scope="session")
def migrated_template(pg_server: Server, migrate: Callable[[str], None]) -> str:
    """The name of a migrated database that others are copied from: the migrations run once per test process."""
    pg_server.create_database(_TEMPLATE)
    migrate(pg_server.dsn(_TEMPLATE, OWNER))
    return _TEMPLATE


@pytest.fixture
def fresh_database(pg_server: Server, migrated_template: str) -> Iterator[Dsns]:
    """A migrated database for one test, without any rows but those of the migrations; dropped after it."""
    name = f"farthing_test_{next(_numbers)}"
    pg_server.create_database(name, template=migrated_template)
    yield Dsns(pg_server.dsn(name, OWNER), pg_server.dsn(name, SERVICE))
    pg_server.drop_database(name)
