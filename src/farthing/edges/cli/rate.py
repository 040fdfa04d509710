"""`farthing rate`: the price calculator over standard input and output."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterable
from typing import IO, Annotated, BinaryIO, TextIO

import typer

from farthing.app.rate import rate_line
from farthing.core.base.refusal import Refusal
from farthing.edges.cli.refusals import STREAM_CLOSED


def rate(strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if any line was refused.")] = False) -> None:
    """Rate NDJSON lines of {"id", "price", "quantity" or "events"} from standard input; see docs/pricing.md.

    Refused lines are answered with an error each and stop nothing; the exit code is 0 unless --strict is given.
    """
    source, output = _bytes(sys.stdin, "standard input"), _bytes(sys.stdout, "standard output")
    try:
        refused = rate_stream(source, output, at_once=not _is_file(source))
    except BrokenPipeError:  # the reader has seen enough; keep the interpreter from flushing into the closed pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
        refused = 0
    if strict and refused:
        raise typer.Exit(1)


def _bytes(stream: TextIO | None, name: str) -> BinaryIO:
    """The bytes of a standard stream; the interpreter has none (None) where the caller closed it."""
    if stream is None:
        raise Refusal(STREAM_CLOSED, f"{name} is closed.")
    return stream.buffer


def rate_stream(lines: Iterable[bytes], output: IO[bytes], at_once: bool) -> int:
    """Answer every line that is not blank, in order, one at a time; `at_once` flushes each. Returns how many were refused."""
    refused = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        answer = rate_line(line, number)
        refused += "error" in answer
        output.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
        if at_once:
            output.flush()
    output.flush()
    return refused


def _is_file(stream: IO[bytes]) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except OSError:  # no descriptor behind it, as in tests
        return False
