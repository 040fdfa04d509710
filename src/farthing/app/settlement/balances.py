"""Customers' balances: what a customer has at credit (below zero) or owes (above zero) beside the bills, by currency, and each change.

A balance is the sum of the transactions in its currency, each of which says where it led to. `balance` of a customer is the one in the
customer's own currency, which is that of the first transaction unless something else has fixed it before; all of them, by currency,
stand in `invoice_credit_balance`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farthing.app.clocks.desks import clock_of
from farthing.app.customers.kinds import CUSTOMER
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Document, Row
from farthing.app.settlement.kinds import BALANCE_TRANSACTION
from farthing.app.settlement.refusals import BALANCE_CHANGE_ZERO, BALANCE_OUT_OF_RANGE
from farthing.core.base.refusal import Refusal

FARTHEST = 999_999_999_999
"""In minor units, in either direction."""


def change_balance(
    desk: Desk,
    customer_id: str,
    amount: int,
    currency: str,
    type_: str,
    *,
    invoice: str | None = None,
    credit_note: str | None = None,
    description: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Row:
    """Change a customer's balance in a currency by an amount in minor units: below zero is a credit to the customer, above zero a debit.
    The customer's row is locked until the transaction ends, so that changes at once add up; the customer's change is told. Returns the
    balance transaction. `type_` is why, as the API names it ("adjustment", "applied_to_invoice", "credit_note", …).

    Errors: resource_missing (field "customer"), balance_change_zero and balance_out_of_range (field "amount")."""
    with desk.store.transaction():
        desk = clock_of(desk, plain.need(desk, CUSTOMER, customer_id, "customer"))
        row = plain.need(desk, CUSTOMER, customer_id, "customer", lock=True)
        document = moved(row.document, amount, currency, "amount")
        plain.change(desk, CUSTOMER, row, document)
        return record(desk, document, amount, currency, type_, invoice=invoice, credit_note=credit_note, description=description, metadata=metadata)


def balance_in(customer: Document, currency: str) -> int:
    """What a customer's balance is in a currency, in minor units: below zero it is a credit to the customer."""
    return int(customer["invoice_credit_balance"].get(currency, 0))


def moved(customer: Document, amount: int, currency: str, field: str) -> dict[str, Any]:
    """The customer's document after a change of the balance. Errors: balance_change_zero, balance_out_of_range (at `field`)."""
    if amount == 0:
        raise Refusal(BALANCE_CHANGE_ZERO, "the amount is 0.", field)
    ending = balance_in(customer, currency) + amount
    if not (-FARTHEST <= amount <= FARTHEST and -FARTHEST <= ending <= FARTHEST):
        raise Refusal(BALANCE_OUT_OF_RANGE, f"{amount} would lead to {ending}.", field)
    own = customer["currency"] or currency
    balances = {**customer["invoice_credit_balance"], currency: ending}
    return {**customer, "balance": balances.get(own, 0), "currency": own, "invoice_credit_balance": balances}


def record(
    desk: Desk,
    customer: Document,
    amount: int,
    currency: str,
    type_: str,
    *,
    invoice: str | None = None,
    credit_note: str | None = None,
    description: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Row:
    """Keep the transaction that led to a customer's document as it is now (`moved`)."""
    document = {
        "amount": amount,
        "checkout_session": None,
        "credit_note": credit_note,
        "currency": currency,
        "customer": customer["id"],
        "customer_account": None,
        "description": description,
        "ending_balance": balance_in(customer, currency),
        "invoice": invoice,
        "metadata": plain.merged_metadata({}, metadata),
        "type": type_,
    }
    return plain.create(desk, BALANCE_TRANSACTION, document, event=None)


def need_transaction(desk: Desk, customer_id: str, id_: str, lock: bool = False) -> Row:
    """A balance transaction of a customer. Errors: resource_missing, also where it is another customer's."""
    plain.need(desk, CUSTOMER, customer_id, "customer")
    row = plain.need(desk, BALANCE_TRANSACTION, id_, "transaction", lock)
    if row.document["customer"] != customer_id:
        raise Refusal(RESOURCE_MISSING, f"{id_[:80]!r} is no balance transaction of {customer_id[:80]!r}.", "transaction")
    return row


def update_transaction(desk: Desk, customer_id: str, id_: str, params: Mapping[str, Any]) -> Row:
    """Change a balance transaction's description or metadata; what it changed stays. Errors: resource_missing."""
    with desk.store.transaction():
        row = need_transaction(desk, customer_id, id_, lock=True)
        document = {**row.document, **params}
        if "metadata" in params:
            document["metadata"] = plain.merged_metadata(row.document["metadata"], params["metadata"])
        return plain.change(desk, BALANCE_TRANSACTION, row, document, event=None)
