"""The lines of an invoice as the books have them: of a final one by the documents that were booked for it, of a draft as it comes to now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from farthing.app.bill import line_payloads
from farthing.app.billing.invoices import compute_invoice, in_time, subscription_of
from farthing.app.billing.kinds import INVOICE
from farthing.app.billing.lines import line_id
from farthing.app.refusals import LINE_UNKNOWN
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.app.store import Store, StoredDocument, void_entry
from farthing.core.base.refusal import Refusal
from farthing.core.invoice.document import read_line


@dataclass(frozen=True, slots=True)
class BookedLine:
    """A line of an invoice: its id on the invoice, its id in the books (None on a draft), and its canonical document."""

    id: str
    booked: str | None
    content: Mapping[str, Any]


def lines_of_invoice(desk: Desk, row: Row) -> list[BookedLine]:
    """All lines of an invoice, in its order."""
    if row.document["status"] == "draft":
        now = compute_invoice(in_time(desk, row), row.document, row.hidden, subscription_of(desk, row.document))
        return [BookedLine(line_id(read_line(one), row.id), None, one) for _, stored in now.documents for one in stored.content["lines"]]
    return [
        BookedLine(line_id(read_line(payload.content), row.id), f"{stored.number}:{n}", payload.content)
        for stored in documents_of(desk.store, row)
        for n, payload in enumerate(line_payloads(stored), start=1)
    ]


def documents_of(store: Store, row: Row) -> Iterator[StoredDocument]:
    """The final documents that an invoice consists of; a draft has none."""
    for number in row.hidden["documents"]:
        found = store.document(number)
        if found is not None:
            yield found


def booked_line(desk: Desk, line: str, invoice: str | None) -> str:
    """The id in the books of a line that is named by it, or by its id on a final invoice. Errors: resource_missing, line_unknown."""
    if invoice is None:
        return line
    row = plain.need(desk, INVOICE, invoice, "invoice")
    found = next((one.booked for one in lines_of_invoice(desk, row) if one.id == line), None)
    if found is None:
        raise Refusal(LINE_UNKNOWN, f"invoice {row.id!r} has no line {line[:80]!r} that is final.", "line")
    return found


def entries_of_invoice(store: Store, row: Row) -> list[tuple[StoredDocument, str, list[Mapping[str, Any]]]]:
    """The ledger entries that an invoice made: each with its document, the kind of entry, and its postings."""
    found: list[tuple[StoredDocument, str, list[Mapping[str, Any]]]] = []
    for stored in documents_of(store, row):
        for name in (stored.id, void_entry(stored.id)):
            postings = list(store.postings(name))
            if postings:
                found.append((stored, postings[0]["entry"], postings))
    return found
