"""Drafts, final documents with their numbers, waivers, and the ledger. Finalising is one transaction, its number given last."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from farthing.app.refusals import CONTRACT_UNKNOWN, DOCUMENT_CHANGED, DOCUMENT_OUTDATED, GRANT_UNKNOWN
from farthing.app.store import LinePayload, StoredDocument
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import parse_instant
from farthing.core.invoice.document import issued_from, key_text, read_line
from farthing.core.invoice.invoice import Issued, Line
from farthing.core.ledger.periods import AccountingPeriod, read_period
from farthing.edges.postgres.session import Connection, Session
from farthing.edges.postgres.statements import statement

_PAGE = 200


class BillTables:
    """Bills and books."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def issued(self, contract: str) -> Sequence[Issued]:
        """What final documents have billed under a contract, by charge key, in order of first billing."""
        by_key: dict[str, list[tuple[str, Line]]] = {}
        for key, number, content in self._session.rows("issued_lines", {"contract": contract}):
            by_key.setdefault(key, []).append((number, read_line(content)))
        return [issued_from(lines) for lines in by_key.values()]

    def waived(self, contract: str) -> Mapping[str, int]:
        """Minor units given up on purpose, by `key_text`."""
        return dict(self._session.rows("waived", {"contract": contract}))

    def put_waiver(self, contract: str, key: str, amount: int, reason: str) -> None:
        """Record that an amount of a key is given up. Errors: contract_unknown."""

        def put(connection: Connection) -> None:
            _lock(connection, contract)
            values = {"contract": contract, "key": key, "hash": _hash(key), "amount": amount, "reason": reason}
            connection.execute(statement("insert_waiver"), values)

        self._session.run(put, repeatable=False)

    def save_drafts(self, contract: str, documents: Sequence[StoredDocument], lines: Mapping[str, Sequence[LinePayload]]) -> None:
        """Replace all drafts of a contract by these. Errors: contract_unknown."""

        def save(connection: Connection) -> None:
            _lock(connection, contract)
            connection.execute(statement("delete_drafts"), {"contract": contract})
            for document in documents:
                own = lines.get(document.id, ())
                connection.execute(statement("insert_draft"), {**_row(document, own), "contract": contract})
                values = {"document": document.id, "ids": [one.id for one in own], "contents": [Jsonb(one.content) for one in own]}
                connection.execute(statement("insert_draft_lines"), values)

        self._session.run(save)

    def drafts(self, contract: str | None = None) -> Sequence[StoredDocument]:
        """Drafts in order of creation."""
        return [_document(row, "draft") for row in self._session.rows("drafts", {"contract": contract})]

    def finalise(
        self, document: StoredDocument, lines: Sequence[LinePayload], postings: Sequence[Mapping[str, Any]], grants: Sequence[tuple[str, int]]
    ) -> str:
        """Make a document final, and return its number; of one that is final already with the same content, just the number.

        Errors: document_changed, document_outdated (another run billed the contract since the draft was made), grant_unknown,
        grant_exhausted, entry_unbalanced, period_closed.
        """

        def work(connection: Connection) -> str:
            _lock(connection, document.contract)
            known = connection.execute(statement("final_state"), {"id": document.id}).fetchone()
            if known is not None:
                if known[0] != document.digest:
                    raise Refusal(DOCUMENT_CHANGED, f"document {document.id!r} is final with other content.", "id")
                return str(known[1])
            _check_place(connection, document, lines)
            _insert(connection, document, lines)
            _post(connection, document, postings)
            for grant, amount in grants:
                used = connection.execute(statement("use_grant"), {"document": document.id, "grant": grant, "amount": amount})
                if used.rowcount != 1:
                    raise Refusal(GRANT_UNKNOWN, f"there is no grant {grant!r}.", "grants")
            connection.execute(statement("delete_draft"), {"id": document.id})
            number = connection.execute(statement("give_number"), {"document": document.id}).fetchone()
            assert number is not None
            return str(number[0])

        return self._session.run(work)

    def documents(self, contract: str | None = None) -> Iterator[StoredDocument]:
        """Final documents in order of finalisation, read page by page."""
        after = 0
        while rows := self._session.rows("final_documents", {"after": after, "contract": contract, "id": None, "page": _PAGE}):
            for row in rows:
                yield _document(row, "final")
            after = rows[-1][8]

    def line(self, line_id: str) -> tuple[StoredDocument, Mapping[str, Any]] | None:
        """A line by its id, or by its document's number, a colon, and its place from 1; with its document."""
        number, _, place = line_id.rpartition(":")
        n = int(place) if place.isdecimal() and len(place) < 10 else 0
        found = self._session.rows("find_line", {"id": line_id, "document": number, "n": n})
        if not found:
            return None
        id_, content, final = found[0]
        if final:
            rows = self._session.rows("final_documents", {"after": 0, "contract": None, "id": id_, "page": 1})
            return _document(rows[0], "final"), content
        return next(draft for draft in self.drafts() if draft.id == id_), content

    def postings(self, document_id: str) -> Sequence[Mapping[str, Any]]:
        """The postings of a final document, as they were given to `finalise`, in order."""
        return [row for (row,) in self._session.rows("postings", {"document": document_id})]

    def closed_through(self) -> AccountingPeriod | None:
        """The last accounting period that is closed; None when all are open."""
        closed = self._session.value("closed_through")
        return read_period(closed) if closed else None


