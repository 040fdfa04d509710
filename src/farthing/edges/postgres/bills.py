"""Drafts, finalised documents, waivers and the books. A document becomes final in one transaction, with its number as the last act."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from psycopg.types.json import Jsonb

from farthing.app.refusals import CONTRACT_UNKNOWN, DOCUMENT_CHANGED, DOCUMENT_OUTDATED, GRANT_UNKNOWN
from farthing.app.store import LinePayload, StoredDocument, Void, void_entry
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import parse_instant
from farthing.core.invoice.document import issued_from, key_text, read_document, read_line
from farthing.core.invoice.invoice import Issued, Line
from farthing.core.invoice.refusals import DOCUMENT_VOID
from farthing.core.invoice.voids import Disposition, followed
from farthing.core.ledger.periods import AccountingPeriod, read_period
from farthing.edges.postgres.session import Connection, Session
from farthing.edges.postgres.statements import statement

_PAGE = 200


class BillTables:
    """Bills. All writes for one contract take turns."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def issued(self, contract: str) -> Sequence[Issued]:
        """What finalised documents have billed under a contract, by charge key, in order of first billing."""
        by_key: dict[str, list[tuple[str, Line]]] = {}
        for key, number, content in self._session.rows("issued_lines", {"contract": contract}):
            by_key.setdefault(key, []).append((number, read_line(content)))
        return [issued_from(lines) for lines in by_key.values()]

    def waived(self, contract: str) -> Mapping[str, int]:
        """Minor units given up on purpose, by charge key (its text)."""
        return dict(self._session.rows("waived", {"contract": contract}))

    def put_waiver(self, contract: str, key: str, amount: int, reason: str) -> None:
        """Record that an amount of a key is given up. Errors: contract_unknown. Not repeated by itself: twice would waive twice."""

        def put(connection: Connection) -> None:
            _lock(connection, contract)
            connection.execute(statement("insert_waiver"), _waiver(contract, key, amount, reason))

        self._session.run(put, repeatable=False)

    def save_drafts(self, contract: str, documents: Sequence[StoredDocument], lines: Mapping[str, Sequence[LinePayload]]) -> None:
        """Replace all drafts of a contract by these. Errors: contract_unknown, document_outdated when one of them is final already."""

        def save(connection: Connection) -> None:
            _lock(connection, contract)
            connection.execute(statement("delete_drafts"), {"contract": contract})
            for document in documents:
                if connection.execute(statement("final_state"), {"id": document.id}).fetchone() is not None:
                    raise Refusal(DOCUMENT_OUTDATED, f"{document.id!r} is final already.")
                payloads = lines.get(document.id, ())
                connection.execute(statement("insert_draft"), _values(document, payloads))
                columns = {"ids": [line.id for line in payloads], "contents": [Jsonb(line.content) for line in payloads]}
                connection.execute(statement("insert_draft_lines"), {"document": document.id, **columns})

        self._session.run(save)

    def drafts(self, contract: str | None = None) -> Sequence[StoredDocument]:
        """Drafts in order of creation."""
        return [_stored(row, "draft") for row in self._session.rows("drafts", {"contract": contract})]

    def finalise(
        self, document: StoredDocument, lines: Sequence[LinePayload], postings: Sequence[Mapping[str, Any]], grants: Sequence[tuple[str, int]]
    ) -> str:
        """Make a draft final: its lines, its ledger entry, the grants that it uses, and a gapless number, which is returned.

        Doing it again for a document that is final changes nothing and returns its number. Errors: document_changed (final with
        another digest), document_outdated (a line was computed against other amounts than are issued now), contract_unknown,
        grant_unknown, grant_exhausted, entry_unbalanced, ledger_account_unknown, period_closed. Then nothing has changed.
        """

        def work(connection: Connection) -> str:
            _lock(connection, document.contract)
            known = connection.execute(statement("final_state"), {"id": document.id}).fetchone()
            if known is None:
                return _finalise(connection, document, lines, postings, grants)
            if known[0] != document.digest:
                raise Refusal(DOCUMENT_CHANGED, f"{document.id!r} is final as {known[1]} with digest {known[0]}.")
            return str(known[1])

        return self._session.run(work)

    def documents(self, contract: str | None = None, after: int = 0, bare: bool = False) -> Iterator[StoredDocument]:
        """Finalised documents in order of finalisation, void ones too, those behind the place `after`, read by pages; `bare` ones
        without their content."""
        while rows := self._final(after=after, contract=contract, bare=bare, page=_PAGE):
            yield from map(_read_final, rows)
            if len(rows) < _PAGE:
                return
            after = rows[-1][8]

    def document(self, number: str) -> StoredDocument | None:
        """The finalised document of that number."""
        return next((_read_final(row) for row in self._final(number=number)), None)

    def lines(self, document_id: str) -> Mapping[str, Mapping[str, Any]]:
        """The lines that are kept beside a final document: content by id, in order."""
        return dict(self._session.rows("document_lines", {"document": document_id}))

    def void(
        self,
        document: StoredDocument,
        disposition: Disposition,
        reason: str,
        postings: Sequence[Mapping[str, Any]],
        waivers: Sequence[tuple[str, int]],
    ) -> bool:
        """Make a final document void: reverse its entry, give its grants back, and record waivers; its number stays taken.

        False, and nothing changes, when it is void that way already. Errors: document_void (the other way), document_followed,
        grant_exhausted, entry_unbalanced, period_closed. Then nothing has changed.
        """

        def work(connection: Connection) -> bool:
            _lock(connection, document.contract)
            known = connection.execute(statement("document_void"), {"document": document.id}).fetchone()
            if known is None:
                _void(connection, document, disposition, reason, postings)
                for key, amount in waivers:
                    connection.execute(statement("insert_waiver"), _waiver(document.contract, key, amount, reason))
            elif known[0] != disposition:
                raise Refusal(DOCUMENT_VOID, f"{document.number} is void already, to {known[0]}.", "number")
            return known is None

        return self._session.run(work)

    def postings(self, document_id: str) -> Sequence[Mapping[str, Any]]:
        """The postings of a final document, as they were given to `finalise`, in order; with `void_entry` of its id those of its void."""
        return [posting for (posting,) in self._session.rows("postings", {"entry": document_id})]

    def closed_through(self) -> AccountingPeriod | None:
        """The last accounting period that is closed; None when all are open."""
        closed = self._session.value("closed_through")
        return read_period(closed) if closed else None

    def line(self, line_id: str) -> tuple[StoredDocument, Mapping[str, Any]] | None:
        """A line by its id, or as `<document number>:<n>` with n from 1, with its document."""
        number, _, place = line_id.rpartition(":")
        n = int(place) if place.isdecimal() and len(place) < 10 else 0
        found = self._session.rows("find_line", {"id": line_id, "document": number, "n": n})
        if not found:
            return None
        document, content, final = found[0]
        if final:
            return _read_final(self._final(id=document)[0]), content
        return next((draft, content) for draft in self.drafts() if draft.id == document)

    def _final(self, **which: Any) -> list[tuple[Any, ...]]:
        return self._session.rows("final_documents", {"after": 0, "contract": None, "id": None, "number": None, "bare": False, "page": 1, **which})


