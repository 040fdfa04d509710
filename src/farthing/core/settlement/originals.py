"""What final documents come to with all corrections of them so far: what a further correction is settled against."""

from __future__ import annotations

from collections.abc import Iterable

from farthing.core.invoice.invoice import Document
from farthing.core.settlement.grants import Earlier
from farthing.core.tax.taxes import exclusive_tax


def originals(final: Iterable[tuple[str, Document]]) -> dict[str, Earlier]:
    """By number, for documents in order of finalisation: the total of its own lines and of the lines anywhere that correct it, and
    the after-tax grants used for these, less what corrections of it gave back."""
    totals: dict[str, int] = {}
    used: dict[str, dict[str, int]] = {}
    for number, document in final:
        parts = _parts(number, document)
        for whose, total in parts.items():
            totals[whose] = totals.get(whose, 0) + total
        for grant, units in _after_tax(document):
            if units > 0:
                _pay(used, parts, number, grant, units)
            else:
                _give_back(used, document.corrects, grant, -units)
    return {number: Earlier(total, tuple(used.get(number, {}).items())) for number, total in totals.items()}


def _parts(number: str, document: Document) -> dict[str, int]:
    """What a document comes to for its own lines, and for each document that its other lines correct."""
    parts = {number: 0}
    for line in document.lines:
        whose = line.corrects or number
        parts[whose] = parts.get(whose, 0) + line.net + exclusive_tax([line])
    return parts


def _pay(used: dict[str, dict[str, int]], parts: dict[str, int], number: str, grant: str, units: int) -> None:
    """Use units of a grant for the parts of a document, its own lines first, as far as each is not paid yet."""
    for whose in parts:
        share = min(max(parts[whose], 0), units)
        parts[whose] -= share
        _add(used, whose, grant, share)
        units -= share
    _add(used, number, grant, units)


def _after_tax(document: Document) -> list[tuple[str, int]]:
    before_tax = {grant for line in document.lines for grant, _ in line.credit_parts}
    return [(grant, units) for grant, units in document.grants_used if grant not in before_tax]


def _give_back(used: dict[str, dict[str, int]], corrected: Iterable[str], grant: str, units: int) -> None:
    """Take units of a grant off the documents they were used on, of those corrected the last one first."""
    for number in reversed(tuple(corrected)):
        share = min(used.get(number, {}).get(grant, 0), units)
        _add(used, number, grant, -share)
        units -= share


def _add(used: dict[str, dict[str, int]], number: str, grant: str, units: int) -> None:
    parts = used.setdefault(number, {})
    parts[grant] = parts.get(grant, 0) + units
