"""How a bill comes to be, top to bottom. Every step is a pure function of frozen facts; none reads a clock or a database.

    contract ──► terms ──► rated ──► desired ──► difference ──► discounts ──► credits ──► tax ──► credits ──► bills ──► postings
    (contract/resolve)     (rating)  (invoice/desired, difference, discount)  (settlement, tax)                        (ledger)

Entry points: `bill` makes the documents of one billing period (or only the corrections of earlier ones), `bills_due` says which
bills there are, `desired_amounts` what they should come to, `postings_for` what a document books. Rating usage is a parameter: the
core's interpreter (`rate_terms`) and the column kernel both fit, and each proves what the other made. docs/semantics.md has the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from farthing.core.base.time import Interval
from farthing.core.catalog.terms import ChargeKey, Grant, Group, Terms
from farthing.core.contract.contract import Contract
from farthing.core.contract.resolve import Due, Shelf, bills_due, periods_due, terms_for
from farthing.core.invoice.adjustment import Adjustment, adjustment_line
from farthing.core.invoice.assemble import document_of, following, split_corrections
from farthing.core.invoice.causes import Inquiry, News
from farthing.core.invoice.desired import desired_for, has_key, unused
from farthing.core.invoice.difference import difference
from farthing.core.invoice.discount import apply_discounts
from farthing.core.invoice.invoice import Desired, Document, Issued, Line
from farthing.core.invoice.over_term import parts, to_rate
from farthing.core.invoice.rated import compiled_program, over_term, rate_licensed, rate_terms
from farthing.core.invoice.taken_back import TakenBack, taken_back_line
from farthing.core.ledger.postings import postings_for
from farthing.core.rating.compile import compile_price
from farthing.core.rating.trace import Rated
from farthing.core.settlement.grants import Earlier, apply_after_tax, apply_before_tax
from farthing.core.settlement.originals import after, corrected
from farthing.core.tax.taxes import apply_taxes, exclusive_tax, included_tax

__all__ = [
    "Due",
    "Facts",
    "Rate",
    "bill",
    "bills_due",
    "compiled_program",
    "desired_amounts",
    "over_term",
    "periods_due",
    "postings_for",
    "rate_licensed",
    "rate_terms",
]

Rate = Callable[[Sequence[Terms]], Sequence[Mapping[Group, tuple[Rated, ...]]]]
"""Rates terms: for each of them, the rated lines by group. Usage comes from the event log, which the core does not know."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a bill is made from, beside the events themselves.

    `period` is the one being billed (None: corrections only), `earlier` those billed before whose keys are to be compared again.
    `ahead` is the period that begins, of which items in advance are billed; `opened` are those of which they were billed while the rest
    was not, to be compared again as well.
    `known` is the revision of catalogue and contract, `position` that of the event log. `issued` are the keys of those periods.
    `part` says that `period` is only the first part of a billing period: licensed items, minimums, fixed discounts, and whatever would
    lower the bill wait for the final one. `originals` sums up the documents that corrections may name. `void` are the numbers of those
    that count as never issued: neither `issued` nor `originals` has them. With `taken_back` the bill takes back these amounts and
    compares nothing.
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
    void: tuple[str, ...] = ()
    ahead: Interval | None = None
    opened: tuple[Interval, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    taken_back: tuple[TakenBack, ...] | None = None


def bill(facts: Facts, rate: Rate) -> tuple[Document, ...]:
    """The documents that bring what was billed to what the facts say, in the order in which they become final: an invoice of charges
    and corrections; where corrections would pull it below zero, a credit note of them and then the invoice.

    Errors: those of resolving terms, compiling prices and rating (a price that refuses a quantity); nothing is billed then.
    """
    if facts.taken_back is not None:
        return (_document(facts, (*map(taken_back_line, facts.taken_back), *_adjusted(facts)), facts.grants),)
    settled, current = _terms(facts)
    facts = replace(facts, issued=_in_question(facts))
    desired = _desired(facts, (*settled.values(), *current.values()), rate)
    inquiry = Inquiry(facts.news, facts.contract, facts.shelf.prices, settled)
    part = facts.period if facts.part else None
    differing = difference(desired, facts.issued, facts.waived, lambda key: replace(key, group=()) in current, inquiry.causes, part)
    lines = (*differing, *_adjusted(facts))
    if not lines and (facts.period is None or facts.part):
        return ()
    whole = _document(facts, lines, facts.grants)
    charges, corrections = split_corrections(lines)
    if facts.period is None or facts.contract.below_zero == "balance" or whole.total >= 0 or not corrections:
        return (whole,)
    credit_note = _document(facts, corrections, facts.grants)
    if credit_note.total >= 0:
        return (whole,)
    refilled = dict(credit_note.grants_used)
    grants = tuple(replace(grant, remaining=grant.remaining - refilled.get(grant.id, 0)) for grant in facts.grants)
    behind = replace(facts, originals=after(facts.originals, credit_note))
    return (credit_note, _document(behind, following(charges, corrections), grants))


def desired_amounts(facts: Facts, rate: Rate) -> tuple[Desired, ...]:
    """What every key of the periods in question should come to, by the facts known now; in order of periods."""
    settled, current = _terms(facts)
    facts = replace(facts, issued=_in_question(facts))
    return _desired(facts, (*settled.values(), *current.values()), rate)


def terms_to_rate(facts: Facts) -> tuple[Terms, ...]:
    """The terms that `bill` asks to be rated, in its order: for rating those of many bills at once. Errors: those of resolving terms."""
    if facts.taken_back is not None:
        return ()
    settled, current = _terms(facts)
    return tuple(to_rate((*settled.values(), *current.values())))


def _adjusted(facts: Facts) -> tuple[Line, ...]:
    return tuple(adjustment_line(one, facts.contract) for one in facts.adjustments)


def _terms(facts: Facts) -> tuple[dict[ChargeKey, Terms], dict[ChargeKey, Terms]]:
    """The terms of what was billed before, and those of what is billed now, by key. Of the period that has ended, items in advance were
    billed when it began."""

    def resolved(period: Interval, in_advance: bool | None = None) -> tuple[Terms, ...]:
        return terms_for(facts.contract, period, facts.shelf, facts.known, in_advance)

    settled = [terms for period in facts.earlier for terms in resolved(period)]
    settled += [terms for period in facts.opened for terms in resolved(period, in_advance=True)]
    current: list[Terms] = []
    if facts.period is not None and facts.part:
        current += [_in_part(terms) for terms in resolved(facts.period, in_advance=False) if terms.meter]
    elif facts.period is not None:
        settled += resolved(facts.period, in_advance=True) if facts.contract.in_advance else ()
        current += resolved(facts.period, in_advance=False)
    if facts.ahead is not None:
        current += resolved(facts.ahead, in_advance=True)
    return {terms.key(()): terms for terms in settled}, {terms.key(()): terms for terms in current}


def _in_question(facts: Facts) -> tuple[Issued, ...]:
    """What was billed for the keys of the periods in question."""
    spans = tuple(span for span in (*facts.earlier, facts.period, facts.ahead) if span is not None)
    in_advance = facts.contract.in_advance

    def asked(key: ChargeKey) -> bool:
        return key.rated and any(key.segment.overlap(span) for span in (*spans, *(facts.opened if key.item in in_advance else ())))

    return tuple(one for one in facts.issued if asked(one.key))


def _in_part(terms: Terms) -> Terms:
    """What a bill inside the period has of the terms: no minimum and no fixed discount yet."""
    return replace(terms, open=True, discounts=tuple(discount for discount in terms.discounts if discount.percent is not None))


def _desired(facts: Facts, terms: Sequence[Terms], rate: Rate) -> tuple[Desired, ...]:
    billed: dict[ChargeKey, list[ChargeKey]] = {}
    for issued in facts.issued:
        billed.setdefault(replace(issued.key, group=()), []).append(issued.key)
    found: list[Desired] = []
    for one, groups in zip(terms, parts(terms, rate(to_rate(terms)), facts.period if facts.part else None), strict=True):
        price = compile_price(one.price.document)
        wanted = list(desired_for(one, price, groups, facts.position))
        keys = {want.key for want in wanted}
        gone = [key for key in billed.get(one.key(()), ()) if key not in keys and has_key(one, price, key)]
        found += wanted + [unused(one, price, key, facts.position) for key in gone]
    return tuple(found)


def _document(facts: Facts, lines: tuple[Line, ...], grants: Iterable[Grant]) -> Document:
    """The money order: usage, minimum, maximum and proration stand in the lines already; then discounts, credits before tax, tax,
    credits after tax."""
    discounted = apply_discounts(lines)
    credited, before_tax = apply_before_tax(discounted, grants)
    taxed = apply_taxes(credited)
    unpaid = document_of(facts.contract, facts.period or facts.ahead, taxed, exclusive_tax(taxed), included_tax(taxed))
    paid, after_tax = apply_after_tax(unpaid.total, grants, facts.contract.currency, corrected(unpaid, facts.originals))
    return replace(unpaid, credit_after_tax=paid, due=unpaid.total - paid, grants_used=(*before_tax, *after_tax))
