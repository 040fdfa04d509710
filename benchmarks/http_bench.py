"""How many durable meter events a second the service takes one by one, against single-row commits of the same PostgreSQL.

**Ours**: `farthing serve`, one process, and a client compiled from `http_load.c` (one thread, HTTP/1.1, keep-alive): 128 connections, each
sends its next `POST /v1/billing/meter_events` when it has the answer to the last, each with an Idempotency-Key of its own. An answer says
that the event is durable, counted once and placed in the log.

**Bare**: `pgbench` with 128 clients on the same server in the same run: one INSERT of a row with the same columns into a table with a primary
key, in a transaction of its own, prepared.

fsync and synchronous_commit are on for both. They run in turn, on the machine that client, service and database share; values are medians
over the rounds, the ratio that within a round, the latency that of the worst round.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg

from farthing.edges.postgres.cluster.binaries import binaries
from farthing.edges.postgres.migrate import ensure_account, migrate
from farthing.edges.postgres.supervisor import OWNER, Server, start

Results = dict[str, dict[str, Any]]
CONNECTIONS, ROUNDS, QUICK_ROUNDS, SECONDS, QUICK_SECONDS = 128, 5, 3, 20, 8
WARMUP = 3
ACCOUNT, KEY = "bench", "sk_test_" + "b" * 24
EVENTS = ("POST /v1/billing/meter_events event_name=bench&payload[stripe_customer_id]=cus_%m&payload[value]=%v",)
SOURCE = Path(__file__).with_name("http_load.c")
SRC = Path(__file__).resolve().parents[1] / "src"
_TABLE = """
    CREATE TABLE single_rows (
        account integer NOT NULL, mode smallint NOT NULL, identifier text COLLATE "C" NOT NULL, event_name text NOT NULL,
        customer text NOT NULL, at bigint NOT NULL, payload jsonb NOT NULL, PRIMARY KEY (account, mode, identifier))
"""
_INSERT = """\
\\set n random(1, 9000000000000000000)
INSERT INTO single_rows VALUES (1, 1, :n::bigint || '-' || :client_id::int, 'bench', 'cus_' || (:n::bigint % 1000), :n::bigint,
    jsonb_build_object('value', (:n::bigint % 97)::text));
"""


def run(quick: bool) -> Results:
    """Requests a second, the 99th percentile of their latency, and the ratio to single-row commits."""
    rounds, seconds = (QUICK_ROUNDS, QUICK_SECONDS) if quick else (ROUNDS, SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        client = compiled(Path(folder))
        script = Path(folder) / "single_rows.sql"
        script.write_text(_INSERT, encoding="ascii")
        with database() as server, service(server) as (port, _):
            _check_durable(server)
            ours, bare = [], []
            for number in range(rounds):
                ours.append(_all_taken(load(client, port, seconds, f"run{number}")))
                bare.append(_pgbench(server, script, seconds))
            _check_counted(server, ours)
    return _results(ours, bare, seconds)


def compiled(folder: Path) -> Path:
    """The client, compiled with the machine's C compiler. RuntimeError where there is none."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise RuntimeError("the HTTP benchmark needs a C compiler (cc) for its client")
    program = folder / "http_load"
    subprocess.run([compiler, "-O2", "-o", str(program), str(SOURCE)], check=True)
    return program


