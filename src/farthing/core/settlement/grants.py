"""Credits that a customer was granted: what they take off a bill before tax, what they pay of it after tax, and their refill.

Grants are used in order of (priority, lower first, then id), each up to what remains of it and together up to what is due.
A document that comes to nothing or less uses none. A correction gives back, to the grants it came from, the credit that
exceeds what is left to pay; credit that still has something to pay stays used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from farthing.core.base.rounding import split
from farthing.core.catalog.terms import Grant
from farthing.core.invoice.discount import issued_before
from farthing.core.invoice.invoice import Line

Used = tuple[tuple[str, int], ...]
"""(grant id, minor units), in order of use; negative where the grant is refilled."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a document comes to with all corrections of it so far: its `total` in minor units (before credits after tax), and the
    after-tax grants `used` for it, in order of use, less what was given back."""

    total: int = 0
    used: Used = ()


def apply_before_tax(lines: tuple[Line, ...], grants: Iterable[Grant]) -> tuple[tuple[Line, ...], Used]:
    """Lines with `credit` and `credit_parts` set, and the grants used, for grants that apply "before_tax" in the lines' currency.

    Lines of keys that were billed before first give back what exceeds the key's billed amount after discount. Then grants lower what is left of the
    document, split by largest remainder over the lines that are above zero; no line and no document falls below zero by it. A grant for
    certain prices lowers their lines alone, and by no more than these come to together.
    """
    parts = [_given_back(line) for line in lines]
    left = [_payable(line, sum(part.values())) for line, part in zip(lines, parts, strict=True)]
    currency = lines[0].key.currency if lines else ""
    given_back, fitting = _summed(parts), _fitting(grants, "before_tax", currency)
    for grant in fitting:
        covered = [rest if grant.prices is None or line.key.price in grant.prices else 0 for line, rest in zip(lines, left, strict=True)]
        taken = max(min(grant.remaining - given_back.get(grant.id, 0), sum(left), sum(covered)), 0)
        for i, share in enumerate(split(taken, [max(rest, 0) for rest in covered]) if taken else ()):
            if share:
                parts[i][grant.id] = parts[i].get(grant.id, 0) + share
                left[i] -= share
    used, in_order = _summed(parts), dict.fromkeys((*given_back, *(grant.id for grant in fitting)))
    return tuple(_with(line, part) for line, part in zip(lines, parts, strict=True)), _used({id_: used.get(id_, 0) for id_ in in_order})


def apply_after_tax(total: int, grants: Iterable[Grant], currency: str, corrected: Sequence[tuple[Earlier, int]] = ()) -> tuple[int, Used]:
    """What grants that apply "after_tax" pay of a document's total, and the grants used; the due amount is total − the first.

    Of what makes up for documents that were below zero, none is paid: nobody owes it. A negative total uses none. It refills the
    grants used on the documents it corrects (see `refills`) by no more than it gives back itself; the paid amount is then negative.
    """
    if total <= 0:
        back = _summed([dict(one) for one in refills(corrected, -total)])
        return sum(back.values()), _used(back)
    owed = total - sum(change - max(earlier.total + change, 0) + max(earlier.total, 0) for earlier, change in corrected)
    taken = dict(_take(max(min(total, owed), 0), ((one.id, one.remaining) for one in _fitting(grants, "after_tax", currency))))
    return sum(taken.values()), _used(taken)


def refills(corrected: Sequence[tuple[Earlier, int]], most: int) -> list[Used]:
    """What goes back to the grants of each corrected document, given with the change of its total: of what was used for it, what
    exceeds the total that it is left with, the last used first. Together at most `most`, the last document first."""
    found: list[Used] = []
    for earlier, change in reversed(corrected):
        back = _excess(earlier.used, max(earlier.total + change, 0), most)
        most += sum(back.values())
        found.append(_used(back))
    return found[::-1]


def _fitting(grants: Iterable[Grant], applies: Literal["before_tax", "after_tax"], currency: str) -> list[Grant]:
    return sorted((g for g in grants if g.applies == applies and g.currency == currency), key=lambda g: (g.priority, g.id))


def _take(due: int, remaining: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    taken: list[tuple[str, int]] = []
    for id_, rest in remaining:
        part = min(max(rest, 0), due)
        if part:
            taken.append((id_, part))
            due -= part
    return taken


def _payable(line: Line, given_back: int) -> int:
    """What is left of a line; no more than what its whole key comes to, where that was below zero before."""
    left = line.amount - line.discount - given_back
    return left if line.issued is None or left <= 0 else min(left, max(left + line.issued.net, 0))


def _given_back(line: Line) -> dict[str, int]:
    if line.issued is None and line.kind != "correction":
        return {}
    issued = issued_before(line)
    return _excess(issued.credit_parts, issued.amount - issued.discount + line.amount - line.discount)


def _excess(used: Used, left: int, most: int | None = None) -> dict[str, int]:
    """What has to go back to the grants `used` where only `left` is to pay, at most `most`: negative, the last used first."""
    excess = sum(part for _, part in used) - left
    excess = excess if most is None else min(excess, most)
    back: dict[str, int] = {}
    for id_, part in reversed(_summed([{id_: part} for id_, part in used]).items()):
        if (share := min(part, excess)) > 0:
            back[id_] = -share
            excess -= share
    return back


def _summed(parts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for part in parts:
        for id_, units in part.items():
            sums[id_] = sums.get(id_, 0) + units
    return sums


def _used(units: Mapping[str, int]) -> Used:
    return tuple((id_, used) for id_, used in units.items() if used)


def _with(line: Line, parts: Mapping[str, int]) -> Line:
    return replace(line, credit=sum(parts.values()), credit_parts=_used(parts))
