"""What final documents come to with all corrections of them so far: what a further correction is settled against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from farthing.core.catalog.terms import ChargeKey
from farthing.core.invoice.invoice import Document, Line
from farthing.core.settlement.grants import Earlier, Used, refills
from farthing.core.tax.taxes import exclusive_tax


def originals(final: Iterable[tuple[str, Document]]) -> dict[str, Earlier]:
    """By number, for documents in order of finalisation: what the charge keys that it billed first come to in all, on whichever documents,
    and the after-tax grants used for these, less what went back.

    No more is used for a document than it comes to. Where a document charges what it takes off another one, nothing goes back to
    the grants: what they paid of the one moves to the other.
    """
    known: dict[str, Earlier] = {}
    first: dict[ChargeKey, str] = {}
    for number, document in final:
        changes = _changes((line.corrects or first.setdefault(line.key, number), line) for line in document.lines)
        known = _settled(known, number, document, changes)
    return known


def after(known: Mapping[str, Earlier], document: Document) -> dict[str, Earlier]:
    """What the documents come to once a new one is final that only corrects them."""
    return _settled(known, "", document, _by_first(document))


def corrected(document: Document, known: Mapping[str, Earlier]) -> list[tuple[Earlier, int]]:
    """The documents that billed the keys of a new document first, as they stand before it, and how it changes what each comes to."""
    changes = _by_first(document)
    return [(known[number], changes[number]) for number in sorted(changes.keys() & known.keys())]


def _by_first(document: Document) -> dict[str, int]:
    return _changes((line.corrects or (line.issued.document if line.issued is not None else ""), line) for line in document.lines)


def _settled(known: Mapping[str, Earlier], number: str, document: Document, changes: Mapping[str, int]) -> dict[str, Earlier]:
    totals = {whose: earlier.total for whose, earlier in known.items()}
    used = {whose: dict(earlier.used) for whose, earlier in known.items()}
    changes = {number: 0, **changes}
    others = sorted(changes.keys() & totals.keys())
    before = [(known[whose], changes[whose]) for whose in others]
    for whose, back in zip(others, refills(before, -document.credit_after_tax), strict=True):
        _add(used, whose, back)
    for whose, change in changes.items():
        totals[whose] = totals.get(whose, 0) + change
    _pay(used, changes, [*_after_tax(document), *_freed(totals, used, others)])
    return {whose: _earlier(totals, used, whose) for whose in totals}


def _changes(lines: Iterable[tuple[str, Line]]) -> dict[str, int]:
    """What taxed lines, each with the document that billed its key first, add to the total of each."""
    changes: dict[str, int] = {}
    for whose, line in lines:
        changes[whose] = changes.get(whose, 0) + line.net + exclusive_tax([line])
    return changes


def _earlier(totals: dict[str, int], used: dict[str, dict[str, int]], number: str) -> Earlier:
    return Earlier(totals.get(number, 0), tuple((grant, units) for grant, units in used.get(number, {}).items() if units))


def _after_tax(document: Document) -> Used:
    before_tax = {grant for line in document.lines for grant, _ in line.credit_parts}
    return tuple((grant, units) for grant, units in document.grants_used if grant not in before_tax and units > 0)


def _freed(totals: dict[str, int], used: dict[str, dict[str, int]], corrected: Iterable[str]) -> Used:
    """Take what is used for corrected documents beyond what they come to off them."""
    freed: list[tuple[str, int]] = []
    for number in corrected:
        earlier = _earlier(totals, used, number)
        (back,) = refills([(earlier, 0)], sum(units for _, units in earlier.used))
        _add(used, number, back)
        freed += [(grant, -units) for grant, units in back]
    return tuple(freed)


def _pay(used: dict[str, dict[str, int]], changes: Mapping[str, int], paid: Iterable[tuple[str, int]]) -> None:
    """Use grants for what a document adds to itself and to others, itself first, as far as each is not paid yet."""
    unpaid = dict(changes)
    itself = next(iter(unpaid))
    for grant, units in paid:
        left = units
        for whose in unpaid:
            share = min(max(unpaid[whose], 0), left)
            unpaid[whose] -= share
            left -= share
            _add(used, whose, ((grant, share),))
        _add(used, itself, ((grant, left),))


def _add(used: dict[str, dict[str, int]], number: str, parts: Used) -> None:
    grants = used.setdefault(number, {})
    for grant, units in parts:
        grants[grant] = grants.get(grant, 0) + units
