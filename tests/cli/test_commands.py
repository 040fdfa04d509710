"""The command line over a real database: files of every kind in, bills out, explained and proven; JSON is JSON, errors have names."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cli_shell import Shell, event

from farthing.edges.files.csv_rows import ENCODINGS
from farthing.edges.files.options import read_options
from farthing.edges.files.source import _COMPRESSED, _SUFFIXES, open_source


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


def test_a_time_that_is_not_as_the_mapping_says_is_told_so(ready: Shell) -> None:
    columns = '[columns]\nidentifier = "id"\ntimestamp = "when"\n[constants]\nevent_name = "call"\ncustomer = "acme"\n[timestamp]\n'
    for form, written in (("%d/%m/%Y", "2025-01-02"), ("unix", "soon"), ("unix", "9" * 15)):
        mapping = ready.file("form.toml", f'{columns}time_zone = "UTC"\nformat = "{form}"\n')
        file = ready.file("times.csv", f"id,when\na,{written}\n")
        assert ready.json("ingest", file, "--mapping", mapping, code=1)[0]["refused"] == 1
        reject = json.loads(Path(f"{file}.rejects.ndjson").read_text(encoding="utf-8").splitlines()[-1])
        assert (reject["code"], reject["field"]) == ("time_format_mismatch", "when")
        assert written in reject["message"] and "2025-01-31T12:00:00Z" not in reject["message"]
        Path(f"{file}.rejects.ndjson").unlink()


def test_the_help_of_ingest_lists_every_format_and_compression(bare: Shell) -> None:
    shown = " ".join(bare.run("ingest", "--help").stdout.replace("│", " ").split())
    assert all(name in shown for name in (*_SUFFIXES, *_COMPRESSED, "Parquet") if name not in (".json", ".parquet")), shown


def test_every_encoding_that_the_page_names_is_read_and_no_other(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
    named = re.findall(r"`([^`]+)`", page.split("`encoding`, one of ")[1].split(", under")[0])
    assert sorted(named) == sorted(ENCODINGS)
    for name in (*named, "latin-1"):
        (tmp_path / "rows.csv").write_bytes("identifier,event_name,timestamp,customer,value\na,call,2025-01-02T00:00:00Z,Zoe,3\n".encode(name))
        (tmp_path / "map.toml").write_text(f'[file]\nencoding = "{name}"\n')
        [batch] = open_source(tmp_path / "rows.csv", read_options(tmp_path / "map.toml")).batches(10)
        assert (len(batch.accepted), len(batch.rejected)) == (1, 0), name


def test_the_version_is_told_and_is_that_of_the_package(bare: Shell) -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert bare.run("--version").stdout == f"farthing {project['version']}\n"
    assert "--version" in bare.run("--help").stdout
    assert bare.opened == 0


def test_a_page_without_events_is_refused_by_name(bare: Shell) -> None:
    error = bare.json("explain", "INV-000001:1", "--page", "2", code=2)["error"]
    assert (error["code"], error["field"]) == ("arguments_invalid", "page")
    assert "--events" in error["message"]
    assert bare.opened == 0
