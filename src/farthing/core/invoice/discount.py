"""Discounts on the lines of one document: percentages first, then fixed amounts. docs/rounding.md has the rules with numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

from farthing.core.base.rounding import round_to_whole, split
from farthing.core.catalog.terms import Discount
from farthing.core.invoice.invoice import Issued, Line

Parts = dict[str, int]
"""Minor units by discount id, in the order in which the discounts apply."""


def apply_discounts(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines of one document with `discount` and `discount_parts` set; whatever they held before is decided anew.

    Percentages apply line by line in the order listed, each on what the ones before it left, each rounded once, half away from
    zero. They are those of all that was billed for the key, the line included, less what was issued; so the discount of a key
    depends on its own amount alone. Fixed amounts come after all percentages, in the order listed (by the first line that has them,
    if lines differ), each once for the document, up to what is left of the keys that its charges cover, split over the positive ones.

    A correction decides no fixed amount again: what the key has of it is lowered where less is left to pay.
    Errors: ValueError for a correction that does not carry what was `issued`.
    """
    lines = tuple(_bound(line) for line in lines)
    parts = [_kept(line) if line.kind == "correction" else _percentages(_billed(line), covering(line)) for line in lines]
    charges = [i for i, line in enumerate(lines) if line.kind != "correction"]
    for discount in _fixed(lines[i] for i in charges):
        covered = [i for i in charges if discount.id in _ids(lines[i])]
        left = [_billed(lines[i]) - sum(parts[i].values()) for i in covered]
        taken = min(discount.amount or 0, max(sum(left), 0))
        for i, part in zip(covered, split(taken, [max(rest, 0) for rest in left]), strict=True):
            parts[i][discount.id] = part
    return tuple(_with(line, _less(part, _before(line))) for line, part in zip(lines, parts, strict=True))


def _bound(line: Line) -> Line:
    """A correction has the discounts that the key was charged with, whatever holds now."""
    return line if line.kind != "correction" or line.issued is None else replace(line, discounts=line.issued.discounts)


def covering(line: Line) -> tuple[Discount, ...]:
    """The discounts that cover a line, in the order listed."""
    return tuple(discount for discount in line.discounts if discount.items is None or line.key.item in discount.items)


def _billed(line: Line) -> int:
    return line.amount + (0 if line.issued is None else issued_before(line).amount)


def _before(line: Line) -> Parts:
    return {} if line.issued is None else dict(line.issued.discount_parts)


def _percentages(amount: int, discounts: Iterable[Discount]) -> Parts:
    parts: Parts = {}
    for discount in discounts:
        if discount.percent is not None:
            part = round_to_whole(Fraction(amount) * discount.percent)
            parts[discount.id] = part
            amount -= part
    return parts


def _kept(line: Line) -> Parts:
    """What a key carries in all after a correction of it."""
    issued = issued_before(line)
    billed, before = issued.amount + line.amount, dict(issued.discount_parts)
    parts = _percentages(billed, covering(line))
    left = max(billed - sum(parts.values()), 0)
    for discount in covering(line):
        if discount.amount is not None:
            parts[discount.id] = min(before.get(discount.id, 0), left)
            left -= parts[discount.id]
    return parts


def issued_before(line: Line) -> Issued:
    """What finalised documents had billed for the key of a line. Errors: ValueError where it is missing or does not add up."""
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
        for discount in line.discounts:  # also those that do not cover this line, so that the order listed is kept
            if discount.amount is not None:
                found.setdefault(discount.id, discount)
    return tuple(found.values())


def _ids(line: Line) -> set[str]:
    return {discount.id for discount in covering(line)}


def _with(line: Line, parts: Parts) -> Line:
    kept = tuple((id_, part) for id_, part in parts.items() if part)
    return replace(line, discount=sum(parts.values()), discount_parts=kept)
