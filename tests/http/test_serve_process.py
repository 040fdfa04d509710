"""`farthing serve` as a process of its own: it gets ready, answers, stops on a signal, and comes back after kill -9 with all there."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

KEY = "sk_test_abcdefghijklmnopqrstuvwx"


class Serve:
    """A running `farthing serve`."""

    def __init__(self, data: Path, *arguments: str, **environment: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FARTHING_")}
        self.child = subprocess.Popen(
            [sys.executable, "-m", "farthing", "serve", "--data-dir", str(data), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**kept, "FARTHING_PORT": "0", **environment},
        )
        self.lines: list[str] = []

    def ready(self) -> str:
        """Wait for the line that says that it is ready; its URL."""
        assert self.child.stdout is not None
        for line in self.child.stdout:
            self.lines.append(line.rstrip("\n"))
            found = re.search(r"ready.*(http://[0-9.:]+)", line)
            if found:
                return found[1]
        raise AssertionError((self.lines, self.child.communicate()[1]))

    def end(self, number: int) -> tuple[int, str, str]:
        """Send a signal; exit code and the rest of what was printed."""
        self.child.send_signal(number)
        output, errors = self.child.communicate(timeout=60)
        return self.child.returncode, output, errors


@contextmanager
def serving(data: Path, *arguments: str, **environment: str) -> Iterator[tuple[Serve, str]]:
    serve = Serve(data, *arguments, **environment)
    try:
        yield serve, serve.ready()
    finally:
        if serve.child.poll() is None:
            serve.end(signal.SIGTERM)


def client(url: str, key: str = KEY, retries: int = 0) -> stripe.StripeClient:
    addresses: Any = {"api": url, "files": url, "connect": url, "meter_events": url}
    return stripe.StripeClient(key, base_addresses=addresses, max_network_retries=retries)


def test_it_serves_stops_and_comes_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data, "--api-key", KEY) as (serve, url):
        made = client(url).v1.products.create({"name": "Kept"}).id
        for path in ("/healthz", "/readyz"):
            assert httpx.get(url + path).status_code == 200
        code, output, errors = serve.end(signal.SIGTERM)
        assert (code, serve.lines, output) == (0, [f"farthing is ready at {url}"], "") and "Traceback" not in errors
    with serving(data, "--api-key", KEY) as (serve, url):  # the same key again changes nothing
        assert client(url).v1.products.retrieve(made).name == "Kept"
        code, output, errors = serve.end(signal.SIGINT)
        assert (code, output) == (0, "") and "Traceback" not in errors


def test_kill_nine_loses_nothing_and_does_nothing_twice(tmp_path: Path) -> None:
    data = tmp_path / "data"
    keys = [f"request-{n}" for n in range(60)]
    answered: dict[str, str] = {}
    with serving(data, FARTHING_API_KEY=KEY) as (serve, url):
        enough = threading.Event()

        def send(mine: list[str]) -> None:
            own = client(url)
            for key in mine:
                try:
                    answered[key] = own.v1.coupons.create({"percent_off": 5}, {"idempotency_key": key}).id
                except stripe.StripeError:
                    return  # the service is gone
                if len(answered) >= 20:
                    enough.set()

        threads = [threading.Thread(target=send, args=(keys[n::4],)) for n in range(4)]
        for thread in threads:
            thread.start()
        assert enough.wait(60)
        serve.child.kill()
        for thread in threads:
            thread.join()
        serve.child.wait(20)
    with serving(data, FARTHING_API_KEY=KEY) as (serve, url):
        own = client(url)
        made = {key: own.v1.coupons.create({"percent_off": 5}, {"idempotency_key": key}).id for key in keys}
        assert {key: made[key] for key in answered} == answered
        stored = [one.id for one in own.v1.coupons.list({"limit": 100})]
        assert sorted(stored) == sorted(made.values()) and len(set(stored)) == len(keys)
        assert len(own.v1.events.list({"type": "coupon.created", "limit": 100}).data) == len(keys)


def test_a_key_is_made_once_and_printed_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as (serve, url):
        found = re.fullmatch(r"API key of account default, shown this once: (sk_test_[A-Za-z0-9]{40})", serve.lines[0])
        assert found is not None and len(serve.lines) == 2
        client(url, found[1]).v1.coupons.create({"percent_off": 5})
    with serving(data) as (serve, url):
        assert serve.lines == [f"farthing is ready at {url}"]
        assert len(client(url, found[1]).v1.coupons.list().data) == 1


def run(*arguments: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-m", "farthing", "serve", *arguments], check=False, capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_a_port_that_is_taken_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, errors = run("--data-dir", str(tmp_path / "data"), "--port", str(taken.getsockname()[1]))
    assert (code, errors.split()[0]) == (2, "address_unusable") and not (tmp_path / "data").exists()


@pytest.mark.parametrize("key", ["sk_test_short", "password", KEY + "é"])
def test_a_key_that_is_none_is_refused_and_not_shown(tmp_path: Path, key: str) -> None:
    code, errors = run("--data-dir", str(tmp_path / "data"), "--port", "0", "--api-key", key)
    assert code == 2 and errors.startswith("api_key_malformed (at api_key)") and key not in errors
    assert not (tmp_path / "data").exists()
