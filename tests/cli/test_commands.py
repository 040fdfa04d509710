"""The command line over a real database: files of every kind in, bills out, explained and proven; JSON is JSON, errors have names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from farthing.app.store import Store
from farthing.core.base.time import parse_instant
from farthing.edges.cli import build
from farthing.edges.cli.wiring import Settings, Wiring
from farthing.edges.files.source import open_source
from farthing.edges.postgres.migrate import ensure_account, migrate
from farthing.edges.postgres.store import PostgresStore
from farthing.main import file_options, open_rejects

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
    """Runs commands against one database."""

    def __init__(self, service_dsn: str, folder: Path) -> None:
        self.folder, self._dsn, self._ids = folder, service_dsn, count(1)

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

    @contextmanager
    def _open(self, settings: Settings, say: Any) -> Iterator[Store]:
        with PostgresStore.open(self._dsn, settings.account, "test") as store:
            yield store


@pytest.fixture
def shell(fresh_database: Any, tmp_path: Path) -> Shell:
    migrate(fresh_database.owner)
    ensure_account(fresh_database.owner, "default")
    return Shell(fresh_database.service, tmp_path)


@pytest.fixture
def ready(shell: Shell) -> Shell:
    assert shell.json("apply", shell.file("catalogue.json", json.dumps(CATALOGUE)))["prices"] == 1
    return shell


def event(identifier: str, value: str = "1") -> dict[str, Any]:
    payload = {"stripe_customer_id": "acme", "value": value}
    return {"identifier": identifier, "event_name": "call", "timestamp": "2025-01-05T00:00:00Z", "payload": payload}


def test_files_of_every_kind_go_into_the_log_and_onto_the_bill(ready: Shell) -> None:
    rows = "id,when,who,calls\na,2025-01-02 10:00:00,acme,3\nb,2025-01-02 10:00:00,acme,4\n"
    mapping = ["--map", "identifier=id", "--map", "timestamp=when", "--map", "customer=who", "--map", "value=calls"]
    loaded = ready.json("ingest", ready.file("calls.csv", rows), *mapping, "--set", "event_name=call", "--time-zone", "Europe/London")
    assert [(one["accepted"], one["refused"]) for one in loaded] == [(2, 0)]
    cloud = {
        "specversion": "1.0",
        "id": "1",
        "source": "/api",
        "type": "call",
        "subject": "acme",
        "time": "2025-01-03T00:00:00Z",
        "data": {"value": 5},
    }
    ready.json("ingest", ready.file("events.ndjson", json.dumps(event("n", "2")) + "\n"), ready.file("cloud.json", json.dumps([cloud])))
    columns = {"identifier": ["p"], "event_name": ["call"], "customer": ["acme"], "value": [6], "timestamp": ["2025-01-04T00:00:00Z"]}
    pq.write_table(pa.table(columns), ready.folder / "events.parquet")
    ready.json("ingest", str(ready.folder / "events.parquet"))
    [bill] = [json.loads(line) for line in ready.run("bill", "--until", "2025-02-01T00:00:00Z", "--json").stdout.splitlines()]
    assert [(line["quantity"], line["amount_exact"], line["amount"]) for line in bill["lines"]] == [(20, "140", 140)]
    assert (bill["number"], bill["period_start"], bill["currency"]) == ("INV-000001", "2025-01-01T00:00:00+00:00", "usd")


def test_refused_rows_are_named_and_nothing_else_is_lost(ready: Shell) -> None:
    lines = [
        json.dumps(event("a")),
        "{broken",
        json.dumps({**event("b"), "timestamp": "2025-01-05T00:00:00"}),
        json.dumps(event("a", "2")),
        json.dumps(event("c")),
    ]
    file = ready.file("events.ndjson", "\n".join(lines) + "\n")
    [loaded] = ready.json("ingest", file, code=1)
    assert (loaded["accepted"], loaded["refused"]) == (2, 3)
    rejects = [json.loads(line) for line in Path(file + ".rejects.ndjson").read_text(encoding="utf-8").splitlines()]
    found = sorted((reject["line"], reject["field"], reject["code"]) for reject in rejects)
    assert [(line, code) for line, _, code in found] == [(2, "json_malformed"), (3, "timestamp_naive"), (4, "identifier_conflict")]
    assert found[1][1] == "timestamp"
    [again] = ready.json("ingest", file)
    assert (again["accepted"], again["refused"], again["resumed"]) == (0, 0, True)


def test_explain_verify_and_aside_speak_json(ready: Shell) -> None:
    ready.json("ingest", ready.file("e.ndjson", json.dumps(event("a")) + "\n" + json.dumps({**event("x"), "event_name": "unmetered"}) + "\n"))
    ready.run("bill", "--until", "2025-02-01T00:00:00Z")
    explained = ready.json("explain", "INV-000001:1")
    assert "0.07 USD" in json.dumps(explained)
    assert "1 unit × 0.07 USD" in ready.run("explain", "INV-000001:1").stdout
    assert [json.loads(line)["identifier"] for line in ready.run("explain", "INV-000001:1", "--events", "--json").stdout.splitlines()] == ["a"]
    assert ready.json("verify")["verified"] is True
    assert "Verified" in ready.run("verify").stdout
    assert json.loads(ready.run("aside", "--json").stdout)["event_name"] == "unmetered"
    assert json.loads(ready.run("invoices", "--json").stdout)["total"] == 7


def test_a_contract_held_back_is_named_and_the_exit_code_is_one(ready: Shell) -> None:
    tiers = [{"up_to": 5, "unit_amount": 7}, {"up_to": "inf", "unit_amount": 6}]
    price = {"id": "calls-2", "currency": "usd", "billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": tiers}
    ready.run("apply", ready.file("tiers.json", json.dumps({"prices": [{"lineage": "calls", "price": price}]})))
    ready.json("ingest", ready.file("e.ndjson", json.dumps(event("a", "-1")) + "\n"))
    told = ready.json("bill", "--until", "2025-02-01T00:00:00Z", code=1)["held"]
    assert (told["contract"], told["customer"], told["code"], told["field"]) == ("k", "acme", "quantity_negative", "items.calls.quantity")
    assert "HELD: contract k of acme" in ready.run("bill", "--until", "2025-02-01T00:00:00Z", code=1).output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("explain", "INV-000009:1"), "line_unknown"),
        (("bill", "--until", "yesterday"), "timestamp_malformed"),
        (("bill", "--engine", "abacus"), "field_invalid"),
        (("ingest", "/no/such/file.csv"), "file_unreadable"),
        (("apply", "/no/such/file.json"), "file_unreadable"),
    ],
)
def test_errors_have_a_name_and_exit_code_two(shell: Shell, arguments: tuple[str, ...], code: str) -> None:
    assert shell.json(*arguments, code=2)["error"]["code"] == code
