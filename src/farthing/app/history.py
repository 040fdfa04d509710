"""What was billed under a contract, as far as a bill needs it: each final document is read at most once, and most never.

A bill needs to know of every document what it was computed from, and of those that billed in the same spans of time what they billed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from farthing.app.store import Store, StoredDocument
from farthing.core.base.time import Interval
from farthing.core.contract.contract import Contract
from farthing.core.invoice.document import issued_from, key_text, read_document, read_key
from farthing.core.invoice.invoice import Document, Issued, Line
from farthing.core.invoice.taken_back import TakenBack
from farthing.core.settlement.grants import Earlier
from farthing.core.settlement.originals import originals


class History:
    """A contract's final documents in order of finalisation, without their content (`final`); what they billed, on demand.

    `done` are documents with their content that the caller has read already; without it, the store is asked.
    """

    def __init__(self, store: Store, contract: Contract) -> None:
        self._store = store
        self.contract = contract
        self.final: list[StoredDocument] = []
        self._read: dict[str, Document] = {}

    def refresh(self) -> None:
        """Take note of documents that became final since, by whomever."""
        after = self.final[-1].sequence if self.final else None
        self.final += self._store.documents(self.contract.id, after or 0, bare=True)

    def add(self, stored: StoredDocument) -> None:
        """Take note of the next document, of which the caller has the content."""
        self.final.append(stored)
        self._read[stored.id] = read_document(stored.content)

    def document(self, stored: StoredDocument) -> Document:
        """What a document of the history says."""
        if stored.id not in self._read:
            found = self._store.document(number_of(stored))
            assert found is not None
            self._read[stored.id] = read_document(found.content)
        return self._read[stored.id]

    def void(self) -> tuple[str, ...]:
        """The numbers of those that are void now."""
        return tuple(number_of(one) for one in self.final if one.void is not None)

    def issued(self, spans: Sequence[Interval], void: Collection[str]) -> tuple[Issued, ...]:
        """What was billed for the charge keys whose segments overlap one of the spans, in order of first billing; `void` are the
        numbers of documents that count as never issued."""
        by_key: dict[object, list[tuple[str, Line]]] = {}
        for stored in self._standing(void):
            if _overlaps(self._reach(stored), spans):
                for line in self.document(stored).lines:
                    if line.key.rated and _overlaps((line.key.segment,), spans):
                        by_key.setdefault(line.key, []).append((number_of(stored), line))
        return tuple(issued_from(lines) for lines in by_key.values())

    @property
    def last(self) -> StoredDocument | None:
        """The last document that has billed all that was known: not one that only takes back amounts by decision."""
        return next((stored for stored in reversed(self.final) if not stored.takes_back), None)

    def taken_back(self, amounts: Mapping[str, int], void: Collection[str]) -> tuple[TakenBack, ...]:
        """Amounts of charge keys, by the keys' texts, each with what was billed for its key and how that was derived last."""
        by_key: dict[str, list[tuple[str, Line]]] = {key: [] for key in amounts}
        spans = [key.segment for key in map(read_key, amounts) if key.rated]
        for stored in self._standing(void):
            if "adjustments" in stored.pins or stored.takes_back or _overlaps(self._reach(stored), spans):
                for line in self.document(stored).lines:
                    if (key := key_text(line.key)) in by_key:
                        by_key[key].append((number_of(stored), line))
        return tuple(TakenBack(issued_from(lines), amounts[key], lines[-1][1].derivation) for key, lines in by_key.items())

    def originals(self, void: Collection[str]) -> dict[str, Earlier]:
        """What each document comes to with the corrections of it so far, and the after-tax grants used on it."""
        standing = list(self._standing(void))
        if any(stored.id not in self._read for stored in standing):
            self._read |= {one.id: read_document(one.content) for one in self._store.documents(self.contract.id) if one.id not in self._read}
        return originals((number_of(stored), self.document(stored)) for stored in standing)

    def _standing(self, void: Collection[str]) -> Iterator[StoredDocument]:
        return (stored for stored in self.final if number_of(stored) not in void)

    def _reach(self, stored: StoredDocument) -> Iterator[Interval]:
        """The spans in which the segments of a document's charge keys lie: the periods that it was computed for; those of a part-invoice
        reach to the end of the billing period."""
        yield from (Interval(*span) for span in (*stored.pins["earlier"], *stored.pins.get("opened", ())))
        if (ahead := stored.pins.get("ahead")) is not None:
            yield Interval(*ahead)
        if stored.pins["period"] is not None:
            start, end = stored.pins["period"]
            billing = self.contract.billing
            yield Interval(start, max(end, billing.period(billing.index_at(start)).end) if stored.pins["part"] else end)


def number_of(stored: StoredDocument) -> str:
    """What a final document is called."""
    return stored.number or stored.id


def _overlaps(some: Iterable[Interval], spans: Sequence[Interval]) -> bool:
    return any(one.overlap(span) for one in some for span in spans)
