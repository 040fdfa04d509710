"""A running service for tests: a real server in a thread, over stores in memory or over PostgreSQL, and clients of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx
import stripe

from farthing.app.resources.access import FoundKey, Mode, Permission, ensure_key
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Document
from farthing.app.work import kinds
from farthing.app.work.due import run_due
from farthing.app.work.registry import WORKS
from farthing.core.base.time import Instant, parse_instant
from farthing.edges.http.limits import RateLimit
from farthing.edges.http.pool import ApiStore, Pool, Stores
from farthing.edges.http.server import Bounds, HttpServer, application, listen
from farthing.edges.http.service import Service
from farthing.edges.http.wire import contract, shapes
from farthing.edges.psp.simulated import SimulatedProcessor
from farthing.main import new_id
from farthing.testing.memory import MemoryStore

BEGINNING = parse_instant("2026-01-01T00:00:00Z")
_numbers = count(1)


class Clock:
    """The wall clock of the service in a test: it stands until it is moved."""

    def __init__(self) -> None:
        self.at: Instant = BEGINNING

    def __call__(self) -> Instant:
        return self.at

    def forward(self, seconds: int) -> None:
        self.at += seconds * 1_000_000


class MemoryAccounts:
    """The stores in memory of all accounts. One request at a time works with each."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, Mode], tuple[MemoryStore, threading.RLock]] = {}

    def open(self, account: str, mode: Mode) -> MemoryStore:
        store = MemoryStore()
        store.account, store.mode = account, mode
        return self._held.setdefault((account, mode), (store, threading.RLock()))[0]

    def find_key(self, hash_: bytes) -> FoundKey | None:
        return next((found for store, _ in list(self._held.values()) if (found := store.find_key(hash_)) is not None), None)

    @contextmanager
    def of(self, account: str, mode: Mode) -> Iterator[ApiStore]:
        store, lock = self._held[account, mode]
        with lock:
            yield store

    def close(self) -> None:
        pass


@dataclass
class Running:
    """A server that runs: where it is, its clock, and how a store of an account is opened beside it."""

    url: str
    clock: Clock
    open_store: Callable[[str, Mode], ApiStore]
    pool: Pool


