"""Accounts with endpoints, and servers that receive."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from webhook_house import House, Receiver

from farthing.edges.postgres.migrate import ensure_account
from farthing.edges.postgres.store import PostgresStore
from farthing.edges.postgres.supervisor import OWNER, SERVICE, Server
from farthing.testing.memory import MemoryStore

_numbers = count(1)


@pytest.fixture(scope="session")
def webhook_database(pg_server: Server, migrated_template: str) -> Iterator[tuple[str, str]]:
    """One database for all tests here, as URLs of owner and service."""
    pg_server.create_database("farthing_webhook_suite", template=migrated_template)
    yield pg_server.dsn("farthing_webhook_suite", OWNER), pg_server.dsn("farthing_webhook_suite", SERVICE)
    pg_server.drop_database("farthing_webhook_suite")


@pytest.fixture
def pg_house(webhook_database: tuple[str, str]) -> Iterator[House]:
    """An account of its own over PostgreSQL."""
    owner, service = webhook_database
    account = f"account {next(_numbers)}"
    ensure_account(owner, account)
    with ExitStack() as stack:
        yield House(stack.enter_context(PostgresStore.open(service, account, "test")), account, service)


@pytest.fixture(params=["memory", "postgres"])
def house(request: pytest.FixtureRequest) -> House:
    """An account over either store."""
    made: House = House(MemoryStore(), "memory", "") if request.param == "memory" else request.getfixturevalue("pg_house")
    return made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server on this machine that takes webhooks."""
    with Receiver() as server:
        yield server
