"""Drafts, finalised documents, waivers and the books in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from farthing.app.refusals import (
    CONTRACT_UNKNOWN,
    DOCUMENT_CHANGED,
    DOCUMENT_OUTDATED,
    ENTRY_UNBALANCED,
    GRANT_EXHAUSTED,
    GRANT_UNKNOWN,
    LEDGER_ACCOUNT_UNKNOWN,
    PERIOD_CLOSED,
)
from farthing.app.store import LinePayload, StoredDocument, Void, void_entry
from farthing.core.base.refusal import Refusal
from farthing.core.invoice.document import issued_from, key_text, read_document, read_line
from farthing.core.invoice.invoice import Issued, Line
from farthing.core.invoice.refusals import DOCUMENT_VOID
from farthing.core.invoice.voids import Disposition, refuse_followed
from farthing.core.ledger.accounts import CHART
from farthing.core.ledger.periods import AccountingPeriod, read_period
from farthing.testing.memory_state import Held

_PREFIXES = {"invoice": "INV-", "credit_note": "CN-"}


class MemoryBills(Held):
    """Bills."""

    def issued(self, contract: str) -> Sequence[Issued]:
        """What finalised documents have billed under a contract, by charge key, in order of first billing."""
        by_key: dict[str, list[tuple[str, Line]]] = {}
        for document in self._standing(contract):
            for payload in self._state.lines[document.id]:
                line = read_line(payload.content)
                by_key.setdefault(key_text(line.key), []).append((document.number or "", line))
        return [issued_from(lines) for lines in by_key.values()]

    def waived(self, contract: str) -> Mapping[str, int]:
        """Minor units given up on purpose, by charge key (its text)."""
        sums: dict[str, int] = {}
        for whose, key, amount, _ in self._state.waivers:
            if whose == contract:
                sums[key] = sums.get(key, 0) + amount
        return sums

    def put_waiver(self, contract: str, key: str, amount: int, reason: str) -> None:
        """Record that an amount of a key is given up. Errors: contract_unknown."""
        self._need_contract(contract)
        self._state.waivers.append((contract, key, amount, reason))

    def save_drafts(self, contract: str, documents: Sequence[StoredDocument], lines: Mapping[str, Sequence[LinePayload]]) -> None:
        """Replace all drafts of a contract by these. Errors: contract_unknown, document_outdated when one of them is final already."""
        self._need_contract(contract)
        with self.transaction():
            self._state.drafts = {id_: draft for id_, draft in self._state.drafts.items() if draft.contract != contract}
            for document in documents:
                if document.id in self._state.documents:
                    raise Refusal(DOCUMENT_OUTDATED, f"{document.id!r} is final already.")
                self._state.drafts[document.id] = replace(document, state="draft", number=None, sequence=None)
                self._state.lines[document.id] = tuple(lines.get(document.id, ()))

    def drafts(self, contract: str | None = None) -> Sequence[StoredDocument]:
        """Drafts in order of creation."""
        return [draft for draft in self._state.drafts.values() if contract in (None, draft.contract)]

    def finalise(
        self, document: StoredDocument, lines: Sequence[LinePayload], postings: Sequence[Mapping[str, Any]], grants: Sequence[tuple[str, int]]
    ) -> str:
        """Make a draft final; the same errors as the Postgres store's, after which nothing has changed."""
        self._need_contract(document.contract)
        known = self._state.documents.get(document.id)
        if known is not None:
            if known.digest != document.digest:
                raise Refusal(DOCUMENT_CHANGED, f"{document.id!r} is final as {known.number} with digest {known.digest}.")
            return known.number or ""
        declared = self._state.declared.get(document.contract)
        if declared is not None and declared.revision > document.pins["revision"]:
            raise Refusal(DOCUMENT_OUTDATED, f"contract {document.contract!r} was declared anew after {document.id!r} was computed.", "contract")
        if document.bills_anew:
            for one in self.documents(document.contract):
                same = one.bills_period and document.bills_period and one.pins["period"] == document.pins["period"]
                if same or (one.ahead is not None and one.ahead == document.ahead):
                    raise Refusal(DOCUMENT_OUTDATED, f"{one.number} bills the same period already.")
        with self.transaction():
            self._bill(lines, document.bills_anew)
            self._use(grants)
            if postings:
                _check_entry(postings, self._state.closed_through)
                self._state.entries[document.id] = tuple(postings)
            same_series = sum(1 for one in self._state.documents.values() if one.kind == document.kind)
            number = f"{_PREFIXES[document.kind]}{same_series + 1:06d}"
            final = replace(document, state="final", number=number, sequence=len(self._state.documents) + 1)
            self._state.documents[document.id] = final
            self._state.lines[document.id] = tuple(lines)
            self._state.drafts.pop(document.id, None)
        return number

    def documents(self, contract: str | None = None, after: int = 0, bare: bool = False) -> Iterator[StoredDocument]:
        """Finalised documents in order of finalisation, void ones too, those behind the place `after`; `bare` ones without content."""
        found = [one for one in self._state.documents.values() if contract in (None, one.contract) and (one.sequence or 0) > after]
        yield from [replace(one, content={}) for one in found] if bare else found

    def document(self, number: str) -> StoredDocument | None:
        """The finalised document of that number."""
        return next((one for one in self._state.documents.values() if one.number == number), None)

    def lines(self, document_id: str) -> Mapping[str, Mapping[str, Any]]:
        """The lines that are kept beside a final document: content by id, in order."""
        return {line.id: line.content for line in self._state.lines[document_id]} if document_id in self._state.documents else {}

    def void(
        self,
        document: StoredDocument,
        disposition: Disposition,
        reason: str,
        postings: Sequence[Mapping[str, Any]],
        waivers: Sequence[tuple[str, int]],
    ) -> bool:
        """Make a final document void; the same errors as the Postgres store's, after which nothing has changed."""
        number = document.number or ""
        known = self._state.documents[document.id]
        if known.void is not None:
            if known.void.disposition != disposition:
                raise Refusal(DOCUMENT_VOID, f"{number} is void already, to {known.void.disposition}.", "number")
            return False
        content = read_document(known.content)
        later = [one for one in self._standing(known.contract) if (one.sequence or 0) > (known.sequence or 0)]
        refuse_followed(number, content, [(one.number or "", read_document(one.content)) for one in later])
        with self.transaction():
            self._use([(grant, -units) for grant, units in content.grants_used])
            if postings:
                _check_entry(postings, self._state.closed_through)
                self._state.entries[void_entry(document.id)] = tuple(postings)
            for line in content.lines:
                self._state.billed[key_text(line.key)] -= line.amount
            for key in {key_text(line.key) for line in content.lines} - {key_text(one.key) for one in self._billed_beside(known)}:
                del self._state.billed[key]
            self._state.documents[document.id] = replace(known, state="void", void=Void(disposition, reason))
            self._state.waivers += [(known.contract, key, amount, reason) for key, amount in waivers]
        return True

    def postings(self, document_id: str) -> Sequence[Mapping[str, Any]]:
        """The postings of a final document, as they were given to `finalise`, in order."""
        return self._state.entries.get(document_id, ())

    def closed_through(self) -> AccountingPeriod | None:
        """The last accounting period that is closed; None when all are open."""
        return read_period(self._state.closed_through) if self._state.closed_through else None

    def line(self, line_id: str) -> tuple[StoredDocument, Mapping[str, Any]] | None:
        """A line by its id, or as `<document number>:<n>` with n from 1, with its document."""
        for document in (*self._state.documents.values(), *self._state.drafts.values()):
            for n, payload in enumerate(self._state.lines[document.id], 1):
                if line_id == payload.id or (document.number is not None and line_id == f"{document.number}:{n}"):
                    return document, payload.content
        return None

    def close_period(self, period: str) -> None:
        """Close the books through an accounting period such as 2025-01. Errors: period_closed when they are already."""
        if period <= self._state.closed_through:
            raise Refusal(PERIOD_CLOSED, f"the books are closed through {self._state.closed_through} already.")
        self._state.closed_through = period

    def _standing(self, contract: str) -> list[StoredDocument]:
        return [one for one in self.documents(contract) if one.void is None]

    def _billed_beside(self, document: StoredDocument) -> Iterator[Line]:
        for one in self._standing(document.contract):
            if one.id != document.id:
                yield from (read_line(payload.content) for payload in self._state.lines[one.id])

    def _need_contract(self, contract: str) -> None:
        if contract not in self._state.contracts:
            raise Refusal(CONTRACT_UNKNOWN, f"there is no contract {contract!r}.", "contract")

    def _bill(self, lines: Sequence[LinePayload], whole: bool) -> None:
        """Check that each line was computed against what is issued now, then add it."""
        keys = [key_text(read_line(line.content).key) for line in lines]
        for line, key in zip(lines, keys, strict=True):
            before, now = line.content["previously"], self._state.billed.get(key)
            if before != (now or 0) or (now is not None and line.content["amount"] == 0 and not whole):
                raise Refusal(DOCUMENT_OUTDATED, f"line {line.id!r} was computed against {before} issued, but {now or 0} is.", line.id)
        for line, key in zip(lines, keys, strict=True):
            self._state.billed[key] = self._state.billed.get(key, 0) + line.content["amount"]

    def _use(self, grants: Sequence[tuple[str, int]]) -> None:
        for grant, amount in grants:
            if grant not in self._state.remaining:
                raise Refusal(GRANT_UNKNOWN, f"there is no grant {grant!r}.", "grants")
            self._state.remaining[grant] -= amount
        for grant, _ in grants:
            if not 0 <= self._state.remaining[grant] <= self._state.granted[grant][1].remaining:
                raise Refusal(GRANT_EXHAUSTED, f"grant {grant!r} would be left with {self._state.remaining[grant]}.", "grants")


def _check_entry(postings: Sequence[Mapping[str, Any]], closed_through: str) -> None:
    sums: dict[str, int] = {}
    for posting in postings:
        if posting["account"] not in CHART:
            raise Refusal(LEDGER_ACCOUNT_UNKNOWN, f"{posting['account']!r} is not in the chart of accounts.")
        if posting["period"] <= closed_through:
            raise Refusal(PERIOD_CLOSED, f"the books are closed through {closed_through}.")
        sums[posting["currency"]] = sums.get(posting["currency"], 0) + posting["amount"]
    if any(sums.values()) or len(postings) < 2 or not all(posting["amount"] for posting in postings):
        raise Refusal(ENTRY_UNBALANCED, f"the legs sum to {sums}.")
