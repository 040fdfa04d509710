"""Lines of credit notes: which lines of an invoice they take back, and how much of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from farthing.app.billing.agreements import tax_rates
from farthing.app.billing.lines import line_id
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Document, PageQuery, Row, Test
from farthing.app.settlement.kinds import CREDIT_NOTE
from farthing.app.settlement.refusals import CREDIT_NOTE_EMPTY, CREDIT_NOTE_LINE, CREDIT_NOTE_TOO_LARGE
from farthing.core.base.exact import show
from farthing.core.base.refusal import Refusal
from farthing.core.base.rounding import round_to_whole, split
from farthing.core.invoice.document import read_document
from farthing.core.invoice.invoice import Line
from farthing.core.tax.taxes import exclusive_tax

MOST_NOTES = 1_000
"""How many credit notes one invoice takes."""


@dataclass(frozen=True, slots=True)
class Source:
    """A line of an invoice: its id, the contract and the core's line that it is, and how much of it has been credited, in minor units before
    discount and tax and in units of its quantity."""

    id: str
    contract: str
    line: Line
    credited: int = 0
    quantity: Fraction = Fraction(0)

    @property
    def left(self) -> int:
        """What can still be credited; a line below zero has nothing."""
        return max(self.line.amount - self.credited, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a credit note: `amount` in minor units before discount and tax; `source` is None for one that stands for itself."""

    id: str
    source: Source | None
    amount: int
    description: str | None
    quantity: int | None = None
    unit: Fraction | None = None
    tax_rates: tuple[Document, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


def sources(desk: Desk, invoice: Row) -> dict[str, Source]:
    """The lines of a final invoice by id, in order."""
    credited: dict[str, tuple[int, Fraction]] = {}
    for line in (line for note in standing(desk, invoice.id) for line in note.document["lines"]["data"]):
        if line["type"] == "invoice_line_item":
            amount, quantity = credited.get(line["invoice_line_item"], (0, Fraction(0)))
            credited[line["invoice_line_item"]] = (amount + line["amount"], quantity + (line["quantity"] or 0))
    found: dict[str, Source] = {}
    for number in invoice.hidden["documents"]:
        stored = desk.store.document(number)
        assert stored is not None
        for line in read_document(stored.content).lines:
            id_ = line_id(line, invoice.id)
            found[id_] = Source(id_, stored.contract, line, *credited.get(id_, (0, Fraction(0))))
    return found


def standing(desk: Desk, invoice: str) -> list[Row]:
    """The credit notes on an invoice that are not void."""
    tests = (Test("invoice", "eq", invoice), Test("status", "eq", "issued"))
    return list(plain.page(desk, PageQuery(CREDIT_NOTE.name, MOST_NOTES, tests=tests)).rows)


def read_entries(desk: Desk, sent: Sequence[Mapping[str, Any]], known: Mapping[str, Source]) -> list[Entry]:
    """The lines of a credit note as they were sent. Errors: credit_note_line, credit_note_too_large, credit_note_empty, resource_missing."""
    entries: list[Entry] = []
    for n, line in enumerate(sent):
        place = f"lines[{n}]"
        entry = _custom(desk, line, place) if line["type"] == "custom_line_item" else _of_line(desk, line, known, place)
        if entry.source is not None and any(one.source is not None and one.source.line.key == entry.source.line.key for one in entries):
            raise Refusal(CREDIT_NOTE_LINE, f"{entry.source.id} is credited twice.", f"{place}[invoice_line_item]")
        if entry.amount <= 0:
            raise Refusal(CREDIT_NOTE_EMPTY, f"the line comes to {entry.amount}.", place)
        entries.append(entry)
    return entries


def _of_line(desk: Desk, line: Mapping[str, Any], known: Mapping[str, Source], place: str) -> Entry:
    for name in ("unit_amount", "unit_amount_decimal", "tax_rates"):
        if line.get(name) is not None:
            raise Refusal(CREDIT_NOTE_LINE, f"a line of type invoice_line_item has no {name}.", f"{place}[{name}]")
    source = known.get(line.get("invoice_line_item") or "")
    if source is None:
        raise Refusal(RESOURCE_MISSING, "the invoice has no such line.", f"{place}[invoice_line_item]")
    amount, quantity = line.get("amount"), line.get("quantity")
    if (amount is None) == (quantity is None):
        raise Refusal(CREDIT_NOTE_LINE, "it needs one of amount and quantity.", f"{place}[amount]")
    name = "amount" if quantity is None else "quantity"
    if amount is None:
        amount = _of_quantity(source, quantity or 0, f"{place}[quantity]")
    if amount > source.left:
        raise Refusal(CREDIT_NOTE_TOO_LARGE, f"{amount} is more than the {source.left} that is left of {source.id}.", f"{place}[{name}]")
    description = line.get("description") or source.line.description
    metadata = plain.merged_metadata({}, line.get("metadata"))
    return Entry(desk.new_id("cnli"), source, amount, description, quantity, metadata=metadata)


def _of_quantity(source: Source, quantity: int, field_: str) -> int:
    """What so many units of a line come to: its amount in proportion, rounded once for all that is credited of it by quantities, so that all
    units are the whole amount."""
    whole = source.line.quantity
    if not 0 < quantity + source.quantity <= whole:
        raise Refusal(CREDIT_NOTE_TOO_LARGE, f"{quantity} is more than the {show(whole - source.quantity)} units that are left.", field_)
    each = Fraction(source.line.amount) / whole
    return round_to_whole(each * (source.quantity + quantity)) - round_to_whole(each * source.quantity)


def _custom(desk: Desk, line: Mapping[str, Any], place: str) -> Entry:
    for name in ("amount", "invoice_line_item"):
        if line.get(name) is not None:
            raise Refusal(CREDIT_NOTE_LINE, f"a line of type custom_line_item has no {name}.", f"{place}[{name}]")
    sent = [name for name in ("unit_amount", "unit_amount_decimal") if line.get(name) is not None]
    if len(sent) != 1 or not line.get("description"):
        missing = "description" if len(sent) == 1 else "unit_amount"
        raise Refusal(CREDIT_NOTE_LINE, "a line of type custom_line_item needs a description and one unit amount.", f"{place}[{missing}]")
    unit, quantity = Fraction(line[sent[0]]), line.get("quantity", 1)
    rates = tuple(tax_rates(desk, line.get("tax_rates") or (), f"{place}[tax_rates]"))
    metadata = plain.merged_metadata({}, line.get("metadata"))
    return Entry(desk.new_id("cnli"), None, round_to_whole(unit * quantity), line["description"], quantity, unit, rates, metadata)


def spread(desk: Desk, amount: int, known: Mapping[str, Source]) -> list[Entry]:
    """Lines that credit about an amount, tax included, of what is left of an invoice's lines, in proportion to it."""
    some = [source for source in known.values() if source.left]
    worth = sum((_worth(source) for source in some), Fraction(0))
    if worth <= 0:
        return []
    left = [source.left for source in some]
    parts = split(min(round_to_whole(sum(left) * amount / worth), sum(left)), left)
    return [Entry(desk.new_id("cnli"), one, part, one.line.description) for one, part in zip(some, parts, strict=True) if part]


def _worth(source: Source) -> Fraction:
    """What is left of a line after discount and credits and with tax."""
    line = source.line
    return Fraction(source.left * (line.net + exclusive_tax([line])), line.amount)


def rounding(desk: Desk, amount: int) -> Entry:
    """The line that makes a credit note come to the amount that was asked for, where no amounts before tax do."""
    return Entry(desk.new_id("cnli"), None, amount, "Rounding", 1, Fraction(amount))
