"""The only wiring: which database, files, clock and ids the commands work with."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from farthing.app.ingest import Rejects, Source
from farthing.app.payments.processor import Processor
from farthing.app.resources.access import Mode, ensure_key, read_key
from farthing.app.resources.desk import Desk, ResourceStore
from farthing.app.store import Store
from farthing.app.work import kinds
from farthing.app.work.registry import WORKS
from farthing.app.work.worker import Worker
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELDS_CONFLICT
from farthing.core.base.time import Instant
from farthing.edges.cli import build
from farthing.edges.cli.group import end_in_order
from farthing.edges.cli.serve import Serving
from farthing.edges.cli.wiring import DEFAULT_ACCOUNT, Settings, Wiring
from farthing.edges.files.options import FileOptions, options_from_arguments, read_options
from farthing.edges.files.rejects import RejectFile
from farthing.edges.files.source import open_source
from farthing.edges.http.keys import new_key
from farthing.edges.http.limits import RateLimit
from farthing.edges.http.pool import Pool
from farthing.edges.http.server import Bounds, HttpServer, application, listen, stop_on_signals
from farthing.edges.http.service import Service, encode
from farthing.edges.http.stores import ThreadStores
from farthing.edges.postgres.access import KeyRing
from farthing.edges.postgres.migrate import ensure_account, migrate
from farthing.edges.postgres.offices import PostgresOffices
from farthing.edges.postgres.refusals import ACCOUNT_UNKNOWN, DATA_DIR_EMPTY
from farthing.edges.postgres.session import Patience
from farthing.edges.postgres.store import PostgresStore
from farthing.edges.postgres.supervisor import DATABASE, OWNER, Server, start, told_of_death
from farthing.edges.postgres.url import checked_url
from farthing.edges.psp.simulated import SimulatedProcessor
from farthing.edges.webhooks.sender import HttpSender

SENDERS = 3
"""How many threads of a process send webhooks."""

TURN = 0.0005
"""Seconds for which one thread of the service runs while others want to. Each answer of the database costs who waits for it up to a turn."""


def run() -> None:
    """The command line."""
    end_in_order()
    build(Wiring(open_store, file_options, open_source, open_rejects, now, new_id), serve, work)()


@dataclass(frozen=True, slots=True)
class Database:
    """A database that is ready: the URL of the service, that of the owner if it is known, and the embedded server if it is that."""

    service_url: str
    owner_url: str | None
    server: Server | None = None


@contextmanager
def open_store(settings: Settings, say: Callable[[str], None]) -> Iterator[Store]:
    """The store of an account and mode: in a database by URL, or in the embedded Postgres, started for as long as it is open."""
    with open_database(settings, say) as database, _open(settings, database.service_url, database.owner_url) as store:
        yield store


@contextmanager
def open_database(settings: Settings, say: Callable[[str], None]) -> Iterator[Database]:
    """The database by URL, or the embedded Postgres, started for as long as the block lasts; both at this version's schema."""
    if settings.database_url is not None:
        service_url, owner_url = checked_url(settings.database_url, "database_url"), os.environ.get("FARTHING_OWNER_URL")
        if owner_url is not None:  # of the role that owns the schema: brings it to this version first
            migrate(checked_url(owner_url, "FARTHING_OWNER_URL"), say=say)
        yield Database(service_url, owner_url)
        return
    nothing = not settings.data_dir.is_file() and not (settings.data_dir / "postgres").exists()
    if nothing and settings.create is None and not settings.fresh:
        raise Refusal(DATA_DIR_EMPTY, f"there is no database in {settings.data_dir}.", "data_dir")
    say(f"starting the embedded Postgres in {settings.data_dir}")
    with start(settings.data_dir / "postgres", progress=say) as server, told_of_death(server):
        if settings.fresh:
            _empty(server)
        migrate(server.dsn(role=OWNER), say=say)
        yield Database(server.dsn(), server.dsn(role=OWNER), server)


def serve(settings: Settings, serving: Serving, say: Callable[[str], None]) -> None:
    """Run the HTTP service until SIGTERM or Ctrl-C. Errors: address_unusable, api_key_…, database_…"""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    if serving.api_key is not None:
        read_key(serving.api_key, now())  # before anything is made: a typing error is told at once
    with stop_on_signals(_leave):  # while it starts
        listening = listen(serving.host, serving.port)
        with listening, open_database(settings, say) as database:
            _register_key(settings, serving, database)
            processor = SimulatedProcessor(_url(listening))
            with _workers(database, processor, serving.private_webhooks):
                _answer(serving, listening, database, processor)
            if database.server is not None and (death := database.server.death()) is not None:
                raise death


