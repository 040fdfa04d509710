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

    A correction is taxed at the rates of the key's first line. It enters with the exact tax of the key's whole net, and the tax
    issued before is taken off its part: so taking all of it back takes back exactly the tax that was charged.
    Errors: ValueError for a correction without what was `issued`, or whose issued taxes lack one of its rates.
    """
    lines = tuple(replace(line, tax_rates=line.issued.tax_rates) if line.issued is not None else line for line in lines)
    contained = _inclusive(lines)
    bases = [line.net - sum(taxes.values()) for line, taxes in zip(lines, contained, strict=True)]
    on_top = _exclusive(lines, bases)
    return tuple(
        replace(line, taxes=tuple((id_, base, tax) for id_, tax in (*inner.items(), *outer.items())))
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


def _inclusive(lines: tuple[Line, ...]) -> list[Taxes]:
    rates = [tuple(rate for rate in line.tax_rates if rate.inclusive) for line in lines]
    exact: list[dict[TaxRate, Fraction]] = []
    for line, own in zip(lines, rates, strict=True):
        whole = 1 + sum((rate.percent for rate in own), Fraction(0))
        net = line.net + (line.issued.net if line.issued is not None else 0)
        exact.append({rate: net * rate.percent / whole for rate in own})
    return _rounded(lines, exact)


def _exclusive(lines: tuple[Line, ...], bases: list[int]) -> list[Taxes]:
    exact: list[dict[TaxRate, Fraction]] = []
    for line, base in zip(lines, bases, strict=True):
        own = tuple(rate for rate in line.tax_rates if not rate.inclusive)
        exact.append({rate: (base + _issued(line, rate)[0]) * rate.percent for rate in own})
    return _rounded(lines, exact)


def _rounded(lines: tuple[Line, ...], exact: list[dict[TaxRate, Fraction]]) -> list[Taxes]:
    """Round each rate's sum over the lines once, apportion it to them, and take off what was issued before."""
    taxes: list[Taxes] = [{} for _ in exact]
    for id_ in dict.fromkeys(rate.id for own in exact for rate in own):
        places = [(i, rate, amount) for i, own in enumerate(exact) for rate, amount in own.items() if rate.id == id_]
        shares = [amount for _, _, amount in places]
        for (i, rate, _), part in zip(places, apportion(round_to_whole(sum(shares, Fraction(0))), shares), strict=True):
            taxes[i][id_] = part - _issued(lines[i], rate)[1]
    return taxes


def _issued(line: Line, rate: TaxRate) -> tuple[int, int]:
    """Taxable amount and tax that earlier documents carry for the line's key at this rate."""
    if line.issued is None:
        if line.kind == "correction":
            raise ValueError(f"the correction of {line.key.item!r} does not carry what was issued before it")
        return 0, 0
    for id_, taxable, tax in line.issued.taxes:
        if id_ == rate.id:
            return taxable, tax
    raise ValueError(f"the taxes issued for {line.key.item!r} lack the rate {rate.id!r}")
