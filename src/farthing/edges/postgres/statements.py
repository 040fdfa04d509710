"""Named SQL: every statement of this package stands in sql/<name>.sql."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def statement(name: str) -> bytes:
    """The text of a named statement. Parameters are named: %(name)s."""
    return (resources.files("farthing.edges.postgres") / "sql" / f"{name}.sql").read_bytes()
