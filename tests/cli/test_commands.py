"""The command line over a real database: files of every kind in, bills out, explained and proven; JSON is JSON, errors have names."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cli_shell import Shell, event


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


def test_a_file_whose_mapping_was_mended_is_read_again(ready: Shell) -> None:
    file = ready.file("calls.csv", "id,when,calls\na,2025-01-02 10:00,3\n")
    common = ("ingest", file, "--mapping")
    columns = '[columns]\nidentifier = "id"\ntimestamp = "when"\nvalue = "calls"\n[constants]\nevent_name = "call"\ncustomer = "acme"\n'
    wrong = ready.file("wrong.toml", columns + '[timestamp]\ntime_zone = "UTC"\nformat = "%Y-%m-%d %H.%M"\n')
    right = ready.file("right.toml", columns + '[timestamp]\ntime_zone = "UTC"\nformat = "%Y-%m-%d %H:%M"\n')
    assert [(one["accepted"], one["refused"]) for one in ready.json(*common, wrong, code=1)] == [(0, 1)]
    assert [(one["accepted"], one["refused"], one["resumed"]) for one in ready.json(*common, right)] == [(1, 0, False)]
    assert [(one["accepted"], one["resumed"]) for one in ready.json(*common, right)] == [(0, True)]


@pytest.mark.parametrize("form", ["%Y-%d/%m/%Y %H:%M", "%Q", "%"])
def test_a_time_format_that_is_none_is_refused_at_once(ready: Shell, form: str) -> None:
    mapping = ready.file("bad.toml", f'[columns]\nidentifier = "id"\n[timestamp]\nformat = "{form}"\n')
    refused = ready.json("ingest", ready.file("a.csv", "id\n1\n"), "--mapping", mapping, code=2)["error"]
    assert (refused["code"], refused["field"]) == ("mapping_malformed", "timestamp.format")


def test_a_mapping_file_and_single_arguments_exclude_each_other(ready: Shell) -> None:
    mapping = ready.file("m.toml", '[columns]\nidentifier = "id"\n')
    refused = ready.json("ingest", ready.file("a.csv", "id\n1\n"), "--mapping", mapping, "--set", "event_name=call", code=2)["error"]
    assert (refused["code"], refused["field"]) == ("fields_conflict", "mapping")
