"""What the commands are given by main.py: how to open a store and a file, the clock, and new ids."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from farthing.app.ingest import Rejects, Source
from farthing.app.store import Store
from farthing.core.base.time import Instant

DEFAULT_DATA_DIR = Path(".farthing")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the data is, and which account and mode a command works in.

    Without a `database_url` the embedded Postgres of `data_dir` is started for the command, and stopped after it.
    """

    data_dir: Path = DEFAULT_DATA_DIR
    database_url: str | None = None
    account: str = "default"
    live: bool = False
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
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
