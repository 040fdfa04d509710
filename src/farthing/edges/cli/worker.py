"""`farthing worker`: does what is due, for all accounts, until it is told to stop; and `farthing faults`, which lists what failed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, cast

import typer

from farthing.app.resources.desk import ResourceStore
from farthing.app.work.faults import faults
from farthing.edges.cli.console import notes
from farthing.edges.cli.wiring import DEFAULT_DATA_DIR, AsJson, DatabaseUrl, DataDir, PrivateWebhooks, Settings, Wiring, on_store

RunWorker = Callable[[Settings, str, bool, Callable[[], None], Callable[[str], None]], None]
"""Runs the worker until SIGTERM or Ctrl-C; given by main.py: with the address at which the service answers, and whether webhooks may go to
private addresses. The fourth is called once it looks for work, the last told what is going on meanwhile."""

Address = Annotated[
    str, typer.Option("--address", envvar="FARTHING_ADDRESS", help="Where `farthing serve` answers: links to it begin with this address.")
]


def add_commands(app: typer.Typer, wiring: Wiring, run_worker: RunWorker | None) -> None:
    """Put `faults`, and `worker` if there is one, on the command line."""
    if run_worker is not None:
        _add_worker(app, run_worker)

    @app.command("faults")
    @on_store
    def _faults(settings: Settings) -> None:
        """List the due work that failed and has not succeeded since: what it was on, why, how often. It is tried again by itself."""
        with wiring.open_store(settings, notes(settings.as_json)) as store:
            found = faults(cast(ResourceStore, store))
        if settings.as_json:
            typer.echo(json.dumps({"faults": found}, ensure_ascii=False))
            return
        for fault in found:
            typer.echo(_line(fault))
        typer.echo(f"{len(found)} fault{'' if len(found) == 1 else 's'}")


def _add_worker(app: typer.Typer, run_worker: RunWorker) -> None:
    @app.command("worker")
    def _worker(
        data_dir: DataDir = DEFAULT_DATA_DIR,
        database_url: DatabaseUrl = None,
        address: Address = "http://127.0.0.1:4242",
        private: PrivateWebhooks = False,
        as_json: AsJson = False,
    ) -> None:
        """Do what is due in all accounts: subscriptions that renew, test clocks that move, webhooks. `farthing serve` does the same beside.

        Any number may run on one database; each piece of work is done once. SIGTERM and Ctrl-C stop it after the piece it is at.
        """
        settings = Settings(data_dir, database_url, as_json=as_json)
        run_worker(settings, address, private, lambda: typer.echo(json.dumps({"ready": True}) if as_json else "the worker is ready"), notes(as_json))


def _line(fault: dict[str, Any]) -> str:
    last = datetime.fromtimestamp(fault["last_at"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{fault['kind']} {fault['id']}: failed {fault['count']} times, last at {last}: {fault['reason']}"
