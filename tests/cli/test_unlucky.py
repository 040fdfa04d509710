"""What an unlucky operator does to the command line: every time a name, a place and what to do; no traceback, no secret, no surprise."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
import typer
from cli_shell import Shell, event
from typer.testing import CliRunner

from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_INVALID
from farthing.edges.cli import bills, build
from farthing.edges.cli.wiring import Wiring, on_store, settings_from
from farthing.edges.postgres import store as postgres_store
from farthing.edges.postgres.session import Patience
from farthing.edges.postgres.supervisor import DatabaseError, ephemeral, told_of_death

SECRET = "hunter2"


def billed(shell: Shell) -> Shell:
    """One bill of three events."""
    lines = "".join(json.dumps(event(name)) + "\n" for name in "abc")
    shell.json("ingest", shell.file("e.ndjson", lines))
    shell.run("bill", "--until", "2025-02-01T00:00:00Z")
    return shell


def broken(*_: Any) -> None:
    raise KeyError(f"postgresql://farthing:{SECRET}@host/db")


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ("99999999999999999999", "arguments_invalid"),
        ("0", "arguments_invalid"),
        ("-1", "arguments_invalid"),
        ("x", "arguments_invalid"),
        ("2", "page_unknown"),
        ("1000000000", "page_unknown"),
    ],
)
def test_a_page_that_there_is_not_is_refused_by_name(ready: Shell, page: str, code: str) -> None:
    billed(ready)
    assert len(ready.run("explain", "INV-000001:1", "--events", "--page", "1", "--json").stdout.splitlines()) == 3
    error = ready.json("explain", "INV-000001:1", "--events", "--page", page, code=2)["error"]
    assert (error["code"], error["field"]) == (code, "page")
    assert code in ready.run("explain", "INV-000001:1", "--events", "--page", page, code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        (("verify", "--account", ""), "text_empty", "account"),
        (("verify", "--account", "x" * 201), "text_too_long", "account"),
        (("verify", "--account", "caf\udcff"), "text_not_storable", "account"),
        (("verify", "--account=caf\udcff"), "text_not_storable", "account"),
        (("bill", "--customer", "a\0b"), "text_not_storable", "customer"),
        (("explain", "INV\udcff:1"), "text_not_storable", None),
        (("ingest", "\udcff.csv"), "text_not_storable", None),
        (("bill", "--until", "\ud800"), "text_not_storable", "until"),
    ],
)
def test_arguments_that_are_no_text_are_refused_by_name(bare: Shell, arguments: tuple[str, ...], code: str, field: str | None) -> None:
    error = bare.json(*arguments, code=2)["error"]
    assert (error["code"], error["field"]) == (code, field)
    assert code in bare.run(*arguments, code=2).stderr


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "empty"),
        (f"garbage-{SECRET}", "does not begin with postgresql://"),
        (f"mysql://u:{SECRET}@host/db", "does not begin with postgresql://"),
        (f"postgresql://u:{SECRET}@host:99999/db", "port"),
        (f"postgresql://u:{SECRET}@host:0/db", "port"),
        (f"postgresql://u:{SECRET}@host:port/db", "port"),
        (f"postgresql://u:a@{SECRET}@host/db", "has an @"),
        (f"postgresql://u:1/{SECRET}@host/db", "has an @"),
        (f"postgresql://u:{SECRET}%zz@host/db", "form"),
        (f"postgresql://u:p@host/db?{SECRET}=1", "form"),
        (f"postgresql://u:{SECRET}@[::1/db", "form"),
        (f"host=h password='{SECRET}", "does not begin"),
    ],
)
def test_a_malformed_database_url_is_refused_and_never_shown(bare: Shell, url: str, says: str) -> None:
    for form in ([], ["--json"]):
        result = bare.run("verify", "--database-url", url, *form, code=2)
        assert all(part in result.output for part in ("database_url_malformed", "database_url", says, "postgresql://user:password@host"))
        assert SECRET not in result.output


def test_a_malformed_url_of_the_owner_is_refused_and_never_shown(bare: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARTHING_OWNER_URL", f"postgresql://u:a@{SECRET}@host/db")
    result = bare.run("verify", "--database-url", "postgresql:///db", "--json", code=2)
    assert json.loads(result.stdout)["error"]["field"] == "FARTHING_OWNER_URL"
    assert SECRET not in result.output


def test_a_database_that_does_not_answer_is_named_without_its_password(bare: Shell) -> None:
    for host in ("127.0.0.1:1", "nowhere.invalid"):
        result = bare.run("verify", "--database-url", f"postgresql://u:{SECRET}@{host}/db", "--json", code=2)
        assert json.loads(result.stdout)["error"]["code"] == "database_unavailable"
        assert SECRET not in result.output


def test_a_mistake_of_farthing_is_named_and_keeps_secrets(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bills, "verify", broken)
    error = shell.json("verify", code=2)["error"]
    assert (error["code"], error["field"]) == ("internal_error", None)
    told = shell.run("verify", code=2)
    assert "internal_error: KeyError in test_unlucky.py, line " in told.stderr
    assert "FARTHING_DEBUG=1" in told.stderr
    assert told.stdout == ""
    for result in (told, shell.run("verify", "--json", code=2)):
        assert SECRET not in result.output
        assert "Traceback" not in result.output
    monkeypatch.setenv("FARTHING_DEBUG", "1")
    assert isinstance(shell.run("verify", code=1).exception, KeyError)


def test_every_command_names_its_mistakes(bare: Shell) -> None:
    def never(*_: Any) -> Any:
        raise ZeroDivisionError

    app = build(Wiring(never, never, never, never, never, never))
    calls = [["bill"], ["correct"], ["invoices"], ["explain", "I:1"], ["verify"], ["aside"], ["demo"]]
    for call in [*calls, ["ingest", bare.file("e.ndjson", "")], ["apply", bare.file("c.json", "{}")]]:
        result = CliRunner().invoke(app, [*call, "--json"])
        assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (2, "internal_error"), call


def test_an_interrupt_ends_without_a_traceback(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bills, "verify", interrupt)
    result = shell.run("verify", code=130)
    assert result.stderr.strip().startswith("interrupted: SIGINT ended the command. What was finished is kept.")
    assert shell.json("verify", code=130)["error"]["code"] == "interrupted"


def farthing(shell: Shell, *arguments: str) -> subprocess.Popen[bytes]:
    """The command in a process of its own, whose standard output is closed at once by its reader."""
    read, write = os.pipe()
    os.close(read)
    environment = {**os.environ, "FARTHING_DATABASE_URL": str(shell.dsn), "PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        return subprocess.Popen([sys.executable, "-m", "farthing", *arguments], stdout=write, stderr=subprocess.PIPE, env=environment)
    finally:
        os.close(write)


def test_a_reader_that_has_seen_enough_is_no_error(ready: Shell) -> None:
    billed(ready)
    calls = [("explain", "INV-000001:1"), ("explain", "INV-000001:1", "--events"), ("verify", "--json"), ("explain", "NO:1", "--json")]
    for process in [farthing(ready, *call) for call in calls]:
        with process:
            assert process.stderr is not None
            told = process.stderr.read().decode()
            assert (told.replace("\n", ""), process.wait()) == ("", 141)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_without_the_characters_breaks_nothing(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "farthing", "bill", "--engine", "Zähler→"]
    for form in ([], ["--json"]):
        result = subprocess.run([*command, *form], env=environment, capture_output=True, check=False)
        assert result.returncode == 2
        if form:
            assert "Zähler→" in json.loads(result.stdout.decode("utf-8"))["error"]["message"]
        else:
            assert "Zähler→".encode(encoding, "backslashreplace") in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says", "field"),
    [
        (("verify", "--acount", "x"), "--acount", "acount"),
        (("explain",), "line", "line"),
        (("explain", "a:1", "b:2"), "b:2", None),
        (("vrify",), "verify", None),
        ((), "--json", "json"),
    ],
)
def test_usage_errors_are_json_where_json_is_asked_for(bare: Shell, arguments: tuple[str, ...], says: str, field: str | None) -> None:
    error = bare.json(*arguments, code=2)["error"]
    assert (error["code"], error["field"]) == ("arguments_invalid", field)
    assert says in error["message"]
    if arguments:
        plain = bare.run(*arguments, code=2)
        assert (plain.stdout, "arguments_invalid" in plain.stderr, "--help" in plain.stderr) == ("", True, True)


def test_without_a_command_the_help_is_shown(bare: Shell) -> None:
    assert "verify" in bare.run(code=2).output
    assert "verify" in bare.run("--help").stdout
    assert "--account" in bare.run("verify", "--help").stdout


def test_a_database_error_says_its_name_and_advice_once(bare: Shell) -> None:
    (bare.folder / "data").write_text("a file")
    error = bare.json("verify", "--data-dir", str(bare.folder / "data"), code=2)["error"]
    told = bare.run("verify", "--data-dir", str(bare.folder / "data"), code=2).stderr
    assert error["code"] not in error["message"]
    assert told.count(error["code"]) == 1
    assert str(bare.folder / "data") in told
    assert error["message"].count("Choose") == 1 or error["message"].count(". ") == 1


def test_a_server_of_ours_that_cannot_start_or_dies_says_why_and_what_to_do(bare: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = bare.folder / "data" / "postgres" / "cluster"
    where = ("--data-dir", str(bare.folder / "data"))
    assert bare.json("verify", *where, code=2)["error"]["code"] == "data_dir_empty", "to read is not to make a database"
    bare.run("apply", bare.file("nothing.json", "{}"), *where)
    assert "nothing to verify" in bare.run("verify", *where).stdout

    def die(store: Any, *_: Any) -> None:
        os.kill(int((cluster / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)
        store.head()

    monkeypatch.setattr(postgres_store, "Patience", lambda: Patience(return_=1))
    monkeypatch.setattr(bills, "verify", die)
    error = bare.json("verify", *where, code=2)["error"]
    assert error["code"] == "database_died"
    assert all(part in error["message"] for part in ("killed by signal 9", str(cluster / "log"), "Run the same command again"))
    monkeypatch.undo()
    (cluster / "local.conf").write_text("shared_buffers = 'plenty'\n")
    error = bare.json("verify", *where, code=2)["error"]
    assert error["code"] == "database_failed_to_start"
    assert all(part in error["message"] for part in ("shared_buffers", str(cluster / "log"), "Correct what the log says"))


def test_a_refusal_is_the_servers_death_only_if_it_died() -> None:
    with ephemeral() as server:
        with pytest.raises(Refusal, match="field_invalid"), told_of_death(server):
            raise Refusal(FIELD_INVALID, "other.")
        assert server.death() is None
        os.kill(server.pid, signal.SIGQUIT)
        os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(DatabaseError, match="database_died"), told_of_death(server):
            raise Refusal(FIELD_INVALID, "other.")
        server.stop()
        assert server.death() is None


def test_where_nothing_is_billed_there_is_nothing_to_verify(shell: Shell) -> None:
    found = shell.json("verify")
    assert (found["verified"], found["documents"], found["lines"], found["findings"]) == (True, 0, 0, [])
    assert shell.run("verify").stdout == "There is nothing to verify: no bill is final yet.\n"


@pytest.mark.parametrize("command", ["bill", "correct"])
def test_a_customer_who_does_not_exist_is_not_billed_in_silence(ready: Shell, command: str) -> None:
    for named in (("nobody",), ("acme", "nobody"), ("",)):
        error = ready.json(command, *(part for name in named for part in ("--customer", name)), code=2)["error"]
        assert (error["code"], error["field"]) == ("customer_unknown", "customer")
        assert repr(named[-1]) in error["message"]
    assert ready.run(command, "--customer", "acme").exit_code == 0


def test_files_are_read_before_the_database_is_opened(bare: Shell) -> None:
    good = bare.file("good.ndjson", json.dumps(event("a")) + "\n")
    for arguments, code in (
        (("ingest", good, "/no/such/file.csv"), "file_unreadable"),
        (("ingest", good, "--map", "nonsense"), "mapping_malformed"),
        (("apply", "/no/such/file.json"), "file_unreadable"),
        (("apply", bare.file("list.json", "[]")), "not_an_object"),
        (("apply", bare.file("broken.json", "{")), "json_malformed"),
        (("bill", "--until", "yesterday"), "timestamp_malformed"),
        (("bill", "--engine", "abacus"), "field_invalid"),
    ):
        assert bare.json(*arguments, code=2)["error"]["code"] == code
    assert bare.opened == 0


def test_only_commands_that_write_facts_create_an_account_and_say_so(shell: Shell) -> None:
    for command in (["bill"], ["correct"], ["invoices"], ["explain", "INV-000001:1"], ["verify"], ["aside"]):
        error = shell.json(*command, "--account", "acmee", code=2)["error"]
        assert (error["code"], error["field"]) == ("account_unknown", "account")
        assert "'acmee'" in error["message"]
    first = shell.run("apply", shell.file("c.json", "{}"), "--account", "acme")
    assert 'created the account "acme"' in first.stderr
    assert shell.run("apply", shell.file("c.json", "{}"), "--account", "acme").stderr == ""
    assert shell.json("verify", "--account", "acme")["verified"] is True
    loaded = shell.run("ingest", shell.file("e.ndjson", json.dumps(event("a"))), "--account", "globex", "--json")
    assert json.loads(loaded.stderr) == {"note": 'created the account "globex"'}
    assert json.loads(loaded.stdout)[0]["accepted"] == 1
    assert shell.run("apply", shell.file("c.json", "{}")).stderr == ""  # `default` is there from the start


def test_without_the_owner_no_account_is_created(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.json("verify")
    monkeypatch.delenv("FARTHING_OWNER_URL")
    error = shell.json("apply", shell.file("c.json", "{}"), "--account", "acme", code=2)["error"]
    assert error["code"] == "account_unknown"
    assert "FARTHING_OWNER_URL" in error["message"]


def test_the_options_of_a_store_are_defined_once(bare: Shell) -> None:
    def command(settings: Any, line: str, page: int = 1) -> None:
        assert (settings.account, settings.as_json, line, page) == ("acme", True, "a:1", 3)

    taken = on_store(command)
    assert list(inspect.signature(taken).parameters) == ["line", "page", *inspect.signature(settings_from).parameters]
    app = typer.Typer()
    app.command()(taken)
    result = CliRunner().invoke(app, ["a:1", "--page", "3", "--account", "acme", "--json"])
    assert result.exit_code == 0, result.output
    for name in ("bill", "correct", "invoices", "explain", "verify", "aside", "ingest", "apply"):
        shown = bare.run(name, "--help").stdout
        assert all(option in shown for option in ("--account", "--data-dir", "--database-url", "--live", "--json")), name
