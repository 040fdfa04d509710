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
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from farthing.core.events.exact_json import decode_json
from farthing.core.events.parse import parse_fact
from farthing.edges.postgres.migrate import ensure_account, migrate
from farthing.edges.postgres.rows import FactRows, rows_of
from farthing.edges.postgres.store import PostgresStore
from farthing.edges.postgres.supervisor import OWNER, Server, ephemeral

Results = dict[str, dict[str, Any]]
ROWS, BATCH, ROUNDS, QUICK_ROUNDS = 40_000, 10_000, 7, 5

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


def run(quick: bool) -> Results:
    """The append path against the bare one; `quick` leaves out appending from documents and appending again."""
    with ephemeral(durable=True) as server:
        migrate(server.dsn(role=OWNER))
        ensure_account(server.dsn(role=OWNER), "bench")
        return _measure(server, ROWS, QUICK_ROUNDS if quick else ROUNDS, quick)


def _measure(server: Server, rows: int, rounds: int, quick: bool) -> Results:
    store = PostgresStore.open(server.dsn(), "bench", "live")
    taken: dict[str, list[float]] = {"ours": [], "bare": []}
    with psycopg.connect(server.dsn(role=OWNER), options=_same_settings(store), autocommit=True) as bare:
        bare.execute(_BARE)
        for number in range(rounds + 1):
            sample = make_sample(number, rows)
            runs: list[tuple[str, Callable[[], None]]] = [("ours", partial(_ours, store, sample)), ("bare", partial(_bare, bare, sample))]
            times = {name: _timed(work) for name, work in (runs if number % 2 else reversed(runs))}
            if not quick:
                times["again"] = _timed(partial(_again, store, sample))
                times["documents"] = _timed(partial(_from_documents, store, make_sample(-1 - number, rows)))
            if number:  # the first round warms up
                for name, seconds in times.items():
                    taken.setdefault(name, []).append(seconds)
    store.close()
    return _results(taken, rows)


def _same_settings(store: PostgresStore) -> str:
    names = ("temp_buffers", "work_mem", "synchronous_commit", "fsync")
    shown = sql.SQL("SELECT {}").format(sql.SQL(", ").join(sql.SQL("current_setting({})").format(name) for name in names))
    row = store.session.run(lambda connection: connection.execute(shown).fetchone())
    values = dict(zip(names, row or (), strict=True))
    assert values.pop("fsync") == "on" and values["synchronous_commit"] == "on"
    return " ".join(f"-c {name}={value}" for name, value in values.items())


def _results(taken: dict[str, list[float]], rows: int) -> Results:
    ratios = [bare / ours for bare, ours in zip(taken["bare"], taken["ours"], strict=True)]
    rates = {f"{name}_rows_per_second": round(rows / statistics.median(seconds)) for name, seconds in taken.items()}
    result = {"value": round(statistics.median(ratios), 3), "unit": "ratio", "goal": 0.6, "better": "higher"}
    return {"append_vs_bare": {**result, "details": {"rows": rows, "rounds": len(ratios), **rates}}}


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
    print(json.dumps(run(quick=True), indent=2))
