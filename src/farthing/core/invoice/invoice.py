"""The nouns of a bill: what a key should come to, what has been billed for it, lines and documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from farthing.core.base.time import Interval
from farthing.core.catalog.terms import ChargeKey, Discount, TaxRate


@dataclass(frozen=True, slots=True)
class Desired:
    """What the facts known now say that a key should come to, in minor units, before discount.

    `exact` is before rounding, `amount` after. `derivation` is the whole way to it as a canonical document (the trace, the
    price version, the meter, the share, the log positions); the explanation is made from it alone.
    """

    key: ChargeKey
    description: str
    service: Interval
    quantity: Fraction
    exact: Fraction
    amount: int
    derivation: Mapping[str, Any]
    discounts: tuple[Discount, ...] = ()
    tax_rates: tuple[TaxRate, ...] = ()


@dataclass(frozen=True, slots=True)
class Issued:
    """What finalised documents have billed for a key so far: sums of its lines, in minor units.

    `discounts` and `tax_rates` are those that the last charge of the key was bound to (its first line, if it was only ever corrected);
    corrections use them again. `document` names the document that billed it first. The last three fields are sums over the key's
    lines, each in order of first appearance: (discount id, minor units), (grant id, minor units), (tax rate id, taxable amount, tax).
    """

    key: ChargeKey
    description: str
    service: Interval
    quantity: Fraction
    exact: Fraction
    amount: int
    discount: int
    discounts: tuple[Discount, ...]
    tax_rates: tuple[TaxRate, ...]
    document: str
    discount_parts: tuple[tuple[str, int], ...] = ()
    credit_parts: tuple[tuple[str, int], ...] = ()
    taxes: tuple[tuple[str, int, int], ...] = ()

    @property
    def credit(self) -> int:
        """What grants applied before tax have taken off the key so far."""
        return sum(part for _, part in self.credit_parts)

    @property
    def net(self) -> int:
        """What has been billed for the key after discount and credits before tax."""
        return self.amount - self.discount - self.credit


@dataclass(frozen=True, slots=True)
class Cause:
    """What made a correction necessary: an event, cancellation, replacement, price version or contract version, by id; or a decision: a
    bill that became void, by number, or a waiver, by the minor units given up."""

    kind: Literal["event", "cancel", "replace", "price", "contract", "void", "waiver"]
    id: str
    at: str  # log position or revision, as "position 17" or "revision 3"; "" for decisions


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a document. `amount` is the difference for its key, before discount; `discount` ≥ 0 for positive amounts.

    `credit` is what grants applied before tax took off. `taxes` hold (tax rate id, taxable amount, tax) in minor units; for an
    inclusive rate the tax is contained in the net. A correction also says what was billed before and which facts caused it. An
    adjustment is billed by decision, apart from the rule of differences.
    `issued` is all of what was billed for the key before, on corrections and on charges after a bill inside the period: discount,
    credit and tax are those of the whole, less these (not part of the document).
    """

    kind: Literal["charge", "correction", "adjustment"]
    key: ChargeKey
    description: str
    service: Interval
    quantity: Fraction
    exact: Fraction
    amount: int
    derivation: Mapping[str, Any]
    discounts: tuple[Discount, ...] = ()
    tax_rates: tuple[TaxRate, ...] = ()
    discount: int = 0
    discount_parts: tuple[tuple[str, int], ...] = ()  # (discount id, minor units)
    credit: int = 0
    taxes: tuple[tuple[str, int, int], ...] = ()
    previously: int = 0
    corrects: str | None = None  # the document that billed the key first; on corrections, and on charges below zero
    causes: tuple[Cause, ...] = ()
    credit_parts: tuple[tuple[str, int], ...] = ()  # (grant id, minor units), negative where a grant is refilled
    issued: Issued | None = None  # what was billed for the key before; always there on corrections
    causes_more: int = 0  # how many further facts there are behind the ones listed

    @property
    def net(self) -> int:
        """What is left of the line after discount and credits before tax, in minor units."""
        return self.amount - self.discount - self.credit


@dataclass(frozen=True, slots=True)
class Document:
    """A bill: an invoice, or a credit note that corrects finalised bills by a negative total. All amounts in minor units.

    subtotal = Σ line amounts; total = subtotal − discount − credit before tax + exclusive tax; due = total − credit after tax.
    """

    kind: Literal["invoice", "credit_note"]
    customer: str
    contract: str
    currency: str
    period: Interval
    zone: str
    lines: tuple[Line, ...]
    subtotal: int
    discount: int
    credit_before_tax: int
    tax: int  # exclusive tax, on top
    tax_included: int
    total: int
    credit_after_tax: int
    due: int
    grants_used: tuple[tuple[str, int], ...] = ()  # (grant id, minor units)
    corrects: tuple[str, ...] = ()
