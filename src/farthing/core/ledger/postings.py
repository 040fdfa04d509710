"""What a finalised document books: the legs of one balanced double entry. docs/ledger.md has it with numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from farthing.core.invoice.invoice import Document, Line
from farthing.core.ledger.accounts import CHART
from farthing.core.ledger.periods import AccountingPeriod


@dataclass(frozen=True, slots=True)
class Posting:
    """One leg of an entry: signed minor units, debit positive, credit negative, in an account of the chart.

    `entry` is the kind of fact booked ("invoice", "credit_note" or "void"); the store keeps the legs of one document together and names it.
    `subject` is the item, tax rate or grant that the account is kept apart by, or "". `period` is the accounting period.
    """

    account: str
    subject: str
    amount: int
    currency: str
    entry: str
    period: AccountingPeriod
    customer: str
    contract: str
    memo: str


def postings_for(document: Document, period: AccountingPeriod) -> tuple[Posting, ...]:
    """The balanced entry of a finalised document, legs of zero left out, in a fixed order.

    Receivable is debited what is due, customer credits what each grant paid; revenue is credited by item what lines come to after
    discount and without contained tax, tax payable by rate all tax, contained and on top. A credit note has the same legs with
    the signs of its own amounts. Errors: ValueError when the document does not add up.
    """
    legs = {("receivable", ""): document.due}
    for id_, units in document.grants_used:
        _add(legs, "customer_credits", id_, units)
    for line in document.lines:
        _add(legs, "revenue", line.key.item, line.discount + _contained(line) - line.amount)
        for id_, _, tax in line.taxes:
            _add(legs, "tax_payable", id_, -tax)
    postings = tuple(_posting(document, period, account, subject, units) for (account, subject), units in legs.items() if units)
    assert_balanced(postings)
    return postings


def reversal(document: Document, number: str, period: AccountingPeriod) -> tuple[Posting, ...]:
    """The balanced entry of a document that becomes void: the legs of its own entry with the opposite sign, in an accounting period
    that is open when it becomes void. Errors: ValueError when the document does not add up."""
    legs = postings_for(document, period)
    return tuple(replace(leg, amount=-leg.amount, entry="void", memo=f"{leg.memo} (void {number})") for leg in legs)


def assert_balanced(postings: Iterable[Posting]) -> None:
    """Every leg names an account of the chart, and the legs sum to zero in each currency. Errors: ValueError."""
    sums: dict[str, int] = {}
    for posting in postings:
        if posting.account not in CHART:
            raise ValueError(f"{posting.account!r} is not in the chart of accounts")
        sums[posting.currency] = sums.get(posting.currency, 0) + posting.amount
    for currency, units in sums.items():
        if units:
            raise ValueError(f"the postings are out of balance by {units} minor units of {currency}")


def posting_document(posting: Posting) -> dict[str, Any]:
    """The posting as the store keeps it: signed minor units, debit positive."""
    return {
        "account": posting.account,
        "subject": posting.subject,
        "amount": posting.amount,
        "currency": posting.currency,
        "entry": posting.entry,
        "period": str(posting.period),
        "customer": posting.customer,
        "contract": posting.contract,
        "memo": posting.memo,
    }


def _add(legs: dict[tuple[str, str], int], account: str, subject: str, units: int) -> None:
    legs[account, subject] = legs.get((account, subject), 0) + units


def _contained(line: Line) -> int:
    inclusive = {rate.id for rate in line.tax_rates if rate.inclusive}
    return sum(tax for id_, _, tax in line.taxes if id_ in inclusive)


def _posting(document: Document, period: AccountingPeriod, account: str, subject: str, units: int) -> Posting:
    kind = CHART[account].subject.replace("_", " ")
    memo = f"{CHART[account].name}: {kind} {subject}" if subject else CHART[account].name
    return Posting(account, subject, units, document.currency, document.kind, period, document.customer, document.contract, memo)
