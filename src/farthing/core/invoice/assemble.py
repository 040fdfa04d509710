"""Lines → documents: which lines stand on one bill, and the sums of a bill from its lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from farthing.core.base.time import Interval
from farthing.core.catalog.terms import ChargeKey
from farthing.core.contract.contract import Contract
from farthing.core.invoice.invoice import Document, Line


def split_corrections(lines: Iterable[Line]) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """What is billed anew, and corrections, each in their order."""
    every = tuple(lines)
    return tuple(line for line in every if line.kind != "correction"), tuple(line for line in every if line.kind == "correction")


def following(charges: Iterable[Line], corrections: Iterable[Line]) -> tuple[Line, ...]:
    """The charges as they stand on a document that becomes final after the one with the corrections: of keys that are on both, the
    corrected amount was billed before."""
    corrected: dict[ChargeKey, int] = {}
    for line in corrections:
        corrected[line.key] = corrected.get(line.key, 0) + line.amount
    return tuple(replace(line, previously=line.previously + corrected.get(line.key, 0)) for line in charges)


def corrected_documents(lines: Iterable[Line]) -> tuple[str, ...]:
    """The documents that lines correct, each once, in order of their numbers."""
    return tuple(sorted({line.corrects for line in lines if line.corrects is not None}))


def document_of(contract: Contract, period: Interval | None, lines: tuple[Line, ...], tax: int, tax_included: int) -> Document:
    """The document of taxed lines, nothing of it paid yet.

    It is a credit note when it does nothing but correct finalised bills, by a negative total, and the contract has not agreed
    otherwise. What bills a period is an invoice
    whatever its total: below zero it is owed to the customer. A document that bills no period is about the service that it corrects.
    """
    subtotal, discount = sum(line.amount for line in lines), sum(line.discount for line in lines)
    credit = sum(line.credit for line in lines)
    total = subtotal - discount - credit + tax
    credited = total < 0 and contract.below_zero == "credit_note" and all(line.kind == "correction" for line in lines)
    kind: Literal["invoice", "credit_note"] = "credit_note" if credited else "invoice"
    return Document(
        kind=kind,
        customer=contract.customer,
        contract=contract.id,
        currency=contract.currency,
        period=spanned(lines) if period is None or kind == "credit_note" else period,
        zone=contract.billing.zone,
        lines=lines,
        subtotal=subtotal,
        discount=discount,
        credit_before_tax=credit,
        tax=tax,
        tax_included=tax_included,
        total=total,
        credit_after_tax=0,
        due=total,
        corrects=corrected_documents(lines),
    )


def spanned(lines: Iterable[Line]) -> Interval:
    """From the first to the last service of the lines, of which there is at least one."""
    services = [line.service for line in lines]
    return Interval(min(service.start for service in services), max(service.end for service in services))
