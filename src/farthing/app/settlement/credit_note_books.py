"""Credit notes in the books: what is drawn up of an invoice as documents of the core, and how these become final."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from farthing.app.adjust import void as void_document
from farthing.app.bill import finalise, save, take_back
from farthing.app.billing.contracts import tax_rate_of
from farthing.app.billing.drafts import clerk_of
from farthing.app.billing.lines import credit_id
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.app.settlement.credit_note_lines import Entry
from farthing.app.settlement.credits import Paid
from farthing.app.store import StoredDocument
from farthing.core.base.time import MICROS, Interval
from farthing.core.contract.contract import Contract
from farthing.core.invoice.adjustment import Adjustment
from farthing.core.invoice.document import key_text, read_document
from farthing.core.invoice.invoice import Line


@dataclass(frozen=True, slots=True)
class Drawn:
    """A credit note that is computed: its entries, the documents of the core, each with its contract, and the core's line of each entry."""

    entries: Sequence[Entry]
    documents: tuple[tuple[Contract, StoredDocument], ...]
    lines: Mapping[str, Line]

    @property
    def amount(self) -> int:
        """What it credits in all, tax included, in minor units."""
        return -sum(int(stored.content["due"]) for _, stored in self.documents)


def waive_entries(desk: Desk, entries: Sequence[Entry]) -> None:
    """Give up what the entries credit of each charge key, so that no later bill charges it again."""
    for entry in entries:
        if entry.source is not None and entry.source.line.key.rated:
            desk.store.put_waiver(entry.source.contract, key_text(entry.source.line.key), entry.amount, "a credit note")


def drawn_up(desk: Desk, invoice: Row, entries: Sequence[Entry]) -> Drawn:
    """The documents of the core for these lines, one for each contract."""
    own = invoice.hidden["bills"][0]["contract"]
    contracts = {one.id: one for one in desk.store.contracts(invoice.document["customer"])}
    documents: list[tuple[Contract, StoredDocument]] = []
    lines: dict[str, Line] = {}
    for id_ in dict.fromkeys(own if entry.source is None else entry.source.contract for entry in entries):
        mine = [entry for entry in entries if (own if entry.source is None else entry.source.contract) == id_]
        by_key = {key_text(entry.source.line.key): entry for entry in mine if entry.source is not None}
        custom = {entry.id: entry for entry in mine if entry.source is None}
        taken = {key: entry.amount for key, entry in by_key.items()}
        made = take_back(clerk_of(desk), contracts[id_], taken, [_adjustment(desk, entry) for entry in custom.values()])
        documents.append((contracts[id_], made))
        for line in read_document(made.content).lines:
            lines[custom[line.key.item].id if line.key.item in custom else by_key[key_text(line.key)].id] = line
    return Drawn(entries, tuple(documents), lines)


def _adjustment(desk: Desk, entry: Entry) -> Adjustment:
    span = Interval(desk.second * MICROS, (desk.second + 1) * MICROS)
    return Adjustment(entry.id, entry.description or "", -entry.amount, span, tax_rates=tuple(tax_rate_of(rate) for rate in entry.tax_rates))


def book(desk: Desk, drawn: Drawn) -> None:
    """Make the documents of the core final."""
    for contract, stored in drawn.documents:
        save(desk.store, contract.id, [stored])
        list(finalise(clerk_of(desk), contract, [stored]))


def numbers_of(desk: Desk, drawn: Drawn) -> dict[str, str]:
    """The numbers of the documents of the core, by contract."""
    wanted = {stored.id: contract.id for contract, stored in drawn.documents}
    found = (one for contract in set(wanted.values()) for one in desk.store.documents(contract, bare=True) if one.id in wanted)
    return {one.contract: one.number or "" for one in found}


def credits_given_back(drawn: Drawn) -> Iterator[Paid]:
    """What goes back to credit grants, by entry."""
    for entry in drawn.entries:
        for grant, units in drawn.lines[entry.id].credit_parts:
            assert entry.source is not None
            yield Paid(credit_id(entry.id, grant), entry.source.id, grant, units)


def void_in_books(desk: Desk, number: str, note: str) -> None:
    """Make a document of a credit note void: what it took back is billed as before, and no later bill gives it back."""
    stored = void_document(clerk_of(desk), number, "reissue", f"credit note {note} is void")
    for line in read_document(stored.content).lines:
        if line.kind == "correction" and line.key.rated:
            desk.store.put_waiver(stored.contract, key_text(line.key), line.amount, f"credit note {note} is void")
