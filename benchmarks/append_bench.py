"""How fast facts get into the log, against the fastest bare way to put the same columns of the same rows into the same PostgreSQL.

**Ours**, `append_rows`: from columns of ready bytes (documents parsed, values escaped for COPY) to facts that are durable, counted once
and placed in the log. Timed is everything from the columns on: joining the rows, hashing each, looking for repeats in the batch, COPY
into the staging table, the id registry, the log under row-level security with its constraints and indexes, the position, the commit.

**Bare**: one connection as the owner of an unprotected table with a primary key on (account, mode, identifier): COPY of bytes that
were joined before the clock started into a staging table, `INSERT … SELECT … ON CONFLICT DO NOTHING`, commit. One table, no hash, no
position, no tenancy.

Same server, same settings (fsync and synchronous_commit on), same session settings, same batch size, new identifiers in order of time,
JSONB payloads of four properties. Both run in turn, first one and then the other first; values are medians over the rounds of the ratio
within a round. Around the main figure: the rate of both, the rate from event documents (JSON bytes parsed, validated and appended), and
what sending everything again costs.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from farthing.core.events.exact_json import decode_json
from farthing.core.events.parse import parse_fact
from farthing.edges.postgres.migrate import ensure_account, migrate
from farthing.edges.postgres.rows import FactRows, rows_of
from farthing.edges.postgres.store import PostgresStore
from farthing.edges.postgres.supervisor import OWNER, Server, ephemeral

Results = dict[str, dict[str, Any]]
ROWS, BATCH, ROUNDS = 40_000, 10_000, 7

_BARE = """
    CREATE TABLE bare_events (
        account integer NOT NULL, mode smallint NOT NULL, identifier text COLLATE "C" NOT NULL, event_name text NOT NULL,
        customer text NOT NULL, at bigint NOT NULL, payload jsonb NOT NULL, PRIMARY KEY (account, mode, identifier));
    CREATE TEMPORARY TABLE bare_staged (identifier text COLLATE "C", event_name text, customer text, at bigint, payload jsonb)
        ON COMMIT DELETE ROWS
"""
_BARE_COPY = "COPY bare_staged FROM STDIN"
_BARE_INSERT = "INSERT INTO bare_events SELECT 1, 1, identifier, event_name, customer, at, payload FROM bare_staged ON CONFLICT DO NOTHING"


@dataclass(frozen=True)
class Sample:
    """The same events as JSON documents, as columns of bytes, and as the bytes that the bare way copies; in batches."""

    documents: list[list[bytes]]
    columns: list[FactRows]
    copied: list[bytes]


def bench_append(rows: int = ROWS, rounds: int = ROUNDS) -> Results:
    """The append path against the bare one: {name: {"value", "goal", "better", "unit"}}. Takes well under a minute by default."""
    with ephemeral(durable=True) as server:
        migrate(server.dsn(role=OWNER))
        ensure_account(server.dsn(role=OWNER), "bench")
        return _measure(server, rows, rounds)


def _measure(server: Server, rows: int, rounds: int) -> Results:
    store = PostgresStore.open(server.dsn(), "bench", "live")
    taken: dict[str, list[float]] = {"ours": [], "bare": [], "again": [], "documents": []}
    with psycopg.connect(server.dsn(role=OWNER), options=_same_settings(store), autocommit=True) as bare:
        bare.execute(_BARE)
        for number in range(rounds + 1):
            sample = make_sample(number, rows)
            runs: list[tuple[str, Callable[[], None]]] = [("ours", lambda s=sample: _ours(store, s)), ("bare", lambda s=sample: _bare(bare, s))]
            times = {name: _timed(run) for name, run in (runs if number % 2 else reversed(runs))}
            times["again"] = _timed(lambda s=sample: _again(store, s))
            times["documents"] = _timed(lambda s=make_sample(-1 - number, rows): _from_documents(store, s))
            if number:  # the first round warms up
                for name, seconds in times.items():
                    taken[name].append(seconds)
    store.close()
    return _results(taken, rows)


def _same_settings(store: PostgresStore) -> str:
    names = ("temp_buffers", "work_mem", "synchronous_commit", "fsync")
    values = {name: store.session.run(lambda c, n=name: c.execute("SELECT current_setting(%s)", (n,)).fetchone()[0]) for name in names}
    assert values.pop("fsync") == "on" and values["synchronous_commit"] == "on"
    return " ".join(f"-c {name}={value}" for name, value in values.items())


def _results(taken: dict[str, list[float]], rows: int) -> Results:
    def rate(name: str) -> dict[str, Any]:
        return {"value": round(rows / statistics.median(taken[name])), "better": "higher", "unit": "rows/s"}

    def ratio(name: str) -> float:
        return round(statistics.median(bare / ours for bare, ours in zip(taken["bare"], taken[name], strict=True)), 3)

    return {
        "append_vs_bare": {"value": ratio("ours"), "goal": 0.6, "better": "higher", "unit": "ratio"},
        "append_from_documents_vs_bare": {"value": ratio("documents"), "better": "higher", "unit": "ratio"},
        "append_rate": rate("ours"),
        "append_bare_rate": rate("bare"),
        "append_from_documents_rate": rate("documents"),
        "append_again_rate": rate("again"),
    }


def make_sample(number: int, rows: int, batch: int = BATCH) -> Sample:
    """Events that no other number has, in order of time."""
    documents = [_document(number, n) for n in range(rows)]
    batches = [documents[start : start + batch] for start in range(0, rows, batch)]
    columns = [rows_of([parse_fact(decode_json(document)) for document in part]) for part in batches]
    copied = [_bare_lines(part) for part in columns]
    return Sample(batches, columns, copied)


def _document(number: int, n: int) -> bytes:
    at = f"2025-06-{number % 28 + 1:02d}T{n // 3600 % 24:02d}:{n // 60 % 60:02d}:{n % 60:02d}.{n % 1000:03d}Z"
    payload = {
        "stripe_customer_id": f"cus_{n * 7919 % 5000:06d}",
        "input_tokens": str(n * 31 % 9000),
        "output_tokens": str(n * 17 % 900),
        "model": "gpt-4o" if n % 3 else "gpt-4o-mini",
        "region": f"eu-west-{n % 4}",
    }
    document = {"identifier": f"req_{number + 1000:04d}_{n:09d}", "event_name": "llm.request", "timestamp": at, "payload": payload}
    return json.dumps(document).encode()


def _bare_lines(part: FactRows) -> bytes:
    columns = zip(part.identifiers, part.event_names, part.customers, part.ats, part.payloads, strict=True)
    return b"\n".join(map(b"\t".join, columns)) + b"\n"


def _timed(run: Callable[[], None]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def _ours(store: PostgresStore, sample: Sample) -> None:
    for part in sample.columns:
        assert store.append_rows(part).accepted == len(part)


def _again(store: PostgresStore, sample: Sample) -> None:
    for part in sample.columns:
        assert store.append_rows(part).duplicates == len(part)


def _from_documents(store: PostgresStore, sample: Sample) -> None:
    for part in sample.documents:
        assert store.append([parse_fact(decode_json(document)) for document in part]).accepted == len(part)


def _bare(connection: psycopg.Connection, sample: Sample) -> None:
    for lines in sample.copied:
        with connection.transaction(), connection.cursor() as cursor:
            with cursor.copy(_BARE_COPY) as copy:
                copy.write(lines)
            cursor.execute(_BARE_INSERT)
            assert cursor.rowcount == lines.count(b"\n")


if __name__ == "__main__":
    print(json.dumps(bench_append(), indent=2))