@contextmanager
def database() -> Iterator[Server]:
    """A durable server of its own that takes enough connections for pgbench."""
    home = Path(tempfile.mkdtemp(prefix="farthing-bench-"))
    try:
        start(home).stop()
        local = home / "cluster" / "local.conf"
        owner = (home / "cluster").stat()
        local.write_text(f"max_connections = {CONNECTIONS + 60}\n", encoding="ascii")
        os.chown(local, owner.st_uid, owner.st_gid)
        with start(home) as server:
            migrate(server.dsn(role=OWNER))
            ensure_account(server.dsn(role=OWNER), ACCOUNT)
            with psycopg.connect(server.dsn(role=OWNER), autocommit=True) as connection:
                connection.execute(_TABLE)
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def service(server: Server) -> Iterator[tuple[int, int]]:
    """`farthing serve` on that database, with the meter that the client sends for; yields its port and its process id."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FARTHING_")}
    urls = {"FARTHING_DATABASE_URL": server.dsn(), "FARTHING_OWNER_URL": server.dsn(role=OWNER)}
    command = [sys.executable, "-m", "farthing", "serve", "--account", ACCOUNT, "--port", "0", "--rate-limit", "0", "--api-key", KEY]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**kept, **urls, "PYTHONPATH": str(SRC)})
    try:
        assert child.stdout is not None
        port = next((int(found[1]) for line in child.stdout if (found := re.search(r"ready.*:([0-9]+)", line))), None)
        if port is None:
            raise RuntimeError(f"farthing serve ended with code {child.wait()}")
        meter = {"display_name": "Bench", "event_name": "bench", "default_aggregation[formula]": "sum"}
        httpx.post(f"http://127.0.0.1:{port}/v1/billing/meters", data=meter, auth=(KEY, "")).raise_for_status()
        yield port, child.pid
    finally:
        child.terminate()
        child.wait(60)


def _check_durable(server: Server) -> None:
    with psycopg.connect(server.dsn()) as connection:
        row = connection.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')").fetchone()
    assert row == ("on", "on"), row


def load(
    client: Path, port: int, seconds: int, name: str, requests: Sequence[str] = EVENTS, rate: int = 0, connections: int = CONNECTIONS
) -> dict[str, Any]:
    """What the client measured of these requests; `rate` a second, 0: as fast as they are answered."""
    sent = client.with_name(f"{name}.txt")
    sent.write_text("".join(f"{line}\n" for line in requests), encoding="ascii")
    command = [str(client), str(port), str(connections), str(seconds), str(WARMUP), KEY, name, str(rate), str(sent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"http_load ended with code {done.returncode}: {done.stderr[-300:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _all_taken(measured: dict[str, Any]) -> dict[str, Any]:
    if measured["failed"]:
        raise RuntimeError(f"{measured['failed']} of {measured['requests']} requests were refused")
    return measured


def _pgbench(server: Server, script: Path, seconds: int) -> float:
    """Single-row commits a second."""
    folder = binaries(for_others=False)
    command = [str(folder / "pgbench"), "-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "2", "-T", str(seconds), "-f", str(script)]
    done = subprocess.run([*command, server.dsn(role=OWNER)], capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if done.returncode or found is None:
        raise RuntimeError(f"pgbench ended with code {done.returncode}: {done.stdout[-300:]} {done.stderr[-300:]}")
    return float(found[1])


def _check_counted(server: Server, ours: list[dict[str, Any]]) -> None:
    """Every event that was acknowledged is in the log."""
    options = "-c farthing.account=1 -c farthing.mode=test"
    with psycopg.connect(server.dsn(role=OWNER), options=options) as connection:
        row = connection.execute("SELECT sum(head) FROM farthing.log_heads").fetchone()
    assert row is not None and row[0] >= sum(one["requests"] for one in ours), row


def _results(ours: list[dict[str, Any]], bare: list[float], seconds: int) -> Results:
    rates = [one["requests"] / one["seconds"] for one in ours]
    rate, ratio = statistics.median(rates), statistics.median(mine / theirs for mine, theirs in zip(rates, bare, strict=True))
    p99 = max(one["p99"] for one in ours) / 1000
    details = {
        "connections": CONNECTIONS,
        "rounds": len(ours),
        "seconds_of_a_round": seconds,
        "requests_per_second": [round(one) for one in rates],
        "single_row_commits_per_second": [round(one) for one in bare],
        **{f"{name}_ms": [one[name] / 1000 for one in ours] for name in ("p50", "p90", "p99", "p999", "max")},
    }
    return {
        "http_meter_events_per_second": {"value": round(rate), "unit": "requests/s", "goal": 3500, "better": "higher", "details": details},
        "http_meter_events_p99": {"value": round(p99, 1), "unit": "ms", "goal": 60, "better": "lower"},
        "http_meter_events_vs_single_commits": {"value": round(ratio, 3), "unit": "ratio", "goal": 0.25, "better": "higher"},
    }


if __name__ == "__main__":
    print(json.dumps(run(quick=True), indent=2))
