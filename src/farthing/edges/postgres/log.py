"""The event log: writing. Each identifier once, all of a batch at once, positions dense and exact. The reading is in reads.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg.errors
from psycopg.types.json import Jsonb

from farthing.app.store import Receipt
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Instant
from farthing.core.events.admission import Admission
from farthing.core.events.event import Fact
from farthing.core.events.parse import event_document
from farthing.edges.postgres.rows import FactRows, copy_lines, hash_of, line_of, rows_of
from farthing.edges.postgres.session import Connection, Session
from farthing.edges.postgres.statements import statement


@dataclass(frozen=True, slots=True)
class _Judged:
    """Which rows of a batch the log takes, and what became of the others."""

    admitted: Sequence[int]
    duplicates: int = 0
    refused: tuple[tuple[int, Refusal], ...] = ()


class LogWriter:
    """Puts facts into the log.

    A batch of new events goes in without looking anything up: unique keys refuse it as a whole if one of them is known. Then, and
    for adjustments, the batch is judged fact by fact against what the log holds; that is repeated when another writer was faster.
    After a batch with known events the next is judged at once, until one is new throughout (a file that is loaded again).
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._meets_known = False
        self._staged_in = 0
        session.on_connect(statement("create_staging"))

    def append(self, facts: Sequence[Fact], recorded_at: Instant | None = None) -> Receipt:
        """Put facts into the log, each identifier once; durable when it returns, or with the explicit transaction around it. `recorded_at`
        is when they came (by default now, as the database has it).

        Safe to repeat. When the connection was lost and the commit had arrived, the repetition counts them as duplicates.
        """
        return self.append_rows(rows_of(facts), recorded_at)

    def append_rows(self, rows: FactRows, recorded_at: Instant | None = None) -> Receipt:
        """The same, for facts in columns of bytes."""
        if not len(rows):
            return Receipt(0, 0, (), self._session.value("log_head"))
        return self._session.run(lambda connection: self._append(connection, rows, recorded_at))

    def _append(self, connection: Connection, rows: FactRows, recorded_at: Instant | None) -> Receipt:
        judged, batch = _Judged(range(len(rows))), None
        if rows.replacing:
            connection.execute(statement("lock_replacements"))
        if rows.plain and not self._meets_known:
            batch = self._put(connection, rows)
        while batch is None:
            judged = self._judge(connection, rows)
            if not judged.admitted:
                break
            batch = self._put(connection, rows if len(judged.admitted) == len(rows) else rows.subset(judged.admitted))
        self._meets_known = len(judged.admitted) < len(rows)
        for index, refusal in judged.refused:
            _record(connection, rows.fact(index), refusal)
        head = _give_place(connection, batch, len(judged.admitted), recorded_at)
        return Receipt(len(judged.admitted), judged.duplicates, judged.refused, head)

    def _put(self, connection: Connection, rows: FactRows) -> int | None:
        """Insert all rows as a batch and return its number; None, and nothing inserted, when one of them is known already."""
        try:
            with connection.transaction():
                if self._staged_in == self._session.transactions:  # still full of an earlier batch of this transaction
                    connection.execute("TRUNCATE staged_facts")
                self._staged_in = self._session.transactions
                with connection.cursor() as cursor:
                    with cursor.copy(statement("copy_facts")) as copy:
                        for chunk in copy_lines(rows, range(len(rows))):
                            copy.write(chunk)
                    row = cursor.execute(statement("insert_facts")).fetchone()
                    assert row is not None
                    if rows.targets is not None:
                        cursor.execute(statement("insert_adjustments"), {"batch": row[0]})
                return int(row[0])
        except psycopg.errors.UniqueViolation:
            return None

    def _judge(self, connection: Connection, rows: FactRows) -> _Judged:
        claims = list(rows.claims())
        names = {name for claim in claims for name in (claim.identifier, claim.target) if name is not None}
        admission = _known(connection, list(names))
        admitted: list[int] = []
        refused: list[tuple[int, Refusal]] = []
        for index, claim in enumerate(claims):
            try:
                if admission.admit(claim):
                    admitted.append(index)
            except Refusal as refusal:
                refused.append((index, refusal))
        return _Judged(admitted, len(rows) - len(admitted) - len(refused), tuple(refused))


def _known(connection: Connection, names: Sequence[str]) -> Admission:
    admission = Admission()
    for kind, name, content, other in connection.execute(statement("known_claims"), {"names": names}, prepare=False):
        match kind:
            case "event":
                admission.identifiers[name] = (content.replace("-", ""), other)
            case "cancel":
                admission.cancels.add((name, other))
            case "replacement":
                admission.replacements[name] = other
    return admission


def _record(connection: Connection, fact: Fact, refusal: Refusal) -> None:
    document = event_document(fact)
    subject = document.get("identifier") or document.get("event", {}).get("identifier") or document["cancel"]["identifier"]
    values = {"code": refusal.code, "subject": subject, "hash": hash_of(line_of(fact)), "document": Jsonb(document), "message": refusal.message}
    connection.execute(statement("record_refused"), values)


def _give_place(connection: Connection, batch: int | None, facts: int, recorded_at: Instant | None) -> int:
    """Map a batch to its position, as the last statement of its transaction; returns the head after it."""
    query = "log_head" if batch is None else "map_batch"
    values = None if batch is None else {"batch": batch, "facts": facts, "recorded_at": recorded_at}
    row = connection.execute(statement(query), values).fetchone()
    assert row is not None
    return int(row[0])
