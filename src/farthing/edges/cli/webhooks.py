"""`farthing webhooks`: what became of an event, and sending it again."""

from __future__ import annotations

import json
from typing import Annotated, Any, cast

import typer

from farthing.app.resources.desk import Desk, ResourceStore
from farthing.app.webhooks.deliveries import deliveries, replay
from farthing.core.events.fields import read_text
from farthing.edges.cli.console import notes
from farthing.edges.cli.wiring import Settings, Wiring, on_store

_LONGEST_ID = 500
Event = Annotated[str, typer.Argument(metavar="EVENT", help="The event's id.")]


def add_commands(app: typer.Typer, wiring: Wiring) -> None:
    """Put `webhooks` on the command line."""
    group = typer.Typer(no_args_is_help=True, help="What became of an event, and sending it again.")
    app.add_typer(group, name="webhooks")

    @group.command("show")
    @on_store
    def _show(settings: Settings, event: Event) -> None:
        """Show an event's deliveries: to which endpoint, whether it has them, how often it was tried, what came of the last time."""
        with wiring.open_store(settings, notes(settings.as_json)) as store:
            found = deliveries(_desk(wiring, settings, store), read_text(event, "event", _LONGEST_ID))
        if settings.as_json:
            typer.echo(json.dumps({"deliveries": found}, ensure_ascii=False))
            return
        for one in found:
            typer.echo(_line(one))
        typer.echo(f"{len(found)} deliver{'y' if len(found) == 1 else 'ies'}")

    @group.command("replay")
    @on_store
    def _replay(
        settings: Settings,
        event: Event,
        endpoint: Annotated[str | None, typer.Option("--endpoint", help="Only to this endpoint.")] = None,
    ) -> None:
        """Have an event sent again by the worker, whatever became of it before: to all endpoints that are enabled for its type, or to one."""
        named = None if endpoint is None else read_text(endpoint, "endpoint", _LONGEST_ID)
        with wiring.open_store(settings, notes(settings.as_json)) as store:
            endpoints = replay(_desk(wiring, settings, store), read_text(event, "event", _LONGEST_ID), named)
        typer.echo(json.dumps({"endpoints": endpoints}) if settings.as_json else f"{event} is due again for {', '.join(endpoints)}")


def _desk(wiring: Wiring, settings: Settings, store: object) -> Desk:
    return Desk(cast(ResourceStore, store), wiring.now(), wiring.new_id, settings.live)


def _line(one: dict[str, Any]) -> str:
    last = one["last_error"] or (f"status {one['last_status']}" if one["last_status"] is not None else "not sent yet")
    return f"{one['endpoint']}: {one['status']} after {one['attempts']} attempt{'' if one['attempts'] == 1 else 's'}, last: {last}"
