"""How a bill comes to be, top to bottom. Every step is a pure function of frozen facts; none reads a clock or a database.

    contract ──► terms ──► rated ──► desired ──► difference ──► discounts ──► credits ──► tax ──► credits ──► bills ──► postings
    (contract/resolve)     (rating)  (invoice/desired, difference, discount)  (settlement, tax)                        (ledger)

Entry points: `bill` makes the documents of one billing period (or only the corrections of earlier ones), `postings_for` books one.
Rating usage is a parameter: the core's interpreter and the column kernel both fit, and each proves what the other made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from farthing.core.base.time import Interval
from farthing.core.catalog.terms import Grant, Group, PriceVersion, Terms
from farthing.core.contract.contract import Contract
from farthing.core.contract.resolve import Shelf, periods_due, terms_for
from farthing.core.invoice.assemble import corrected_documents, split_corrections
from farthing.core.invoice.causes import News
from farthing.core.invoice.desired import desired_for, prorated
from farthing.core.invoice.difference import difference
from farthing.core.invoice.discount import apply_discounts
from farthing.core.invoice.invoice import Desired, Document, Issued, Line
from farthing.core.ledger.postings import postings_for
from farthing.core.rating.compile import compile_price
from farthing.core.rating.interpret import rate_quantity
from farthing.core.rating.program import Program
from farthing.core.rating.trace import Rated
from farthing.core.settlement.grants import Earlier, apply_after_tax, apply_before_tax
from farthing.core.tax.taxes import apply_taxes, exclusive_tax, included_tax

__all__ = ["Facts", "Rate", "bill", "compiled_program", "desired_amounts", "over_term", "periods_due", "postings_for", "rate_licensed"]

Rate = Callable[[Sequence[Terms]], Sequence[Mapping[Group, tuple[Rated, ...]]]]
"""Rates terms: for each of them, the rated lines by group. Usage comes from the event log, which the core does not know."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a bill is made from, beside the events themselves.

    `period` is the one being billed (None: corrections only), `earlier` those billed before whose keys are to be compared again.
    `known` is the revision of catalogue and contract, `position` that of the event log. `issued` are the keys of those periods.
    `part` bills inside the period: what would lower it waits. `originals` sums up the documents that corrections may name.
    """

    contract: Contract
    shelf: Shelf
    period: Interval | None
    earlier: tuple[Interval, ...]
    known: int
    position: int
    issued: tuple[Issued, ...] = ()
    waived: Mapping[str, int] = field(default_factory=dict)
    grants: tuple[Grant, ...] = ()
    news: News = field(default_factory=News)
    part: bool = False
    originals: Mapping[str, Earlier] = field(default_factory=dict)


def bill(facts: Facts, rate: Rate) -> tuple[Document, ...]:
    """The documents that bring what was billed to what the facts say: an invoice, or corrections apart as a credit note.

    Errors: those of resolving terms, compiling prices and rating (a price that refuses a quantity); nothing is billed then.
    """
    desired = desired_amounts(facts, rate)
    lines = difference(desired, facts.issued, facts.waived, facts.period, facts.news.causes, facts.part)
    whole = _document(facts, lines)
    charges, corrections = split_corrections(lines)
    if whole.total >= 0 or not corrections:
        return (whole,) if lines or facts.period is not None else ()
    credit_note = _document(facts, corrections)
    if facts.period is None:
        return (credit_note,)
    rest = _document(facts, charges, used=dict(credit_note.grants_used))
    return (rest, credit_note)


def desired_amounts(facts: Facts, rate: Rate) -> tuple[Desired, ...]:
    """What every key of the periods in question should come to, by the facts known now."""
    periods = (*facts.earlier, *(() if facts.period is None else (facts.period,)))
    resolved = [terms for period in periods for terms in terms_for(facts.contract, period, facts.shelf, facts.known)]
    latest = {terms.key(()): terms for terms in resolved}  # a key that runs over several periods is desired up to the last
    terms = list(latest.values())
    rated = zip(terms, rate(terms), strict=True)
    return tuple(desired for one, groups in rated for desired in desired_for(one, compile_price(one.price.document), groups, facts.position))


def _document(facts: Facts, lines: tuple[Line, ...], used: Mapping[str, int] | None = None) -> Document:
    """The money order: usage, minimum, maximum and proration stand in the lines already; then discounts, credits before tax, tax,
    credits after tax. `used` is what another document of the same run takes from grants."""
    grants = tuple(Grant(g.id, g.currency, g.remaining - (used or {}).get(g.id, 0), g.applies, g.priority) for g in facts.grants)
    discounted = apply_discounts(lines)
    credited, before_tax = apply_before_tax(discounted, grants)
    taxed = apply_taxes(credited)
    subtotal, discount = sum(line.amount for line in taxed), sum(line.discount for line in taxed)
    credit, tax = sum(line.credit for line in taxed), exclusive_tax(taxed)
    total = subtotal - discount - credit + tax
    corrects = corrected_documents(taxed)
    credit_after, after_tax = apply_after_tax(total, grants, facts.contract.currency, _earlier(facts, corrects))
    period = facts.period or _spanned(lines)
    kind: Literal["invoice", "credit_note"] = "credit_note" if total < 0 and all(line.kind == "correction" for line in lines) else "invoice"
    return Document(
        kind=kind,
        customer=facts.contract.customer,
        contract=facts.contract.id,
        currency=facts.contract.currency,
        period=period,
        zone=facts.contract.billing.zone,
        lines=taxed,
        subtotal=subtotal,
        discount=discount,
        credit_before_tax=credit,
        tax=tax,
        tax_included=included_tax(taxed),
        total=total,
        credit_after_tax=credit_after,
        due=total - credit_after,
        grants_used=(*before_tax, *after_tax),
        corrects=corrects,
    )


def _earlier(facts: Facts, corrects: tuple[str, ...]) -> Earlier | None:
    found = [facts.originals[number] for number in corrects if number in facts.originals]
    if not found:
        return None
    return Earlier(sum(one.total for one in found), tuple(used for one in found for used in one.used))


def _spanned(lines: tuple[Line, ...]) -> Interval:
    services = [line.service for line in lines] or [Interval(0, 1)]
    return Interval(min(service.start for service in services), max(service.end for service in services))


def compiled_program(terms: Terms) -> Program:
    """The program that rates the terms' usage: that of the price, its bounds scaled to the segment's share of the period."""
    program = compile_price(terms.price.document).program
    return program if terms.meter is None else prorated(program, terms.share)


def rate_licensed(terms: Terms) -> Rated:
    """What a licensed quantity comes to for a whole period; the segment's share of it is taken afterwards."""
    return rate_quantity(compile_price(terms.price.document).program, terms.quantity or Fraction(0))


def over_term(version: PriceVersion) -> bool:
    """Whether a price accumulates over the contract's term instead of the billing period."""
    return compile_price(version.document).accumulate == "term"