def key_hash(key: str) -> uuid.UUID:
    """What lines and waivers of a charge key are found by: the first 16 bytes of the SHA-256 of its text."""
    return uuid.UUID(bytes=hashlib.sha256(key.encode()).digest()[:16])


def _lock(connection: Connection, contract: str) -> None:
    row = connection.execute(statement("lock_contract"), {"contract": contract}).fetchone()
    if row is None or not row[1]:
        raise Refusal(CONTRACT_UNKNOWN, f"there is no contract {contract!r}.", "contract")


def _finalise(
    connection: Connection,
    document: StoredDocument,
    lines: Sequence[LinePayload],
    postings: Sequence[Mapping[str, Any]],
    grants: Sequence[tuple[str, int]],
) -> str:
    if connection.execute(statement("declared_after"), {"contract": document.contract, "revision": document.pins["revision"]}).fetchone() is not None:
        raise Refusal(DOCUMENT_OUTDATED, f"contract {document.contract!r} was declared anew after {document.id!r} was computed.", "contract")
    keys = [key_hash(key_text(read_line(line.content).key)) for line in lines]
    _check_current(connection, document, lines, keys)
    start, end = (parse_instant(instant) for instant in document.content["period"])
    if document.bills_anew:
        spans = {"period": document.pins["period"] if document.bills_period else None, "ahead": document.pins.get("ahead")}
        values = {name: None if span is None else Jsonb(span) for name, span in spans.items()}
        already = connection.execute(statement("billed_already"), {"contract": document.contract, **values}).fetchone()
        if already is not None:
            raise Refusal(DOCUMENT_OUTDATED, f"{already[0]} bills the same period already.")
    connection.execute(statement("insert_document"), {**_values(document, lines), "start": start, "end": end})
    columns = {
        "ids": [line.id for line in lines],
        "keys": keys,
        "amounts": [line.content["amount"] for line in lines],
        "contents": [Jsonb(line.content) for line in lines],
    }
    connection.execute(statement("insert_document_lines"), {"document": document.id, "contract": document.contract, **columns})
    _book(connection, document.id, document.id, postings, grants)
    connection.execute(statement("delete_draft"), {"id": document.id})
    row = connection.execute(statement("give_number"), {"document": document.id}).fetchone()
    assert row is not None
    return str(row[0])


