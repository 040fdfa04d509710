"""`farthing rate` as a process: one answer a line, at once, whatever the lines are."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from farthing.edges.cli.rate import rate_stream

GOOD = b'{"id": 1, "price": {"currency": "usd", "unit_amount": 7}, "quantity": 3}\n'
BAD = b'{"id": 2, "price": {"currency": "usd"}, "quantity": 3}\n'
COMMAND = [sys.executable, "-c", "import typer; from farthing.edges.cli.rate import rate; typer.run(rate)"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}


def run(given: bytes, *options: str) -> tuple[int, list[dict[str, object]]]:
    done = subprocess.run([*COMMAND, *options], input=given, capture_output=True, env=ENVIRONMENT, timeout=60, check=False)
    assert done.stderr == b""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_every_line_is_answered_in_order() -> None:
    output = io.BytesIO()
    refused = rate_stream(iter([b"\xef\xbb\xbf" + GOOD, b"\n", b"  \r\n", b"nonsense\n", BAD, GOOD.strip()]), output, at_once=False)
    answers = [json.loads(line) for line in output.getvalue().splitlines()]
    assert refused == 2
    shown = [(answer["id"], answer.get("amount"), answer.get("line")) for answer in answers]
    assert shown == [(1, 21, None), (None, None, 4), (2, None, None), (1, 21, None)]


def test_text_survives_and_half_characters_are_escaped() -> None:
    output = io.BytesIO()
    rate_stream(iter(['{"id": "ü€", "price": {"currency": "usd", "\\ud800": 1}, "quantity": 3}'.encode()]), output, at_once=True)
    answer = json.loads(output.getvalue())
    assert answer["id"] == "ü€"
    assert answer["error"]["code"] == "text_not_storable"


def test_refused_lines_do_not_change_the_exit_code() -> None:
    code, answers = run(BAD + GOOD)
    assert code == 0
    assert [answer["id"] for answer in answers] == [2, 1]


@pytest.mark.parametrize(("given", "code"), [(GOOD, 0), (GOOD + BAD + GOOD, 1), (b"", 0)])
def test_strict(given: bytes, code: int) -> None:
    assert run(given, "--strict")[0] == code


def test_an_answer_comes_before_the_next_question() -> None:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        watchdog = threading.Timer(30, process.kill)  # an answer that never comes is a failure, not a test that hangs
        watchdog.start()
        for _ in range(3):
            process.stdin.write(GOOD)
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["amount"] == 21
        process.stdin.close()
        assert process.wait(timeout=60) == 0
        watchdog.cancel()


def test_a_reader_that_leaves_early_is_no_error() -> None:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(GOOD)
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(GOOD * 2)
        process.stdin.close()
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == b""
