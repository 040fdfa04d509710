"""What an invoice goes through: draft, final, paid, void, uncollectible. Amounts come from the flow; here they are kept and moved on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from farthing.app.adjust import void as void_document
from farthing.app.bill import finalise as finalise_documents
from farthing.app.bill import save
from farthing.app.billing.drafts import Bill, Computed, clerk_of, computed, items_on, read_bill
from farthing.app.billing.invoice_document import blank_invoice
from farthing.app.billing.kinds import INVOICE, INVOICE_ITEM, SUBSCRIPTION
from farthing.app.billing.refusals import INVOICE_CREDITED, INVOICE_NOT_DRAFT, INVOICE_NOT_OPEN
from farthing.app.clocks.desks import clock_desk
from farthing.app.customers.kinds import CUSTOMER
from farthing.app.resources import plain
from farthing.app.resources.changes import tell
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import PageQuery, Row, Test
from farthing.app.settlement.balances import balance_in, change_balance
from farthing.app.settlement.credits import credits_on, note_credits, paid_on, return_credits
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import MICROS

COLLECTED_AFTER = 3_600
"""Seconds for which a draft that a subscription made waits for late facts before it becomes final."""
SMALLEST_CHARGE = 50
"""Minor units: what is due below this is not charged but carried over on the customer's balance."""


def draft(
    desk: Desk,
    customer: Row,
    currency: str,
    bills: Sequence[Bill],
    reason: str,
    *,
    subscription: Row | None = None,
    items: Iterable[Row] = (),
    extra: Sequence[Mapping[str, Any]] = (),
    settings: Mapping[str, Any] | None = None,
) -> Row:
    """Make a draft of these bills for a customer, with invoice items on it; `extra` are further adjustments, `settings` fields of its document.

    `reason` is what the API calls billing_reason. A draft that advances by itself becomes final `COLLECTED_AFTER` it was made.
    Errors: those of computing it.
    """
    id_ = desk.new_id("in")
    with desk.store.transaction():
        for row in items:
            plain.change(desk, INVOICE_ITEM, row, {**row.document, "invoice": id_}, event=None)
        document = {**blank_invoice(desk, customer, currency, reason, subscription), **(settings or {}), "id": id_}
        if document["auto_advance"] and document["automatically_finalizes_at"] is None:
            document["automatically_finalizes_at"] = desk.second + COLLECTED_AFTER
        hidden = {"bills": [bill.document() for bill in bills], "documents": [], "extra": list(extra)}
        made = {**document, **_figures(desk, document, hidden, subscription)}
        due_at = None if not document["auto_advance"] else document["automatically_finalizes_at"] * MICROS
        row = plain.create(desk, INVOICE, made, clock=customer.clock, due_at=due_at, hidden=hidden)
        if subscription is not None:
            held = plain.need(desk, SUBSCRIPTION, subscription.id, lock=True)
            plain.change(desk, SUBSCRIPTION, held, {**held.document, "latest_invoice": id_}, event=None)
        return row


def in_time(desk: Desk, row: Row) -> Desk:
    """The desk in the time that an invoice lives by. Errors: test_clock_advancing."""
    return desk if row.clock is None else clock_desk(desk, row.clock)


def subscription_of(desk: Desk, document: Mapping[str, Any]) -> Row | None:
    """The subscription that an invoice is for, if it is for one."""
    parent = document["parent"]
    return None if parent is None else desk.store.find(SUBSCRIPTION.name, parent["subscription_details"]["subscription"])


def compute_invoice(desk: Desk, document: Mapping[str, Any], hidden: Mapping[str, Any], subscription: Row | None) -> Computed:
    """What a draft comes to as things are."""
    bills = [read_bill(one) for one in hidden["bills"]]
    return computed(desk, document["customer"], document["id"], bills, subscription, items_on(desk, document["id"]), hidden["extra"])


def _figures(desk: Desk, document: Mapping[str, Any], hidden: Mapping[str, Any], subscription: Row | None) -> dict[str, Any]:
    """The fields of a draft's document that follow from what it comes to now."""
    return figures_of(document, compute_invoice(desk, document, hidden, subscription), _balance(desk, document))


