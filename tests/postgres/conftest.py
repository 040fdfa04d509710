"""One migrated database for the tests of the store's tables; each test has an account of its own in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg
import pytest

from farthing.edges.postgres.migrate import ensure_account
from farthing.edges.postgres.session import Patience
from farthing.edges.postgres.store import PostgresStore
from farthing.edges.postgres.supervisor import BOOTSTRAP, OWNER, SERVICE, Server

_numbers = count(1)


@dataclass(frozen=True)
class Account:
    """An account, and ways to it."""

    name: str
    number: int
    owner: str
    service: str
    superuser: str

    def settings(self, mode: str = "test") -> str:
        return f"-c farthing.account={self.number} -c farthing.mode={mode} -c search_path=farthing,pg_temp"

    def connect(self, mode: str = "test") -> psycopg.Connection[Any]:
        """A connection of the service for hand-written SQL."""
        return psycopg.connect(self.service, options=self.settings(mode), autocommit=True)

    def connect_owner(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.owner, options=self.settings(), autocommit=True)

    def connect_superuser(self) -> psycopg.Connection[Any]:
        """Who can do everything: only so can anything be tampered with at all."""
        return psycopg.connect(self.superuser, options=self.settings(), autocommit=True)


@pytest.fixture(scope="session")
def tables(pg_server: Server, migrated_template: str) -> Iterator[str]:
    """The name of the database."""
    pg_server.create_database("farthing_tables", template=migrated_template)
    yield "farthing_tables"
    pg_server.drop_database("farthing_tables")


def new_account(server: Server, database: str) -> Account:
    name = f"account {next(_numbers)}"
    owner = server.dsn(database, OWNER)
    return Account(name, ensure_account(owner, name), owner, server.dsn(database, SERVICE), server.dsn(database, BOOTSTRAP))


@pytest.fixture
def account(pg_server: Server, tables: str) -> Account:
    """A new account."""
    return new_account(pg_server, tables)


@pytest.fixture
def other_account(pg_server: Server, tables: str) -> Account:
    """Another one in the same database."""
    return new_account(pg_server, tables)


@pytest.fixture
def open_store() -> Iterator[Callable[..., PostgresStore]]:
    """Opens stores of an account, closed after the test."""
    with ExitStack() as stack:

        def open_(account: Account, mode: Any = "test", patience: Patience | None = None) -> PostgresStore:
            return stack.enter_context(PostgresStore.open(account.service, account.name, mode, patience))

        yield open_


@pytest.fixture
def store(account: Account, open_store: Callable[..., PostgresStore]) -> PostgresStore:
    """A store of the account, in test mode."""
    return open_store(account)
