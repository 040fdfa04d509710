"""Ctrl-C, SIGTERM and SIGHUP in the middle of a command: told by name, the right exit code, no traceback, and no server is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from cli_shell import CATALOGUE, Shell, event

from farthing.edges.postgres.cluster.processes import processes, undisturbed

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
STUCK = """
import sys, time
from importlib import import_module
from farthing import main
module, _, name = sys.argv.pop(1).partition(":")
way = sys.argv.pop(1)

def stuck(first, *rest, **named):
    print("stuck", file=sys.stderr)
    if way == "database":
        first.session.run(lambda connection: connection.execute("SELECT pg_sleep(600)"))
    time.sleep(600)

setattr(import_module(module), name, stuck)
main.run()
"""
"""The command line, in which one function begins and never ends: in Python, or while the database works."""

WORK = [
    ("verify", "farthing.edges.cli.bills:verify", "database", signal.SIGINT),
    ("bill", "farthing.edges.cli.bills:bill_until", "python", signal.SIGTERM),
    ("ingest", "farthing.edges.cli.ingest:ingest", "database", signal.SIGHUP),
    ("ingest", "farthing.edges.cli.ingest:ingest", "python", signal.SIGINT),
    ("verify", "farthing.edges.cli.bills:verify", "database", signal.SIGTERM),
    ("apply", "farthing.main:_open", "python", signal.SIGHUP),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a database."""
    folder = tmp_path_factory.mktemp("signals")
    (folder / "catalogue.json").write_text(json.dumps(CATALOGUE), encoding="utf-8")
    command = [sys.executable, "-m", "farthing", "apply", str(folder / "catalogue.json"), "--data-dir", str(folder / "data")]
    subprocess.run(command, capture_output=True, env=ENVIRONMENT, check=True)
    return folder / "data"


@pytest.mark.parametrize(("command", "where", "way", "number"), WORK)
def test_a_signal_ends_a_command_in_order(bare: Shell, data: Path, command: str, where: str, way: str, number: signal.Signals) -> None:
    files = {"ingest": [bare.file("e.ndjson", json.dumps(event("a")) + "\n")], "apply": [bare.file("c.json", "{}")]}
    form = ["--json"] if way == "python" else []
    arguments = [sys.executable, "-c", STUCK, where, way, command, *files.get(command, []), "--data-dir", str(data), *form]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        assert process.stdout is not None and process.stderr is not None
        said = ""
        while "stuck\n" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        assert processes(data / "postgres" / "cluster"), "its server runs"
        for _ in range(3):  # once more, and once more, as people do
            with suppress(ProcessLookupError):
                process.send_signal(number)
        told, rest = process.communicate(timeout=240)
    assert (process.returncode, "Traceback" in rest) == (128 + number, False), rest
    assert not processes(data / "postgres" / "cluster")
    if form:
        assert json.loads(told)["error"]["code"] == "interrupted"
    else:
        assert f"interrupted: {number.name} ended the command. What was finished is kept." in rest
        assert told == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_the_caller_had_ignored_stays_ignored(number: signal.Signals) -> None:
    script = f"import signal; signal.signal({int(number)}, signal.SIG_IGN); from farthing.main import run; run()"
    command = [sys.executable, "-c", script, "rate"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        assert process.stdin is not None and process.stdout is not None
        for _ in range(2):
            process.stdin.write(b'{"id": 1, "price": {"currency": "usd", "unit_amount": 7}, "quantity": 3}\n')
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["amount"] == 21
            process.send_signal(number)
        assert process.communicate(timeout=240)[1] == b""
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_calculator_that_waits_for_a_line(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "farthing", "rate"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.write(b'{"id": 1, "price": {"currency": "usd", "unit_amount": 7}, "quantity": 3}\n')
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["amount"] == 21
        process.send_signal(number)
        assert process.wait(240) == 128 + number
        assert process.stderr.read().startswith(b"interrupted: ")


@pytest.mark.parametrize(("closed", "says"), [(0, "standard input is closed"), (1, "standard output is closed")])
def test_the_calculator_names_a_stream_that_is_closed(closed: int, says: str) -> None:
    script = 'import os, sys; os.close(int(sys.argv[1])); os.execv(sys.executable, [sys.executable, "-m", "farthing", "rate"])'
    result = subprocess.run([sys.executable, "-c", script, str(closed)], stdin=subprocess.DEVNULL, capture_output=True, env=ENVIRONMENT, check=False)
    assert (result.returncode, result.stdout) == (2, b"")
    code, _, message = result.stderr.decode().partition(": ")
    assert (code, message.startswith(says)) == ("stream_closed", True)


def test_a_signal_waits_until_what_has_to_be_done_whole_is_done() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt):
        with undisturbed():
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")
        done.append("not this")
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