def figures_of(document: Mapping[str, Any], now: Computed, balance: int) -> dict[str, Any]:
    """The fields of an invoice's document that follow from what it comes to, with the customer's `balance` (below zero: in their favour)."""
    due, _ = after_balance(now.due, balance)
    found = {**now.sums, "starting_balance": balance, "amount_due": due, "amount_remaining": due, "lines": _lines(document["id"], now.lines)}
    spans = [stored.content["period"] for _, stored in now.documents if stored.pins["period"] is not None]
    if spans:
        billed = next(stored.pins["period"] for _, stored in now.documents if stored.pins["period"] is not None)
        found |= {"period_start": billed[0] // MICROS, "period_end": billed[1] // MICROS}
    return found


def after_balance(due: int, balance: int) -> tuple[int, int]:
    """What is charged of an amount due, and by how much the customer's balance changes, all in minor units: a negative amount goes to the
    balance, a balance in the customer's favour pays, one that they owe is added; too small a charge waits on the balance."""
    charged = max(due + balance, 0)
    if 0 < charged < SMALLEST_CHARGE:
        charged = 0
    return charged, due - charged


def _lines(invoice: str, lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"object": "list", "data": list(lines), "has_more": False, "url": f"/v1/invoices/{invoice}/lines"}


def _balance(desk: Desk, document: Mapping[str, Any]) -> int:
    row = desk.store.find(CUSTOMER.name, document["customer"])
    return 0 if row is None else balance_in(row.document, document["currency"])


def current(desk: Desk, row: Row) -> Mapping[str, Any]:
    """The document of an invoice with what it comes to now, where it is a draft."""
    if row.document["status"] != "draft":
        return row.document
    return {**row.document, **_figures(desk, row.document, row.hidden, subscription_of(desk, row.document))}


def finalize(desk: Desk, id_: str, auto_advance: bool | None = None) -> Row:
    """Make a draft final: the documents of its bills are made and booked, it gets its number, and the customer's balance is applied. What
    comes to nothing to pay is paid. Drafts of the same subscription that were made before become final first.

    Errors: resource_missing, invoice_not_editable, those of computing and booking.
    """
    with desk.store.transaction():
        row = plain.need(desk, INVOICE, id_, lock=True)
        desk = in_time(desk, row)
        if row.document["status"] != "draft":
            raise Refusal(INVOICE_NOT_DRAFT, f"invoice {id_[:80]!r} is {row.document['status']}.", "invoice")
        subscription = subscription_of(desk, row.document)
        for earlier in _drafts_before(desk, row):
            finalize(desk, earlier.id)
        customer = plain.need(desk, CUSTOMER, row.document["customer"], "customer", lock=True)
        now = compute_invoice(desk, row.document, row.hidden, subscription)
        numbers = _book(desk, now)
        note_credits(desk, row.id, paid_on(row.id, (stored.content for _, stored in now.documents)))
        balance = balance_in(customer.document, row.document["currency"])
        figures = figures_of(row.document, now, balance)
        _, moved = after_balance(now.due, balance)
        if moved:
            change_balance(desk, customer.id, moved, row.document["currency"], "applied_to_invoice", invoice=row.id)
        changes = {
            "number": _next_number(desk, customer.id),
            "status": "open",
            "effective_at": row.document["effective_at"] or desk.second,
            "ending_balance": balance + moved,
            "automatically_finalizes_at": None,
            "status_transitions": {**row.document["status_transitions"], "finalized_at": desk.second},
            "auto_advance": row.document["auto_advance"] if auto_advance is None else auto_advance,
        }
        document = {**row.document, **figures, **changes}
        final = plain.change(desk, INVOICE, row, document, event=None, due_at=None, hidden={**row.hidden, "documents": numbers})
        tell(desk, "invoice.finalized", document)
        return mark_paid(desk, final) if document["amount_due"] == 0 else _to_collect(desk, final)


def _next_number(desk: Desk, customer: str) -> str:
    """The next number of a customer's series, gapless: it is taken with the customer locked, in the transaction that finalises."""
    row = plain.need(desk, CUSTOMER, customer, "customer", lock=True)
    number: int = row.document["next_invoice_sequence"]
    plain.change(desk, CUSTOMER, row, {**row.document, "next_invoice_sequence": number + 1}, event=None)
    return f"{row.document['invoice_prefix']}-{number:04d}"


def _book(desk: Desk, now: Computed) -> list[str]:
    """Make the documents of an invoice final; their numbers."""
    numbers: list[str] = []
    by_contract: dict[str, list[Any]] = {}
    contracts = {contract.id: contract for contract, _ in now.documents}
    for contract, stored in now.documents:
        by_contract.setdefault(contract.id, []).append(stored)
    for id_, documents in by_contract.items():
        save(desk.store, id_, documents)
        numbers += [final.number or "" for final in finalise_documents(clerk_of(desk), contracts[id_], documents)]
    return numbers


def _drafts_before(desk: Desk, row: Row) -> list[Row]:
    """The drafts of the same contracts that were made before, oldest first."""
    contracts = {bill["contract"] for bill in row.hidden["bills"]}
    return [one for one in drafts_of(desk, row.document["customer"], contracts) if one.place < row.place]


def drafts_of(desk: Desk, customer: str, contracts: Set[str]) -> list[Row]:
    """A customer's drafts that bill one of the contracts, oldest first."""
    tests = (Test("customer", "eq", customer), Test("status", "eq", "draft"))
    page = plain.page(desk, PageQuery(INVOICE.name, 100, tests=tests))
    found = (one for one in page.rows if contracts & {bill["contract"] for bill in one.hidden["bills"]})
    return sorted(found, key=lambda one: one.place)


def _to_collect(desk: Desk, row: Row) -> Row:
    """An open invoice that is charged by itself is due for it at once."""
    if row.document["auto_advance"] and row.document["collection_method"] == "charge_automatically":
        return plain.change(desk, INVOICE, row, {**row.document, "next_payment_attempt": desk.second}, event=None, due_at=desk.second * MICROS)
    return row


def mark_paid(desk: Desk, row: Row, amount: int = 0, out_of_band: bool = False) -> Row:
    """An open invoice is paid: `amount` minor units came in for it."""
    document = {
        **row.document,
        "status": "paid",
        "amount_paid": row.document["amount_paid"] + amount,
        "amount_remaining": 0,
        "amount_paid_off_stripe": row.document["amount_paid_off_stripe"] + (amount if out_of_band else 0),
        "next_payment_attempt": None,
        "attempted": True,
        "auto_advance": False,
        "status_transitions": {**row.document["status_transitions"], "paid_at": desk.second},
    }
    paid = plain.change(desk, INVOICE, row, document, event=None, due_at=None)
    tell(desk, "invoice.paid", document)
    return paid


def void(desk: Desk, id_: str) -> Row:
    """An open or uncollectible invoice becomes void: what it billed is given up, and what it took from the balance goes back.

    Errors: resource_missing, invoice_not_open, invoice_credited, document_followed.
    """
    with desk.store.transaction():
        row = _standing(desk, id_, ("open", "uncollectible"))
        desk = in_time(desk, row)
        if row.document["pre_payment_credit_notes_amount"] or row.document["post_payment_credit_notes_amount"]:
            raise Refusal(INVOICE_CREDITED, f"invoice {id_[:80]!r} has credit notes.", "invoice")
        for number in row.hidden["documents"]:
            void_document(clerk_of(desk), number, "waive", f"invoice {row.id} is void")
        return_credits(desk, credits_on(row.document))
        moved = row.document["ending_balance"] - row.document["starting_balance"]
        if moved:
            change_balance(desk, row.document["customer"], -moved, row.document["currency"], "unapplied_from_invoice", invoice=row.id)
        return _ended(desk, row, "void", "voided_at", "invoice.voided")


def mark_uncollectible(desk: Desk, id_: str) -> Row:
    """An open invoice will not be paid; what it billed stays billed. Errors: resource_missing, invoice_not_open."""
    with desk.store.transaction():
        row = _standing(desk, id_, ("open",))
        return _ended(in_time(desk, row), row, "uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible")


def send(desk: Desk, id_: str) -> Row:
    """Send an open invoice (a draft becomes final first); here the event is what tells of it. Errors: as of `finalize`; invoice_not_open."""
    with desk.store.transaction():
        row = plain.need(desk, INVOICE, id_, lock=True)
        desk = in_time(desk, row)
        row = finalize(desk, id_) if row.document["status"] == "draft" else row
        if row.document["status"] not in ("open", "paid"):
            raise Refusal(INVOICE_NOT_OPEN, f"invoice {id_[:80]!r} is {row.document['status']}.", "invoice")
        tell(desk, "invoice.sent", row.document)
        return row


def _ended(desk: Desk, row: Row, status: str, transition: str, event: str) -> Row:
    transitions = {**row.document["status_transitions"], transition: desk.second}
    document = {**row.document, "status": status, "status_transitions": transitions, "next_payment_attempt": None, "auto_advance": False}
    ended = plain.change(desk, INVOICE, row, document, event=None, due_at=None)
    tell(desk, event, document)
    return ended


def _standing(desk: Desk, id_: str, states: Sequence[str]) -> Row:
    row = plain.need(desk, INVOICE, id_, lock=True)
    if row.document["status"] not in states:
        raise Refusal(INVOICE_NOT_OPEN, f"invoice {id_[:80]!r} is {row.document['status']}, not {' or '.join(states)}.", "invoice")
    return row


def delete_draft(desk: Desk, id_: str) -> Mapping[str, Any]:
    """Delete a draft that no subscription made; its invoice items wait again. Errors: resource_missing, invoice_not_editable."""
    with desk.store.transaction():
        row = plain.need(desk, INVOICE, id_, lock=True)
        desk = in_time(desk, row)
        if row.document["status"] != "draft" or row.document["parent"] is not None:
            raise Refusal(INVOICE_NOT_DRAFT, f"invoice {id_[:80]!r} is {row.document['status']}, or a subscription's.", "invoice")
        for item in items_on(desk, id_):
            plain.change(desk, INVOICE_ITEM, item, {**item.document, "invoice": None}, event=None)
        return plain.delete(desk, INVOICE, id_)
