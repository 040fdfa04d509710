"""Discounts on the lines of one document: percentages first, then fixed amounts. docs/rounding.md has the rules with numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

from farthing.core.base.rounding import apportion, round_to_whole, split
from farthing.core.catalog.terms import Discount
from farthing.core.invoice.invoice import Blend, Issued, Line

Parts = dict[str, int]
"""Minor units by discount id, in the order in which the discounts apply."""


def apply_discounts(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines of one document with `discount` and `discount_parts` set; whatever they held before is decided anew.

    Percentages apply line by line in the order listed, each on what the ones before it left, each rounded once, half away from
    zero; so the discount of a key depends on its own amount alone. Fixed amounts come after all percentages, in the order listed
    (by the first line that has them, if lines differ), each once for the document, up to what is left of the charge lines it
    covers, split over the positive ones.

    A correction brings the key's discounts, as bound by its first line, to what the whole billed amount should carry: percentages
    are those of the whole less those issued; a fixed amount is not decided again, but lowered where less than it is left to pay.
    Where charges of the key were bound to differing percentages, it carries each in the proportion in which they did.
    Errors: ValueError for a correction that does not carry what was `issued`.
    """
    parts = [_correction(line) if line.kind == "correction" else _percentages(line.amount, covering(line)) for line in lines]
    charges = [i for i, line in enumerate(lines) if line.kind == "charge"]
    for discount in _fixed(lines[i] for i in charges):
        covered = [i for i in charges if discount.id in _ids(lines[i])]
        left = [lines[i].amount - sum(parts[i].values()) for i in covered]
        taken = min(discount.amount or 0, max(sum(left), 0))
        for i, part in zip(covered, split(taken, [max(rest, 0) for rest in left]), strict=True):
            parts[i][discount.id] = part
    return tuple(_with(line, part) for line, part in zip(lines, parts, strict=True))


def covering(line: Line) -> tuple[Discount, ...]:
    """The discounts that cover a line, in the order listed; for a correction those that the key's first line was bound to."""
    return tuple(discount for discount in _bound(line) if discount.items is None or line.key.item in discount.items)


def _bound(line: Line) -> tuple[Discount, ...]:
    return line.discounts if line.issued is None else line.issued.discounts


def _percentages(amount: int, discounts: Iterable[Discount]) -> Parts:
    parts: Parts = {}
    for discount in discounts:
        if discount.percent is not None:
            part = round_to_whole(Fraction(amount) * discount.percent)
            parts[discount.id] = part
            amount -= part
    return parts


def _correction(line: Line) -> Parts:
    issued = issued_before(line)
    billed, before = issued.amount + line.amount, dict(issued.discount_parts)
    if issued.blend is not None and issued.blend.amount:
        return _less(_in_proportion(issued, issued.blend, billed), before)
    parts = _percentages(billed, covering(line))
    left = max(billed - sum(parts.values()), 0)
    for discount in covering(line):
        if discount.amount is not None:
            parts[discount.id] = min(before.get(discount.id, 0), left)
            left -= parts[discount.id]
    return _less(parts, before)


def _in_proportion(issued: Issued, blend: Blend, billed: int) -> Parts:
    """The discounts of a key whose charges carried different ones: each in the proportion in which they did, rounded once together and
    apportioned; a fixed amount neither grows nor turns negative."""
    shares = [Fraction(part * billed, blend.amount) for _, part in blend.discount_parts]
    parts = apportion(round_to_whole(sum(shares, Fraction(0))), shares)
    fixed = {discount.id for discount in issued.discounts if discount.amount is not None}
    return {id_: max(min(part, charged), 0) if id_ in fixed else part for (id_, charged), part in zip(blend.discount_parts, parts, strict=True)}


def issued_before(line: Line) -> Issued:
    """What finalised documents had billed for the key of a correction. Errors: ValueError where it is missing or does not add up."""
    if line.issued is None:
        raise ValueError(f"the correction of {line.key.item!r} does not carry what was issued before it")
    if line.issued.discount != sum(part for _, part in line.issued.discount_parts):
        raise ValueError(f"the discounts issued for {line.key.item!r} do not add up to {line.issued.discount}")
    return line.issued


def _less(parts: Parts, before: Mapping[str, int]) -> Parts:
    """`parts` − `before`, by id; an id that no longer covers the line is given back."""
    return {id_: parts.get(id_, 0) - before.get(id_, 0) for id_ in (*parts, *(id_ for id_ in before if id_ not in parts))}


def _fixed(lines: Iterable[Line]) -> tuple[Discount, ...]:
    found: dict[str, Discount] = {}
    for line in lines:
        for discount in _bound(line):  # also those that do not cover this line, so that the order listed is kept
            if discount.amount is not None:
                found.setdefault(discount.id, discount)
    return tuple(found.values())


def _ids(line: Line) -> set[str]:
    return {discount.id for discount in covering(line)}


def _with(line: Line, parts: Parts) -> Line:
    kept = tuple((id_, part) for id_, part in parts.items() if part)
    return replace(line, discounts=_bound(line), discount=sum(parts.values()), discount_parts=kept)
