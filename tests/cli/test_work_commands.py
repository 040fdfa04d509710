"""`farthing worker`, `farthing faults`, `farthing webhooks`: on a database, and the worker as processes of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from cli_shell import Shell

from farthing.app.clocks.clocks import advance_clock, create_clock
from farthing.app.clocks.kinds import CLOCK
from farthing.app.resources.changes import tell
from farthing.app.resources.desk import Desk
from farthing.app.webhooks.deliveries import deliveries, fan_out
from farthing.app.webhooks.endpoints import create_endpoint
from farthing.app.webhooks.kinds import DELIVERY
from farthing.app.work.faults import note
from farthing.edges.postgres.migrate import ensure_account
from farthing.edges.postgres.store import PostgresStore
from farthing.main import new_id, now


@pytest.fixture
def store(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresStore]:
    """The default account's store, beside the commands."""
    ensure_account(os.environ["FARTHING_OWNER_URL"], "default")
    assert shell.dsn is not None
    with PostgresStore.open(shell.dsn, "default", "test") as opened:
        yield opened


def desk(store: PostgresStore) -> Desk:
    return Desk(store, now(), new_id)


@contextmanager
def worker(dsn: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A running `farthing worker`, ready; ended by SIGTERM unless it has ended."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FARTHING_")}
    command = [sys.executable, "-m", "farthing", "worker", "--json"]
    everything = {**kept, "PYTHONPATH": os.pathsep.join(sys.path), "FARTHING_DATABASE_URL": dsn, **environment}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=everything) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == '{"ready": true}\n', child.communicate()
            yield child
        finally:
            if child.poll() is None:
                child.terminate()
                child.communicate(timeout=60)


def wait_for(what: Any) -> None:
    until = time.monotonic() + 60
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_faults_are_listed_until_they_are_settled(shell: Shell, store: PostgresStore) -> None:
    assert shell.run("faults").stdout == "0 faults\n"
    store.add("thing", "thing_1", 1, {}, due_at=5)
    row = store.find("thing", "thing_1")
    assert row is not None
    note(replace(desk(store), at=1_767_225_600_000_000), row, "ValueError: no")
    assert shell.run("faults").stdout == "thing thing_1: failed 1 times, last at 2026-01-01T00:00:00Z: ValueError: no\n1 fault\n"
    (fault,) = shell.json("faults")["faults"]
    assert (fault["kind"], fault["id"], fault["count"], fault["due_at"]) == ("thing", "thing_1", 1, 5)


def test_an_event_is_shown_and_sent_again(shell: Shell, store: PostgresStore) -> None:
    endpoint = create_endpoint(desk(store), {"url": "https://example.com", "enabled_events": ["*"]}).id
    event = tell(desk(store), "coupon.created", {"id": "c", "object": "coupon"})
    assert shell.run("webhooks", "show", event).stdout == "0 deliveries\n"
    row = store.find("event", event)
    assert row is not None
    fan_out(desk(store), row)
    delivery = store.find(DELIVERY, f"{event}:{endpoint}")
    assert delivery is not None
    settled = {**delivery.document, "status": "delivered", "attempts": 1, "last_status": 200}
    store.put(replace(delivery, document=settled, due_at=None))
    assert shell.run("webhooks", "show", event).stdout == f"{endpoint}: delivered after 1 attempt, last: status 200\n1 delivery\n"
    assert shell.run("webhooks", "replay", event, "--endpoint", endpoint).stdout == f"{event} is due again for {endpoint}\n"
    assert shell.json("webhooks", "replay", event) == {"endpoints": [endpoint]}
    (one,) = shell.json("webhooks", "show", event)["deliveries"]
    assert (one["status"], one["attempts"]) == ("pending", 0)
    assert shell.json("webhooks", "replay", "evt_none", code=2)["error"]["code"] == "resource_missing"
    assert shell.json("webhooks", "replay", event, "--endpoint", "we_none", code=2)["error"]["field"] == "endpoint"


def test_workers_move_clocks_and_send_webhooks_side_by_side_and_stop_in_order(shell: Shell, store: PostgresStore) -> None:
    assert shell.dsn is not None
    received: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    create_endpoint(desk(store), {"url": f"http://127.0.0.1:{server.server_address[1]}/", "enabled_events": ["*"]})
    with worker(shell.dsn, FARTHING_WEBHOOKS_PRIVATE="1") as first, worker(shell.dsn, FARTHING_WEBHOOKS_PRIVATE="1") as second:
        clocks = [create_clock(desk(store), {"frozen_time": 1_767_225_600}).id for _ in range(4)]
        for clock in clocks:
            advance_clock(desk(store), clock, {"frozen_time": 1_767_225_600 + 86_400})

        def ready(clock: str) -> bool:
            row = store.find(CLOCK.name, clock)
            return row is not None and row.document["status"] == "ready" and row.document["frozen_time"] == 1_767_225_600 + 86_400

        wait_for(lambda: all(ready(clock) for clock in clocks))
        wait_for(lambda: len(received) >= 12)
        types = sorted(json.loads(body)["type"].rpartition(".")[2] for body in received)
        assert types == ["advancing"] * 4 + ["created"] * 4 + ["ready"] * 4
        first.send_signal(signal.SIGTERM)
        assert first.communicate(timeout=60) == ("", "")
        assert first.returncode == 0
        second.kill()
    server.shutdown()
    server.server_close()


def test_private_addresses_are_not_posted_to_unless_it_is_said(shell: Shell, store: PostgresStore) -> None:
    assert shell.dsn is not None
    create_endpoint(desk(store), {"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    event = tell(desk(store), "coupon.created", {"id": "c", "object": "coupon"})

    def error() -> Any:
        return next((one["last_error"] for one in deliveries(desk(store), event)), None)

    with worker(shell.dsn):
        wait_for(error)
    assert error() == "address_not_public: 127.0.0.1 is at 127.0.0.1"
