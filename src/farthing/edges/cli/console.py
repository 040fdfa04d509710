"""How commands speak: notes and progress on standard error, results on standard output, errors by name."""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from farthing.app.store import Progress as Step
from farthing.core.base.refusal import Refusal
from farthing.edges.cli.refusals import ARGUMENTS_INVALID, INTERNAL_ERROR

PIPE_CLOSED = 141
"""The exit code after the reader of standard output went away: the one that a shell shows for a program that SIGPIPE ended."""

_ERRORS = Console(stderr=True)


def notes(quiet: bool) -> Callable[[str], None]:
    """A function that tells what is going on, on standard error; silent when `quiet`."""
    return (lambda _: None) if quiet else (lambda text: _ERRORS.print(f"[dim]{text}[/dim]", highlight=False))


def created(as_json: bool) -> Callable[[str], None]:
    """A function that tells which account was created, on standard error; it is never silent, since the name may be a typing error."""

    return lambda account: note(f"created the account {json.dumps(account, ensure_ascii=False)}", as_json)


def note(text: str, as_json: bool) -> None:
    """Tell something on standard error that is never silent: what the caller may not expect, though nothing is wrong."""
    typer.echo(json.dumps({"note": text}, ensure_ascii=False) if as_json else text, err=True)


@contextmanager
def errors(as_json: bool) -> Iterator[None]:
    """Refusals and failures end the command with exit code 2 and say what happened, where, and what to do.

    What has no name is an `internal_error`; with FARTHING_DEBUG set it goes on as a traceback instead. A reader of standard output
    that has seen enough ends the command without a word, with `PIPE_CLOSED`.
    """
    try:
        with _told(as_json):
            yield
    except BrokenPipeError:  # also of telling an error
        _let_go()
        raise typer.Exit(PIPE_CLOSED) from None


@contextmanager
def _told(as_json: bool) -> Iterator[None]:
    try:
        yield
    except (typer.Exit, BrokenPipeError):
        raise
    except Refusal as refusal:
        _fail(refusal.document(), as_json)
    except typer.TyperException as error:
        _misused(error, as_json)
    except OSError as error:
        field = None if error.filename is None else str(error.filename)
        message = f"{error.strerror or error}. Check the path, its permissions and the disk."
        _fail({"code": "file_unreadable", "message": message, "field": field}, as_json)
    except Exception as error:
        code = getattr(error, "code", None)
        if isinstance(code, str):
            message, hint = str(getattr(error, "message", error)), getattr(error, "hint", "")
            apart = "\n" if "\n" in message else " "  # from the lines of a log
            _fail({"code": code, "message": f"{message}{apart}{hint}".strip(), "field": None}, as_json)
        if os.environ.get("FARTHING_DEBUG"):
            raise
        _fail(Refusal(INTERNAL_ERROR, _unforeseen(error)).document(), as_json)


def _fail(error: dict[str, Any], as_json: bool) -> None:
    tell(error, as_json)
    raise typer.Exit(2)


def tell(error: dict[str, Any], as_json: bool) -> None:
    """Print an error: name, place, what happened and what to do."""
    if as_json:
        typer.echo(json.dumps({"error": error}, ensure_ascii=False))
    else:
        place = f" (at {error['field']})" if error["field"] else ""
        _ERRORS.print(f"{error['code']}{place}: {error['message']}", style="red", markup=False, highlight=False, soft_wrap=True)


def _misused(error: typer.TyperException, as_json: bool) -> None:
    """The command line was not understood. Without a message it was a call without arguments, for which the help is printed already."""
    message: str = error.format_message() if hasattr(error, "format_message") else str(error)
    if not message:
        raise typer.Exit(2)
    param = getattr(error, "param", None)
    option = getattr(error, "option_name", None) or (param.opts[0] if param is not None else None)
    text = message if message.endswith((".", "?")) else f"{message}."
    _fail(Refusal(ARGUMENTS_INVALID, text, None if option is None else field_of(option)).document(), as_json)


def field_of(option: str) -> str:
    """An option as the field of a refusal: `--data-dir` is data_dir."""
    return option.lstrip("-").replace("-", "_")


def _unforeseen(error: Exception) -> str:
    """What failed and where in a sentence. Connection strings are left out: they may hold a password."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    text = re.sub(r"\S*(://|password=)\S*", "…", str(error)).strip().split("\n")[0][:200].rstrip(".")
    return f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}{': ' if text else ''}{text}."


def _let_go() -> None:
    """Keep the interpreter from flushing into the closed pipe when it ends."""
    with suppress(OSError, ValueError):  # no descriptor behind it, as in tests
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def bar(quiet: bool) -> Iterator[Callable[[Step], None]]:
    """A progress bar on standard error, fed by steps; silent when `quiet`."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_ERRORS, disable=quiet, transient=True) as progress:
        tasks: dict[str, Any] = {}

        def on_progress(step: Step) -> None:
            if step.what not in tasks:
                tasks[step.what] = progress.add_task(step.what, total=step.total)
            progress.update(tasks[step.what], completed=step.done)

        yield on_progress
