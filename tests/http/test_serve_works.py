"""`farthing serve` does what is due as well: a clock moves and its events arrive, across a kill in the middle."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import stripe

KEY = "sk_test_abcdefghijklmnopqrstuvwx"
START = 1_767_225_600


@contextmanager
def serving(data: Path) -> Iterator[tuple[subprocess.Popen[str], stripe.StripeClient]]:
    """A running `farthing serve` and a client of it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FARTHING_")}
    command = [sys.executable, "-m", "farthing", "serve", "--data-dir", str(data), "--api-key", KEY, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=kept) as child:
        assert child.stdout is not None
        try:
            found = re.search(r"http://[0-9.:]+", child.stdout.readline())
            assert found is not None
            addresses: Any = {"api": found[0]}
            yield child, stripe.StripeClient(KEY, base_addresses=addresses, max_network_retries=0)
        finally:
            if child.poll() is None:
                child.terminate()
                assert "Traceback" not in child.communicate(timeout=60)[1]


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_clock_moves_and_goes_on_after_kill_nine(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as (child, client):
        clocks = client.v1.test_helpers.test_clocks
        moved = clocks.create({"frozen_time": START}).id
        clocks.advance(moved, {"frozen_time": START + 86_400})
        wait_for(lambda: clocks.retrieve(moved).status == "ready")
        other = clocks.create({"frozen_time": START}).id
        clocks.advance(other, {"frozen_time": START + 86_400})
        child.kill()
    with serving(tmp_path / "data") as (child, client):
        clocks = client.v1.test_helpers.test_clocks
        wait_for(lambda: clocks.retrieve(other).status == "ready")
        assert [clocks.retrieve(one).frozen_time for one in (moved, other)] == [START + 86_400] * 2
        told = client.v1.events.list({"type": "test_helpers.test_clock.ready", "limit": 100}).data
        assert [event.data.object.id for event in told] == [other, moved]
