"""Commands run in the process against a real database, through the wiring of main.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from farthing.app.store import Store
from farthing.core.base.time import parse_instant
from farthing.edges.cli import build
from farthing.edges.cli.wiring import Settings, Wiring
from farthing.edges.files.source import open_source
from farthing.main import file_options, open_rejects, open_store

CATALOGUE = {
    "customers": [{"id": "acme"}],
    "meters": [{"id": "calls", "event_name": "call", "default_aggregation": {"formula": "sum"}}],
    "prices": [{"lineage": "calls", "price": {"id": "calls-1", "currency": "usd", "unit_amount": 7}}],
    "contracts": [
        {
            "id": "k",
            "customer": "acme",
            "currency": "usd",
            "starts_at": "2025-01-01T00:00:00Z",
            "billing": {"interval": "month", "anchor": "2025-01-01T00:00:00"},
            "items": [{"id": "calls", "description": "API calls", "price": "calls", "meter": "calls"}],
        }
    ],
}


class Shell:
    """Runs commands against one database. Its test sets FARTHING_OWNER_URL, if it wants to have an owner."""

    def __init__(self, service_dsn: str | None, folder: Path) -> None:
        self.folder, self.dsn, self.opened, self._ids = folder, service_dsn, 0, count(1)

    def run(self, *arguments: str, code: int = 0) -> Result:
        wiring = Wiring(self._open, file_options, open_source, open_rejects, lambda: parse_instant("2025-06-15T00:00:00Z"), self._id)
        result = CliRunner().invoke(build(wiring), list(arguments))
        assert result.exit_code == code, (result.output, result.exception)
        return result

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code).stdout)

    def file(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._ids)}"

    def _open(self, settings: Settings, say: Callable[[str], None]) -> AbstractContextManager[Store]:
        self.opened += 1
        return open_store(replace(settings, database_url=self.dsn if settings.database_url is None else settings.database_url), say)


def event(identifier: str, value: str = "1") -> dict[str, Any]:
    payload = {"stripe_customer_id": "acme", "value": value}
    return {"identifier": identifier, "event_name": "call", "timestamp": "2025-01-05T00:00:00Z", "payload": payload}
