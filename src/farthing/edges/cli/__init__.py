"""The command line: it translates between a terminal and the verbs."""

from __future__ import annotations

from typing import Annotated

import typer

from farthing import __version__
from farthing.edges.cli import adjust, bills, demo, ingest, serve, webhooks, worker
from farthing.edges.cli.group import Commands
from farthing.edges.cli.rate import rate
from farthing.edges.cli.wiring import Wiring


def build(wiring: Wiring, run_service: serve.Serve | None = None, run_worker: worker.RunWorker | None = None) -> typer.Typer:
    """The `farthing` command with everything it can do; `run_service` is what `farthing serve` runs, `run_worker` what `farthing worker`
    does."""
    app = typer.Typer(name="farthing", cls=Commands, help="Usage in, proven and explained bills out.", no_args_is_help=True, add_completion=False)
    app.callback()(_farthing)
    app.command("rate")(rate)
    ingest.add_commands(app, wiring)
    bills.add_commands(app, wiring)
    adjust.add_commands(app, wiring)
    demo.add_commands(app, wiring)
    if run_service is not None:
        serve.add_commands(app, run_service)
    worker.add_commands(app, wiring, run_worker)
    webhooks.add_commands(app, wiring)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"farthing {__version__}")
        raise typer.Exit


def _farthing(
    _version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)] = False,
) -> None:
    """Usage in, proven and explained bills out."""
