"""The `farthing` command as a whole: whatever goes wrong in it, from the first argument on, is told by name and ends with a code."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import TEXT_NOT_STORABLE
from farthing.core.events.fields import storable
from farthing.edges.cli.console import errors, field_of, tell
from farthing.edges.cli.refusals import INTERRUPTED

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that end a command: Ctrl-C, the polite `kill`, and the terminal that went away."""


class Ended(KeyboardInterrupt):
    """A signal that ends the command. As an interrupt it goes through everything, and database drivers cancel what they wait for."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = signal.Signals(number)


def end_in_order() -> None:
    """Let the signals of `ENDING` unwind the command, so that what it started is stopped: the first one; more of them change nothing.

    What the caller had ignored (nohup, a job in the background) stays ignored.
    """
    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)
    raise Ended(number)


class Commands(TyperGroup):
    """The group of all commands."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, *_rest: Any, **_named: Any) -> NoReturn:
        """Run a command line and exit with its code. Errors are printed as JSON where the command line says --json."""
        sys.exit(self._run(list(sys.argv[1:] if args is None else args), prog_name or "farthing"))

    def _run(self, given: list[str], name: str) -> int:
        as_json = "--json" in given[: given.index("--") if "--" in given else None]
        _speak(as_json)
        try:
            with errors(as_json):
                check_arguments(given)
                with self.make_context(name, given) as context:
                    self.invoke(context)
        except typer.Exit as end:
            return end.exit_code
        except KeyboardInterrupt as error:
            return _interrupted(error, as_json)
        return 0


def _interrupted(error: KeyboardInterrupt, as_json: bool) -> int:
    number = error.number if isinstance(error, Ended) else signal.SIGINT
    with suppress(typer.Exit), errors(as_json):  # its reader may have gone, too
        tell(Refusal(INTERRUPTED, f"{number.name} ended the command.").document(), as_json)
    return 128 + number


def _speak(as_json: bool) -> None:
    """JSON is UTF-8 whatever the terminal's encoding is; text that the terminal has no character for is escaped, and breaks nothing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8" if as_json else None, errors="backslashreplace")


def check_arguments(given: Sequence[str]) -> None:
    """Refuse arguments that are no text: they end up in file names, in the database and on the terminal. Errors: text_not_storable."""
    for place, argument in enumerate(given):
        if not storable(argument):
            before = given[place - 1] if place else ""
            option = argument.partition("=")[0] if argument.startswith("--") else before if before.startswith("--") else ""
            field = field_of(option) if option and storable(option) else None
            raise Refusal(TEXT_NOT_STORABLE, f"argument {place + 1}, {argument[:60]!a}, contains NUL or is not UTF-8.", field)
