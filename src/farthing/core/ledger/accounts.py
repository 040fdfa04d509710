"""The chart of accounts, as data: every account that a posting may name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AccountType = Literal["asset", "liability", "revenue", "expense"]


@dataclass(frozen=True, slots=True)
class Account:
    """One account. `type` says on which side it normally stands: assets and expenses debit (positive), the others credit
    (negative). `subject` names what its balance is kept apart by, beside customer and currency: "item", "tax_rate", "grant" or "".
    """

    code: str
    name: str
    type: AccountType
    subject: str
    meaning: str


_CHART = (
    Account("cash", "Cash", "asset", "", "Money received from customers, less what was paid back."),
    Account("receivable", "Accounts receivable", "asset", "", "What customers owe on finalised bills; below zero Farthing's user owes them."),
    Account("unbilled", "Unbilled receivable", "asset", "item", "Service rendered in a period of which the bill is not final yet."),
    Account("tax_payable", "Tax payable", "liability", "tax_rate", "Tax on finalised bills, owed to its authority."),
    Account("deferred_revenue", "Deferred revenue", "liability", "item", "Billed, service still to be rendered."),
    Account("customer_credits", "Customer credits", "liability", "grant", "Credits granted to customers and not used yet."),
    Account("revenue", "Revenue", "revenue", "item", "Service billed, after discount, without tax."),
    Account("fx_gain", "Realised exchange gain", "revenue", "", "A payment in another currency brought more than its receivable."),
    Account("fx_loss", "Realised exchange loss", "expense", "", "A payment in another currency brought less than its receivable."),
    Account("credits_granted", "Credits granted", "expense", "grant", "Credits given without payment, when they are granted."),
    Account("bad_debt", "Bad debt", "expense", "", "Receivables given up as uncollectible."),
    Account("payment_fees", "Payment fees", "expense", "", "What payment providers keep of the money that they collect."),
)
CHART: dict[str, Account] = {account.code: account for account in _CHART}
"""Accounts by code."""
