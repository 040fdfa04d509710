"""What the commands are given: by main.py how to open a store and a file, the clock, and new ids; by the user the options they share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from farthing.app.ingest import Rejects, Source
from farthing.app.store import Store
from farthing.core.base.time import Instant
from farthing.core.events.fields import read_text

DEFAULT_DATA_DIR = Path(".farthing")
DEFAULT_ACCOUNT = "default"
ACCOUNT_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the data is, which account and mode a command works in, and whether it prints JSON.

    Without a `database_url` the embedded Postgres of `data_dir` is started for the command, and stopped after it. An account that does
    not exist is refused, unless `create` is given: then it is created, and `create` is told its name. `default` is always there.
    """

    data_dir: Path = DEFAULT_DATA_DIR
    database_url: str | None = None
    account: str = DEFAULT_ACCOUNT
    live: bool = False
    as_json: bool = False
    create: Callable[[str], None] | None = None
    fresh: bool = False  # drop what the account's database holds first (the demo's own database only)


@dataclass(frozen=True, slots=True)
class Wiring:
    """The parts that the commands use, chosen in main.py."""

    open_store: Callable[[Settings, Callable[[str], None]], AbstractContextManager[Store]]
    file_options: Callable[..., Any]  # (mapping file, field=column, field=text, templates, zone, format) → options
    open_source: Callable[[Path, Any], Source]
    open_rejects: Callable[[Path, Source], Callable[[Any], Rejects]]
    now: Callable[[], Instant]
    new_id: Callable[[str], str]


DataDir = Annotated[Path, typer.Option("--data-dir", envvar="FARTHING_DATA_DIR", help="Where the embedded Postgres keeps its data.")]
DatabaseUrl = Annotated[
    str | None, typer.Option("--database-url", envvar="FARTHING_DATABASE_URL", help="A Postgres of your own (18 or newer) instead.")
]
Account = Annotated[str, typer.Option("--account", envvar="FARTHING_ACCOUNT", help="The account to work in.")]
Live = Annotated[bool, typer.Option("--live/--test", envvar="FARTHING_LIVE", help="Live or test mode; they never mix.")]
PrivateWebhooks = Annotated[
    bool,
    typer.Option(
        "--private-webhooks/--public-webhooks",
        envvar="FARTHING_WEBHOOKS_PRIVATE",
        help="Whether webhooks may go to private, loopback and link-local addresses.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON only.")]


def settings_from(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database_url: DatabaseUrl = None,
    account: Account = DEFAULT_ACCOUNT,
    live: Live = False,
    as_json: AsJson = False,
) -> Settings:
    """The options that every command on a store takes: this signature is their one definition. Errors: text_…."""
    return Settings(data_dir, database_url, read_text(account, "account", ACCOUNT_LONGEST), live, as_json)


def on_store(command: Callable[..., None]) -> Callable[..., None]:
    """The command, whose first parameter is Settings, as one that takes the options of `settings_from` in place of it."""
    shared = inspect.signature(settings_from, eval_str=True).parameters
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        command(settings_from(**{name: given.pop(name) for name in shared}), **given)

    vars(run)["__signature__"] = inspect.Signature([*own, *shared.values()])
    return run
