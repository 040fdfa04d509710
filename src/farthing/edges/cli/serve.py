"""`farthing serve`: the HTTP service, with the database that it works on, until it is told to stop."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated

import typer

from farthing.edges.cli.console import created, notes
from farthing.edges.cli.wiring import PrivateWebhooks, Settings, on_store

DEFAULT_HOST, DEFAULT_PORT, DEFAULT_RATE = "127.0.0.1", 4242, 1000


@dataclass(frozen=True, slots=True)
class Serving:
    """Where the service listens, the API key that is to be registered (one is made if the account has none), how many requests a second a
    key may make (0: any number), and whether webhooks may go to private addresses. `tell_key` is told the key that was made, `tell_ready`
    where the service answers."""

    host: str
    port: int
    api_key: str | None
    rate: int
    private_webhooks: bool
    tell_key: Callable[[str], None]
    tell_ready: Callable[[str], None]


Serve = Callable[[Settings, Serving, Callable[[str], None]], None]
"""Runs the service until SIGTERM or Ctrl-C; given by main.py. The last argument is told what is going on meanwhile."""

Host = Annotated[str, typer.Option("--host", envvar="FARTHING_HOST", help="The address to listen on.")]
Port = Annotated[int, typer.Option("--port", envvar="FARTHING_PORT", min=0, max=65_535, help="The port; 0 takes a free one.")]
ApiKey = Annotated[
    str | None, typer.Option("--api-key", envvar="FARTHING_API_KEY", help="A key to register for the account: sk_test_… or sk_live_… .")
]
Rate = Annotated[
    int, typer.Option("--rate-limit", envvar="FARTHING_RATE_LIMIT", min=0, max=1_000_000, help="Requests a second and key; 0 is no limit.")
]


def add_commands(app: typer.Typer, serve: Serve) -> None:
    """Put `serve` on the command line."""

    @app.command("serve")
    @on_store
    def _serve(
        settings: Settings,
        host: Host = DEFAULT_HOST,
        port: Port = DEFAULT_PORT,
        api_key: ApiKey = None,
        rate: Rate = DEFAULT_RATE,
        private: PrivateWebhooks = False,
    ) -> None:
        """Answer HTTP requests of Stripe's SDKs (works with Stripe's SDKs; not affiliated with Stripe).

        Starts the embedded Postgres if no --database-url is given, and brings the schema to this version. Without --api-key an account that
        has no key gets a new one, which is printed once. SIGTERM and Ctrl-C stop it in order.
        """

        def tell_key(key: str) -> None:
            typer.echo(json.dumps({"api_key": key}) if settings.as_json else f"API key of account {settings.account}, shown this once: {key}")

        def tell_ready(url: str) -> None:
            typer.echo(json.dumps({"ready": url}) if settings.as_json else f"farthing is ready at {url}")

        within = replace(settings, create=created(settings.as_json))
        serve(within, Serving(host, port, api_key, rate, private, tell_key, tell_ready), notes(settings.as_json))
