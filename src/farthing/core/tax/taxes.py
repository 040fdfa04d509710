"""Tax on the lines of one document: rounded once per document and rate, split over its lines so that the parts sum to the whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from farthing.core.base.rounding import apportion, round_to_whole
from farthing.core.catalog.terms import TaxRate
from farthing.core.invoice.invoice import Line

Taxes = dict[str, int]
"""Tax in minor units by tax rate id."""


def apply_taxes(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines of one document with `taxes` set: (rate id, taxable amount, tax) for each rate, inclusive ones first.

    Inclusive rates r are contained in the net: each line holds net × r ÷ (1 + Σ its inclusive rates). What the inclusive taxes leave
    of a line is the taxable amount of all its rates; exclusive rates are charged on it, never on each other or on another tax.
    Per rate the exact taxes of all lines are summed, rounded once half away from zero, and apportioned by largest remainder.

    A line of a key that was billed before enters with the exact tax of the key's whole net at its own rates, and the tax issued before
    is taken off its part: so taking all of it back takes back exactly the tax that was charged. A rate that earlier charges of the key
    were bound to, and the line is not, is one of 0 % by then.
    Errors: ValueError for a correction without what was `issued`, or whose issued taxes lack one of its rates.
    """
    lines = tuple(replace(line, tax_rates=_rates(line)) for line in lines)
    contained = _inclusive(lines)
    bases = [_whole_net(line) - sum(taxes.values()) for line, taxes in zip(lines, contained, strict=True)]
    on_top = _exclusive(lines, bases)
    return tuple(
        replace(line, taxes=tuple(_less_issued(line, id_, base, tax) for id_, tax in (*inner.items(), *outer.items())))
        for line, base, inner, outer in zip(lines, bases, contained, on_top, strict=True)
    )


def exclusive_tax(lines: Iterable[Line]) -> int:
    """The tax on top of the lines' nets, in minor units."""
    return _sum_of(lines, inclusive=False)


def included_tax(lines: Iterable[Line]) -> int:
    """The tax contained in the lines' nets, in minor units."""
    return _sum_of(lines, inclusive=True)


def _sum_of(lines: Iterable[Line], *, inclusive: bool) -> int:
    return sum(tax for line in lines for id_, _, tax in line.taxes if any(rate.id == id_ and rate.inclusive is inclusive for rate in line.tax_rates))


def _rates(line: Line) -> tuple[TaxRate, ...]:
    """The rates of a line, and those of earlier charges of its key that hold no longer, as rates of nothing. A correction has the rates
    that the key was charged at, whatever holds now."""
    earlier = () if line.issued is None else line.issued.tax_rates
    if line.kind == "correction" and line.issued is not None:
        return earlier
    own = {rate.id for rate in line.tax_rates}
    return (*line.tax_rates, *(replace(rate, percent=Fraction(0)) for rate in earlier if rate.id not in own))


def _whole_net(line: Line) -> int:
    return line.net + (0 if line.issued is None else line.issued.net)


def _inclusive(lines: tuple[Line, ...]) -> list[Taxes]:
    exact: list[dict[str, Fraction]] = []
    for line in lines:
        own = [rate for rate in line.tax_rates if rate.inclusive]
        whole = 1 + sum((rate.percent for rate in own), Fraction(0))
        exact.append({rate.id: _whole_net(line) * rate.percent / whole for rate in own})
    return _rounded(exact)


def _exclusive(lines: tuple[Line, ...], bases: list[int]) -> list[Taxes]:
    exact = [{rate.id: base * rate.percent for rate in line.tax_rates if not rate.inclusive} for line, base in zip(lines, bases, strict=True)]
    return _rounded(exact)


def _rounded(exact: list[dict[str, Fraction]]) -> list[Taxes]:
    """Round each rate's sum over the lines once, and apportion it to them."""
    taxes: list[Taxes] = [{} for _ in exact]
    for id_ in dict.fromkeys(id_ for own in exact for id_ in own):
        places = [(i, own[id_]) for i, own in enumerate(exact) if id_ in own]
        shares = [amount for _, amount in places]
        for (i, _), part in zip(places, apportion(round_to_whole(sum(shares, Fraction(0))), shares), strict=True):
            taxes[i][id_] = part
    return taxes


def _less_issued(line: Line, id_: str, taxable: int, tax: int) -> tuple[str, int, int]:
    """What a line has of the key's whole taxable amount and tax at a rate: what earlier documents do not carry yet."""
    if line.issued is None:
        if line.kind == "correction":
            raise ValueError(f"the correction of {line.key.item!r} does not carry what was issued before it")
        return id_, taxable, tax
    before = next(((taxable, tax) for issued, taxable, tax in line.issued.taxes if issued == id_), None)
    if before is None:
        if line.kind == "correction":
            raise ValueError(f"the taxes issued for {line.key.item!r} lack the rate {id_!r}")
        before = (0, 0)
    return id_, taxable - before[0], tax - before[1]
