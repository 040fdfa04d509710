"""The `farthing` command as a whole: whatever goes wrong in it, from the first argument on, is told by name and ends with a code."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import TEXT_NOT_STORABLE
from farthing.core.events.fields import storable
from farthing.edges.cli.console import errors, field_of

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells give it."""


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
        except KeyboardInterrupt:
            typer.echo("Interrupted. What was finished is kept; the same command goes on from there.", err=True)
            return INTERRUPTED
        return 0


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
