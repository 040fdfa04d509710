"""The only wiring: which database, files, clock and ids the commands work with."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from farthing.app.ingest import Rejects, Source
from farthing.app.store import Store
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELDS_CONFLICT
from farthing.core.base.time import Instant
from farthing.edges.cli import build
from farthing.edges.cli.wiring import DEFAULT_ACCOUNT, Settings, Wiring
from farthing.edges.files.options import FileOptions, options_from_arguments, read_options
from farthing.edges.files.rejects import RejectFile
from farthing.edges.files.source import open_source
from farthing.edges.postgres.migrate import ensure_account, migrate
from farthing.edges.postgres.refusals import ACCOUNT_UNKNOWN, DATA_DIR_EMPTY
from farthing.edges.postgres.store import PostgresStore
from farthing.edges.postgres.supervisor import DATABASE, OWNER, Server, start, told_of_death
from farthing.edges.postgres.url import checked_url


def run() -> None:
    """The command line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    build(Wiring(open_store, file_options, open_source, open_rejects, now, new_id))()


@contextmanager
def open_store(settings: Settings, say: Callable[[str], None]) -> Iterator[Store]:
    """The store of an account and mode: in a database by URL, or in the embedded Postgres, started for as long as it is open."""
    if settings.database_url is not None:
        service_url, owner_url = checked_url(settings.database_url, "database_url"), os.environ.get("FARTHING_OWNER_URL")
        if owner_url is not None:  # of the role that owns the schema: brings it to this version first
            migrate(checked_url(owner_url, "FARTHING_OWNER_URL"), say=say)
        with _open(settings, service_url, owner_url) as store:
            yield store
        return
    nothing = not settings.data_dir.is_file() and not (settings.data_dir / "postgres").exists()
    if nothing and settings.create is None and not settings.fresh:
        raise Refusal(DATA_DIR_EMPTY, f"there is no database in {settings.data_dir}.", "data_dir")
    say(f"starting the embedded Postgres in {settings.data_dir}")
    with start(settings.data_dir / "postgres", progress=say) as server, told_of_death(server):
        if settings.fresh:
            _empty(server)
        migrate(server.dsn(role=OWNER), say=say)
        with _open(settings, server.dsn(), server.dsn(role=OWNER)) as store:
            yield store


def _empty(server: Server) -> None:
    server.drop_database(DATABASE)
    server.create_database(DATABASE)


def _open(settings: Settings, service_url: str, owner_url: str | None) -> PostgresStore:
    """The store of an account. Of accounts that do not exist, the owner creates `default`, and others where the command may."""
    try:
        return PostgresStore.open(service_url, settings.account, _mode(settings))
    except Refusal as refusal:
        if refusal.kind != ACCOUNT_UNKNOWN or owner_url is None or (settings.create is None and settings.account != DEFAULT_ACCOUNT):
            raise
    ensure_account(owner_url, settings.account)
    if settings.create is not None and settings.account != DEFAULT_ACCOUNT:
        settings.create(settings.account)
    return PostgresStore.open(service_url, settings.account, _mode(settings))


def _mode(settings: Settings) -> Any:
    return "live" if settings.live else "test"


def file_options(
    mapping: Path | None, columns: list[str], constants: list[str], templates: list[str], zone: str | None, form: str | None
) -> FileOptions:
    """What the command line says about a file; a mapping file and single arguments exclude each other."""
    if mapping is not None:
        if columns or constants or templates or zone is not None or form is not None:
            raise Refusal(FIELDS_CONFLICT, f"{mapping.name} says how the file is read; it excludes --map, --set, --template and the like.", "mapping")
        return read_options(mapping)
    sections: dict[str, Any] = {}
    if zone is not None:
        sections["timestamp"] = {"time_zone": zone}
    if form is not None:
        sections["file"] = {"format": form}
    return options_from_arguments(columns, constants, templates, **sections)


def open_rejects(path: Path, source: Source) -> Callable[[Any], Rejects]:
    """A reject file for a source, opened once it is known from where the source is read on."""
    return lambda mark: RejectFile(path, source.name, mark)


def now() -> Instant:
    """The wall clock, in UTC microseconds."""
    return time.time_ns() // 1000


def new_id(prefix: str) -> str:
    """A new id that sorts by time: the prefix, milliseconds, and 80 random bits."""
    return f"{prefix}_{time.time_ns() // 1_000_000:011x}{secrets.token_hex(10)}"
