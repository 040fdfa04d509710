"""Credit notes: what is taken back of a final invoice, by decision.

In the books a credit note is a document of each contract that the invoice billed: a waiver for each charge key and its correction, so that no
later bill charges it again, and discounts, credits and taxes go back as the whole of the key has them (`app/bill.py`, `take_back`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farthing.app.billing.collect import credited
from farthing.app.billing.invoices import in_time
from farthing.app.billing.kinds import INVOICE, INVOICE_PAYMENT
from farthing.app.customers.kinds import CUSTOMER
from farthing.app.payments.refunds import create_refund
from farthing.app.resources import plain
from farthing.app.resources.changes import tell
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Document, PageQuery, Row, Test
from farthing.app.settlement.balances import change_balance
from farthing.app.settlement.credit_note_books import Drawn, book, credits_given_back, drawn_up, numbers_of, void_in_books, waive_entries
from farthing.app.settlement.credit_note_document import credit_note_document
from farthing.app.settlement.credit_note_lines import read_entries, rounding, sources, spread, standing
from farthing.app.settlement.credits import note_credits, return_credits
from farthing.app.settlement.kinds import CREDIT_NOTE
from farthing.app.settlement.refusals import (
    CREDIT_NOTE_ALLOTMENT,
    CREDIT_NOTE_EMPTY,
    CREDIT_NOTE_INVOICE,
    CREDIT_NOTE_NO_PAYMENT,
    CREDIT_NOTE_STANDS,
    CREDIT_NOTE_TOO_LARGE,
)
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELDS_CONFLICT

_ALLOTTED = ("refund_amount", "credit_amount", "out_of_band_amount")


def create_credit_note(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Credit a final invoice: lines of it, something else, or an amount. What is not paid yet of an open invoice is lowered; the rest is
    refunded, credited to the customer's balance, or given back elsewhere, as is sent.

    Errors: resource_missing, fields_conflict, credit_note_…, those of refunds and balances.
    """
    with desk.store.transaction():
        desk, invoice, document, drawn = _drafted(desk, params)
        book(desk, drawn)
        note_credits(desk, invoice.id, credits_given_back(drawn))
        document |= _allot(desk, invoice, document, params)
        numbers = [number for _, number in sorted(numbers_of(desk, drawn).items())]
        row = plain.create(desk, CREDIT_NOTE, document, clock=invoice.clock, hidden={"documents": numbers})
        _lower(desk, invoice, document)
        return row


def preview_credit_note(desk: Desk, params: Mapping[str, Any]) -> Document:
    """What a credit note would be. To be called inside a transaction that is undone afterwards. Errors: as of `create_credit_note`."""
    desk, invoice, document, _ = _drafted(desk, params)
    _check_allotted(document, params)
    shown = {**document, "object": CREDIT_NOTE.name, "created": desk.second, "livemode": desk.live}
    return {**shown, "number": f"{invoice.document['number']}-CN-{desk.store.next_number(f'credit_note:{invoice.id}'):02d}"}


def _drafted(desk: Desk, params: Mapping[str, Any]) -> tuple[Desk, Row, dict[str, Any], Drawn]:
    """The invoice, locked with its customer, and the credit note on it, computed and not booked yet."""
    invoice = plain.need(desk, INVOICE, params["invoice"], "invoice", lock=True)
    plain.need(desk, CUSTOMER, invoice.document["customer"], lock=True)
    desk = in_time(desk, invoice)
    if invoice.document["status"] not in ("open", "paid"):
        raise Refusal(CREDIT_NOTE_INVOICE, f"invoice {invoice.id!r} is {invoice.document['status']}.", "invoice")
    drawn = _drawn(desk, invoice, params)
    left = invoice.document["total"] - sum(note.document["amount"] for note in standing(desk, invoice.id))
    if drawn.amount > left:
        raise Refusal(CREDIT_NOTE_TOO_LARGE, f"{drawn.amount} is more than the {left} that is left.", "amount" if "amount" in params else "lines")
    return desk, invoice, credit_note_document(desk, invoice, params, drawn), drawn


def _drawn(desk: Desk, invoice: Row, params: Mapping[str, Any]) -> Drawn:
    amount, lines = params.get("amount"), params.get("lines")
    if amount is not None and lines:
        raise Refusal(FIELDS_CONFLICT, "amount and lines are both sent.", "amount")
    known = sources(desk, invoice)
    if amount is None:
        if not lines:
            raise Refusal(CREDIT_NOTE_EMPTY, "it has neither an amount nor lines.", "lines")
        entries = read_entries(desk, lines, known)
        waive_entries(desk, entries)
        return drawn_up(desk, invoice, entries)
    if amount <= 0:
        raise Refusal(CREDIT_NOTE_EMPTY, f"the amount is {amount}.", "amount")
    entries = spread(desk, amount, known)
    waive_entries(desk, entries)
    drawn = drawn_up(desk, invoice, entries)
    return drawn if drawn.amount == amount else drawn_up(desk, invoice, [*entries, rounding(desk, amount - drawn.amount)])


