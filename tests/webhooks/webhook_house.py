"""An account with webhook endpoints for tests, a sender that answers as it is told, and a real server that receives."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

from farthing.app.resources.changes import tell
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Document
from farthing.app.webhooks.deliveries import Deliveries, fan_out
from farthing.app.webhooks.endpoints import create_endpoint
from farthing.app.webhooks.kinds import DELIVERY
from farthing.app.webhooks.sender import Outcome, Sender
from farthing.app.work.due import run_due
from farthing.app.work.registry import WORKS, Work
from farthing.core.base.time import MICROS, Instant, parse_instant
from farthing.edges.http.service import encode

BEGINNING = parse_instant("2026-01-01T00:00:00Z")
_numbers = count(1)


def new_id(prefix: str) -> str:
    return f"{prefix}_{next(_numbers):08d}"


class Told:
    """A sender that does as it is told, and keeps what it was given."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.posted: list[tuple[str, Mapping[str, str], bytes]] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        self.posted.append((url, headers, body))
        self.meanwhile()
        return self.outcomes.pop(0) if self.outcomes else Outcome(status=200)


@dataclass
class House:
    """A store of one account, the wall clock, and a sender."""

    store: Any
    account: str
    dsn: str
    at: Instant = BEGINNING
    sender: Sender = field(default_factory=Told)

    @property
    def desk(self) -> Desk:
        return Desk(self.store, self.at, new_id)

    @property
    def told(self) -> Told:
        assert isinstance(self.sender, Told)
        return self.sender

    def endpoint(self, *types: str, url: str = "https://example.com/hook") -> Document:
        return create_endpoint(self.desk, {"url": url, "enabled_events": list(types) or ["*"]}).document

    def event(self, type_: str = "coupon.created") -> str:
        return tell(self.desk, type_, {"id": "x", "object": "coupon", "name": "Ünï"})

    def run(self) -> int:
        """Do what is due now."""
        before = dict(WORKS)
        try:
            WORKS["event"] = Work("event", fan_out)
            WORKS[DELIVERY] = Work(DELIVERY, Deliveries(self.sender, encode, lambda: self.at).work)
            return run_due(lambda at: Desk(self.store, at, new_id), ["event", DELIVERY], self.at)
        finally:
            WORKS.clear()
            WORKS.update(before)

    def forward(self, seconds: float) -> None:
        self.at += round(seconds * MICROS)

    def pending(self, event: str) -> int:
        row = self.store.find("event", event)
        return int(row.document["pending_webhooks"])

    def next_in(self, event: str, endpoint: str) -> float | None:
        """Seconds from now until a delivery is tried again."""
        due_at = self.store.find(DELIVERY, f"{event}:{endpoint}").due_at
        return None if due_at is None else (due_at - self.at) / MICROS


@dataclass
class Received:
    """A request as it came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class Receiver:
    """A server on a free port of 127.0.0.1. `behave` gets the handler after the request was read; by default it answers 200."""

    def __init__(self, behave: Callable[[BaseHTTPRequestHandler], None] | None = None, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[Received] = []
        self.behave = behave or (lambda handler: answer(handler, 200))
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.requests.append(Received(self.path, dict(self.headers), body))
                outer.behave(self)

            do_GET = do_POST

            def log_message(self, *_: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass

        self._server = Quiet(("127.0.0.1", 0), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(handler: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str] | None = None) -> None:
    handler.send_response(status)
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Answer a byte at a time, for ever."""
    handler.close_connection = True
    handler.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(600):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)
