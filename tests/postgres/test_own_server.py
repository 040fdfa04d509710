"""A PostgreSQL of the user's own, set up as docs/schema.md says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from farthing.edges.postgres.migrate import ensure_account, migrate
from farthing.edges.postgres.store import PostgresStore
from farthing.edges.postgres.supervisor import BOOTSTRAP, OWNER, SERVICE
from farthing.testing.builders import open_contract

PAGE = (Path(__file__).parents[2] / "docs" / "schema.md").read_text(encoding="utf-8")


def test_the_roles_and_database_of_the_page_are_all_that_it_takes(pg_server: Any) -> None:
    """The roles exist on the tests' server already: they are given the rights of the page there; the database is made by its statement."""
    (block,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    *roles, database = [statement for statement in block.split(";") if statement.strip()]
    assert [re.findall(r"CREATE ROLE (\w+) ", role) for role in roles] == [[OWNER], [SERVICE]]
    with psycopg.connect(pg_server.dsn("postgres", BOOTSTRAP), autocommit=True) as superuser:
        for role in roles:
            superuser.execute(re.sub(r" PASSWORD .*", "", role.replace("CREATE ROLE", "ALTER ROLE")).encode())
        superuser.execute(database.replace("DATABASE farthing ", "DATABASE of_the_page ").encode())
        try:
            migrate(pg_server.dsn("of_the_page", OWNER))
            ensure_account(pg_server.dsn("of_the_page", OWNER), "default")
            with PostgresStore.open(pg_server.dsn("of_the_page", SERVICE), "default", "test") as store:
                open_contract(store)
                assert [one.id for one in store.contracts()] == ["acme-1"]
        finally:
            superuser.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier("of_the_page")))