@contextmanager
def running(
    open_stores: Callable[[], Stores],
    open_store: Callable[[str, Mode], ApiStore],
    bounds: Bounds | None = None,
    limit: RateLimit | None = None,
    threads: int = 4,
    waiting: int = 64,
) -> Iterator[Running]:
    """A service that answers on a free port, for as long as the block lasts."""
    clock, ready, bounds = Clock(), threading.Event(), bounds or Bounds()
    pool = Pool(open_stores, threads, waiting)
    listening = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    service = Service(clock, new_id, limit, SimulatedProcessor(url))
    server = HttpServer(application(service, pool, new_id, bounds), bounds, ready.set)
    thread = threading.Thread(target=lambda: server.run([listening]), daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield Running(url, clock, open_store, pool)
    finally:
        server.stop()
        thread.join(20)
        pool.close(20)
        assert not thread.is_alive()


@dataclass
class Answer:
    """A raw answer as an SDK got it."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: Any


class Recorder(stripe.RequestsClient):
    """The SDK's own HTTP client, which keeps each answer and checks it against the wire contract."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Answer] = []

    def request(self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None) -> tuple[Any, int, Any]:
        content, status, answered = super().request(method, url, headers, post_data)
        answer = Answer(method.upper(), urlsplit(url).path, status, answered, json.loads(content))
        check_answer(answer)
        self.answers.append(answer)
        return content, status, answered


def check_answer(answer: Answer) -> None:
    """Whether an answer is as the wire contract has it, errors as well."""
    assert answer.headers["Request-Id"].startswith("req_")
    assert answer.headers["Stripe-Version"] == "2026-10-28.endive"
    if answer.status >= 400:
        error = dict(answer.body["error"])
        assert error["message"] and error.pop("code"), answer.body  # codes are ours, by the names of refusals
        assert (problems := shapes.check({"error": error}, "error")) == [], problems
        assert set(answer.body) == {"error"}
        return
    found = contract.match(answer.method, answer.path)
    assert found is not None
    assert (problems := shapes.check_answer(found[0], answer.body)) == [], problems


@dataclass
class Api:
    """A service and an account of its own in it. `stripe` is the official SDK, bound to it; `http` sends what an SDK never would."""

    running: Running
    account: str
    key: str
    recorder: Recorder = field(default_factory=Recorder)

    def __post_init__(self) -> None:
        self.stripe = self.client(self.key)
        self.http = httpx.Client(base_url=self.running.url, auth=(self.key, ""), timeout=30)

    @property
    def clock(self) -> Clock:
        """The wall clock of the service."""
        return self.running.clock

    @property
    def last(self) -> Answer:
        """The last raw answer to the SDK."""
        return self.recorder.answers[-1]

    def client(self, key: str, **named: Any) -> stripe.StripeClient:
        """A further SDK client, with another key or other settings."""
        url = self.running.url
        addresses: Any = {"api": url, "files": url, "connect": url, "meter_events": url}
        return stripe.StripeClient(key, **{"base_addresses": addresses, "http_client": self.recorder, "max_network_retries": 0, **named})

    def store(self, mode: Mode = "test") -> ApiStore:
        """A store of the account, beside the service."""
        return self.running.open_store(self.account, mode)

    def add_key(self, key: str, permissions: Mapping[str, Permission] | None = None, expires_at: Instant | None = None) -> str:
        """Register a further key."""
        ensure_key(self.store("live" if "_live_" in key else "test"), key, self.clock(), permissions, expires_at)
        return key

    def get(self, path: str, **named: Any) -> httpx.Response:
        """A raw GET, whose answer is checked."""
        return self.send("GET", path, **named)

    def post(self, path: str, form: Mapping[str, Any] | None = None, **named: Any) -> httpx.Response:
        """A raw POST of a form, whose answer is checked."""
        return self.send("POST", path, data=form, **named)

    def send(self, method: str, path: str, **named: Any) -> httpx.Response:
        """A raw request, whose answer is checked."""
        response = self.http.request(method, path, **named)
        check_answer(Answer(method, urlsplit(path).path, response.status_code, response.headers, response.json()))
        return response

    def work(self, *names: str, mode: Mode = "test") -> int:
        """Do all work that is due by now on rows of some kinds, or of all, in a thread of the service; returns how many pieces."""
        kinds.register()

        def run(stores: Stores) -> int:
            with stores.of(self.account, mode) as store:
                processor = SimulatedProcessor(self.running.url)
                return run_due(lambda at: Desk(store, at, new_id, mode == "live", processor=processor), names or tuple(WORKS), self.clock(), 100_000)

        return self.running.pool.submit(run).result(120)

    def events(self, type_: str) -> list[Document]:
        """The events of a type, oldest first."""
        found = self.get("/v1/events", params={"type": type_, "limit": 100}).json()["data"]
        return list(reversed(found))


def error_of(response: httpx.Response) -> tuple[int, str | None, str | None]:
    """Status, code and param of an error."""
    error = response.json()["error"]
    return response.status_code, error.get("code"), error.get("param")


def make_api(server: Running) -> Api:
    """A new account of a running service, with a key; the clock begins anew."""
    number = next(_numbers)
    server.clock.at = BEGINNING
    api = Api(server, f"account {number}", f"sk_test_{number:024d}")
    ensure_key(api.store(), api.key, BEGINNING)
    return api


def told(error: stripe.StripeError) -> tuple[int | None, str | None, str | None]:
    """Status, code and param of an error that the SDK raised; it keeps the code of some kinds in the body only."""
    body: Any = error.json_body
    return error.http_status, body["error"].get("code"), body["error"].get("param")