def _void(connection: Connection, document: StoredDocument, disposition: Disposition, reason: str, postings: Sequence[Mapping[str, Any]]) -> None:
    followers = [number for number, _ in connection.execute(statement("followers"), {"document": document.id})]
    if followers:
        raise followed(document.number or "", followers)
    back = [(grant, -units) for grant, units in read_document(document.content).grants_used]
    _book(connection, document.id, void_entry(document.id), postings, back)
    connection.execute(statement("insert_void"), {"document": document.id, "disposition": disposition, "reason": reason})


def _book(connection: Connection, document: str, entry: str, postings: Sequence[Mapping[str, Any]], grants: Sequence[tuple[str, int]]) -> None:
    for grant, amount in _summed(grants):
        if connection.execute(statement("use_grant"), {"entry": entry, "grant": grant, "amount": amount}).rowcount == 0:
            raise Refusal(GRANT_UNKNOWN, f"there is no grant {grant!r}.", "grants")
    if postings:
        legs = [{"leg": n, **posting} for n, posting in enumerate(postings, 1)]
        connection.execute(statement("insert_entry"), {"document": document, "entry": entry, "kind": postings[0]["entry"], "legs": Jsonb(legs)})


def _check_current(connection: Connection, document: StoredDocument, lines: Sequence[LinePayload], keys: Sequence[uuid.UUID]) -> None:
    """Each line says what had been issued for its key when it was computed; if that has changed, it would bill something twice. A line
    of zero is made for a key that was never billed, or by the one bill of its period."""
    values = {"contract": document.contract, "keys": list(keys)}
    issued = {uuid.UUID(key): amount for key, amount in connection.execute(statement("issued_amounts"), values)}
    for line, key in zip(lines, keys, strict=True):
        before, now = line.content["previously"], issued.get(key)
        if before != (now or 0) or (now is not None and line.content["amount"] == 0 and not document.bills_anew):
            raise Refusal(DOCUMENT_OUTDATED, f"line {line.id!r} was computed against {before} issued, but {now or 0} is.", line.id)


def _summed(grants: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """One amount for each grant, in order of id: two bills that use the same grants wait for each other, and never in a circle."""
    sums: dict[str, int] = {}
    for grant, amount in grants:
        sums[grant] = sums.get(grant, 0) + amount
    return sorted(sums.items())


def _values(document: StoredDocument, lines: Sequence[LinePayload]) -> dict[str, Any]:
    apart = document.content.get("lines") == [line.content for line in lines]
    content = {name: value for name, value in document.content.items() if not (apart and name == "lines")}
    return {
        "id": document.id,
        "contract": document.contract,
        "kind": document.kind,
        "lines_apart": apart,
        "content": Jsonb(content),
        "digest": document.digest,
        "pins": Jsonb(dict(document.pins)),
    }


def _waiver(contract: str, key: str, amount: int, reason: str) -> dict[str, Any]:
    return {"contract": contract, "key": key, "hash": key_hash(key), "amount": amount, "reason": reason}


def _read_final(row: tuple[Any, ...]) -> StoredDocument:
    *columns, disposition, reason = row
    if disposition is None:
        return _stored(tuple(columns), "final")
    return replace(_stored(tuple(columns), "void"), void=Void(disposition, reason))


def _stored(row: tuple[Any, ...], state: Any) -> StoredDocument:
    id_, contract, kind, lines_apart, content, digest, pins, number, sequence, lines = row
    return StoredDocument(id_, contract, kind, state, {**content, "lines": lines} if lines_apart else content, digest, pins, number, sequence)
