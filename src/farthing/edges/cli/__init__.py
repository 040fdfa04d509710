"""The command line: it translates between a terminal and the verbs."""

from __future__ import annotations

import typer

from farthing.edges.cli import adjust, bills, demo, ingest
from farthing.edges.cli.group import Commands
from farthing.edges.cli.rate import rate
from farthing.edges.cli.wiring import Wiring


def build(wiring: Wiring) -> typer.Typer:
    """The `farthing` command with everything it can do."""
    app = typer.Typer(name="farthing", cls=Commands, help="Usage in, proven and explained bills out.", no_args_is_help=True, add_completion=False)
    app.command("rate")(rate)
    ingest.add_commands(app, wiring)
    bills.add_commands(app, wiring)
    adjust.add_commands(app, wiring)
    demo.add_commands(app, wiring)
    return app