def _lock(connection: Connection, contract: str) -> None:
    row = connection.execute(statement("lock_contract"), {"contract": contract}).fetchone()
    if row is None or not row[1]:
        raise Refusal(CONTRACT_UNKNOWN, f"there is no contract {contract!r}.", "contract")


def _check_place(connection: Connection, document: StoredDocument, lines: Sequence[LinePayload]) -> None:
    """What was issued for the document's keys must still be what its lines were computed against."""
    keys: dict[str, int] = {}
    for payload in lines:
        line = read_line(payload.content)
        keys.setdefault(str(_hash(key_text(line.key))), line.previously)
    rows = connection.execute(statement("issued_amounts"), {"contract": document.contract, "keys": list(keys)}).fetchall()
    issued: dict[str, int] = dict(rows)
    period = document.content["period"]
    values = {"contract": document.contract, "kind": document.kind, "start": parse_instant(period[0]), "end": parse_instant(period[1])}
    taken = connection.execute(statement("place_taken"), values).fetchone()
    again = taken is not None and taken[0] and not keys
    if again or any(issued.get(key, 0) != before for key, before in keys.items()) or (set(issued) - set(keys)):
        raise Refusal(DOCUMENT_OUTDATED, f"the contract {document.contract!r} was billed by another run since this draft was made.", "id")


def _insert(connection: Connection, document: StoredDocument, lines: Sequence[LinePayload]) -> None:
    start, end = document.content["period"]
    span = {"start": parse_instant(start), "end": parse_instant(end)}
    connection.execute(statement("insert_document"), {**_row(document, lines), "contract": document.contract, **span})
    read = [read_line(one.content) for one in lines]
    values = {
        "document": document.id,
        "contract": document.contract,
        "ids": [one.id for one in lines],
        "keys": [str(_hash(key_text(line.key))) for line in read],
        "amounts": [line.amount for line in read],
        "contents": [Jsonb(one.content) for one in lines],
    }
    connection.execute(statement("insert_document_lines"), values)


def _post(connection: Connection, document: StoredDocument, postings: Sequence[Mapping[str, Any]]) -> None:
    if postings:
        legs = [{**{k: v for k, v in leg.items() if k != "entry"}, "leg": n} for n, leg in enumerate(postings, start=1)]
        connection.execute(statement("insert_entry"), {"document": document.id, "kind": document.kind, "legs": Jsonb(legs)})


def _row(document: StoredDocument, lines: Sequence[LinePayload]) -> dict[str, Any]:
    """The columns of a document. Lines that stand in rows of their own are not kept a second time inside it."""
    apart = document.content.get("lines") == [dict(one.content) for one in lines]
    content = {name: value for name, value in document.content.items() if not (apart and name == "lines")}
    values = {"id": document.id, "kind": document.kind, "lines_apart": apart, "digest": document.digest}
    return {**values, "content": Jsonb(content), "pins": Jsonb(dict(document.pins))}


def _document(row: tuple[Any, ...], state: Any) -> StoredDocument:
    id_, contract, kind, apart, content, digest, pins, number, sequence, lines = row
    whole = {**content, "lines": lines} if apart else content
    return StoredDocument(id_, contract, kind, state, whole, digest, pins, number, sequence)


def _hash(key: str) -> UUID:
    return UUID(bytes=hashlib.sha256(key.encode()).digest()[:16])
