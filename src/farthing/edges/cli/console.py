"""How commands speak: notes and progress on standard error, results on standard output, errors by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from farthing.app.store import Progress as Step
from farthing.core.base.refusal import Refusal

_ERRORS = Console(stderr=True)


def notes(quiet: bool) -> Callable[[str], None]:
    """A function that tells what is going on, on standard error; silent when `quiet`."""
    return (lambda _: None) if quiet else (lambda text: _ERRORS.print(f"[dim]{text}[/dim]", highlight=False))


@contextmanager
def errors(as_json: bool) -> Iterator[None]:
    """Refusals and named failures end the command with exit code 2 and say what happened, where, and what to do."""
    try:
        yield
    except Refusal as refusal:
        _fail(refusal.document(), as_json)
    except OSError as error:
        _fail({"code": "file_unreadable", "message": f"{error.strerror or error}.", "field": error.filename}, as_json)
    except Exception as error:
        code = getattr(error, "code", None)
        if not isinstance(code, str):
            raise
        _fail({"code": code, "message": f"{error} {getattr(error, 'hint', '') or ''}".strip(), "field": None}, as_json)


def _fail(error: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"error": error}, ensure_ascii=False))
    else:
        place = f" (at {error['field']})" if error["field"] else ""
        _ERRORS.print(f"{error['code']}{place}: {error['message']}", style="red", markup=False, highlight=False)
    raise typer.Exit(2)


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