def _leave() -> None:
    sys.exit(0)


def work(settings: Settings, address: str, private_webhooks: bool, ready: Callable[[], None], say: Callable[[str], None]) -> None:
    """Do what is due in all accounts until SIGTERM or Ctrl-C. Errors: database_…"""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    with stop_on_signals(_leave), open_database(settings, say) as database:  # while it starts
        stop = threading.Event()
        with stop_on_signals(stop.set), _workers(database, SimulatedProcessor(address), private_webhooks):
            ready()
            while not stop.wait(1) and (database.server is None or database.server.alive()):
                pass
        if database.server is not None and (death := database.server.death()) is not None:
            raise death


@contextmanager
def _workers(database: Database, processor: Processor, private_webhooks: bool) -> Iterator[None]:
    """Threads that do what is due for as long as the block lasts: one for all that bills, others for what waits for others' servers."""
    kinds.register()
    kinds.register_sender(HttpSender(private_webhooks), encode, now)
    patience = Patience(statement=60, lock=15, idle=120, return_=5)
    groups = [tuple(name for name in WORKS if name not in kinds.SENDING), *[kinds.SENDING] * SENDERS]
    stop = threading.Event()
    threads = []

    def open_desk(store: ResourceStore, at: Instant, live: bool) -> Desk:
        return Desk(store, at, new_id, live, processor=processor)

    for n, group in enumerate(groups):
        worker = Worker(PostgresOffices(database.service_url, patience), group, now, open_desk)
        threads.append(threading.Thread(target=worker.run, args=(stop,), name=f"farthing-worker-{n}", daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        until = time.monotonic() + 30
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))


def _register_key(settings: Settings, serving: Serving, database: Database) -> None:
    """Register the key that was given; else, where the account has none, a new one."""
    mode: Mode = _mode(settings) if serving.api_key is None else read_key(serving.api_key, now())[0]
    with _open(replace(settings, live=mode == "live"), database.service_url, database.owner_url) as store:
        if serving.api_key is not None:
            ensure_key(store, serving.api_key, now())
        elif not any(key.kind == "secret" and key.valid(now()) for key in store.api_keys()):
            key = new_key(mode)
            serving.tell_key(key)  # before it is valid: one that nobody has seen would never be replaced
            ensure_key(store, key, now())


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _answer(serving: Serving, listening: socket.socket, database: Database, processor: Processor) -> None:
    bounds = Bounds()
    limit = RateLimit(serving.rate, 2 * serving.rate, time.monotonic_ns) if serving.rate else None
    sys.setswitchinterval(TURN)
    pool = Pool(lambda: _stores(database, bounds))
    server = HttpServer(
        application(Service(now, new_id, limit, processor), pool, new_id, bounds),
        bounds,
        on_ready=lambda: serving.tell_ready(_url(listening)),
        alive=lambda: database.server is None or database.server.alive(),
    )
    try:
        with stop_on_signals(server.stop):
            server.run([listening])
    finally:
        pool.close(bounds.stop)


def _stores(database: Database, bounds: Bounds) -> ThreadStores:
    """The stores of one thread, whose statements end before the request's deadline does."""
    patience = Patience(statement=bounds.answer, lock=bounds.answer / 4, idle=2 * bounds.answer, return_=5)
    return ThreadStores(
        lambda account, mode: PostgresStore.open(database.service_url, account, mode, patience), lambda: KeyRing.open(database.service_url, patience)
    )


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
    return f"{prefix}_{time.time_ns() // 1_000_000:011x}{_random()}"


def _random() -> str:
    """80 random bits. Drawn many at a time by each thread: a draw is a system call, at which the thread loses its turn to others."""
    bits: str | None = next(getattr(_DRAWN, "rest", iter(())), None)
    if bits is None:
        drawn = secrets.token_hex(1280)
        _DRAWN.rest = iter([drawn[at : at + 20] for at in range(20, len(drawn), 20)])
        bits = drawn[:20]
    return bits


_DRAWN: Any = threading.local()