def _check_allotted(document: Document, params: Mapping[str, Any]) -> None:
    sent = [(name, params[name]) for name in _ALLOTTED if params.get(name) is not None]
    field = sent[0][0] if sent else "refund_amount"
    wanted = document["post_payment_amount"]
    if sum(amount for _, amount in sent) != wanted or any(amount < 0 for _, amount in sent):
        message = f"{' + '.join(str(amount) for _, amount in sent) or 'nothing'} is not the {wanted} that was paid already."
        raise Refusal(CREDIT_NOTE_ALLOTMENT, message, field)


def _allot(desk: Desk, invoice: Row, document: Document, params: Mapping[str, Any]) -> dict[str, Any]:
    """Give back what was paid: by a refund, to the balance, or elsewhere; and the number."""
    _check_allotted(document, params)
    found: dict[str, Any] = {"number": f"{invoice.document['number']}-CN-{desk.store.next_number(f'credit_note:{invoice.id}'):02d}"}
    if refund := params.get("refund_amount"):
        row = _refund(desk, invoice, refund)
        found["refunds"] = [{"amount_refunded": refund, "payment_record_refund": None, "refund": row.id, "type": "refund"}]
    if amount := params.get("credit_amount"):
        moved = change_balance(
            desk, document["customer"], -amount, document["currency"], "credit_note", credit_note=document["id"], invoice=invoice.id
        )
        found["customer_balance_transaction"] = moved.id
    return found


def _refund(desk: Desk, invoice: Row, amount: int) -> Row:
    tests = (Test("invoice", "eq", invoice.id), Test("status", "eq", "paid"))
    payments = [row.document["payment"] for row in plain.page(desk, PageQuery(INVOICE_PAYMENT.name, 100, tests=tests)).rows]
    intent = next((one["payment_intent"] for one in payments if one["type"] == "payment_intent"), None)
    if intent is None:
        raise Refusal(CREDIT_NOTE_NO_PAYMENT, f"invoice {invoice.id!r} was not paid by one.", "refund_amount")
    try:
        return create_refund(desk, {"payment_intent": intent, "amount": amount})
    except Refusal as refusal:
        raise Refusal(refusal.kind, refusal.message, "refund_amount") from None


def _lower(desk: Desk, invoice: Row, document: Document, sign: int = 1) -> None:
    """The invoice's amounts go by a credit note; with a sign of −1 by one that became void."""
    pre, post = sign * document["pre_payment_amount"], sign * document["post_payment_amount"]
    before = plain.need(desk, INVOICE, invoice.id, lock=True)
    changed = {
        **before.document,
        "amount_due": before.document["amount_due"] - pre,
        "amount_remaining": before.document["amount_remaining"] - pre,
        "pre_payment_credit_notes_amount": before.document["pre_payment_credit_notes_amount"] + pre,
        "post_payment_credit_notes_amount": before.document["post_payment_credit_notes_amount"] + post,
    }
    row = plain.change(desk, INVOICE, before, changed)
    if row.document["status"] == "open" and row.document["amount_remaining"] == 0:
        credited(desk, row)


def update_credit_note(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change a credit note's memo or metadata. Errors: resource_missing."""
    return plain.update(desk, CREDIT_NOTE, id_, params)


def void_credit_note(desk: Desk, id_: str) -> Row:
    """A credit note that lowers an open invoice becomes void: the invoice is due as before. Those on the same lines that were made after it
    become void first.

    Errors: resource_missing, credit_note_stands, document_followed.
    """
    with desk.store.transaction():
        found = plain.need(desk, CREDIT_NOTE, id_)
        invoice = plain.need(desk, INVOICE, found.document["invoice"], lock=True)
        plain.need(desk, CUSTOMER, found.document["customer"], lock=True)
        desk = in_time(desk, invoice)
        row = plain.need(desk, CREDIT_NOTE, id_, lock=True)
        document = row.document
        if document["status"] == "void" or document["post_payment_amount"] or invoice.document["status"] != "open":
            message = f"credit note {id_[:80]!r} is {document['status']} and {document['type']}, its invoice {invoice.document['status']}."
            raise Refusal(CREDIT_NOTE_STANDS, message, "id")
        for number in row.hidden["documents"]:
            void_in_books(desk, number, row.id)
        parts = (part for line in document["lines"]["data"] for part in line["pretax_credit_amounts"])
        return_credits(desk, [part["credit_balance_transaction"] for part in parts if part["type"] == "credit_balance_transaction"])
        void = plain.change(desk, CREDIT_NOTE, row, {**document, "status": "void", "voided_at": desk.second}, event=None)
        tell(desk, "credit_note.voided", void.document)
        _lower(desk, invoice, document, sign=-1)
        return void


def lines_of(desk: Desk, id_: str) -> list[Document]:
    """The lines of a credit note. Errors: resource_missing."""
    found: list[Document] = plain.need(desk, CREDIT_NOTE, id_).document["lines"]["data"]
    return found
