"""Tax on the lines of one document: rounded once per document and rate, split over its lines so that the parts sum to the whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from farthing.core.base.rounding import apportion, round_to_whole
from farthing.core.catalog.terms import TaxRate
from farthing.core.invoice.invoice import Blend, Line

Taxes = dict[str, int]
"""Tax in minor units by tax rate id."""


def apply_taxes(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines of one document with `taxes` set: (rate id, taxable amount, tax) for each rate, inclusive ones first.

    Inclusive rates r are contained in the net: each line holds net × r ÷ (1 + Σ its inclusive rates). What the inclusive taxes leave
    of a line is the taxable amount of all its rates; exclusive rates are charged on it, never on each other or on another tax.
    Per rate the exact taxes of all lines are summed, rounded once half away from zero, and apportioned by largest remainder.

    A correction is taxed at the rates of the key's first line. It enters with the exact tax of the key's whole net, and the tax
    issued before is taken off its part: so taking all of it back takes back exactly the tax that was charged. Where charges of the
    key were bound to differing rates, the exact tax of its whole net is the tax of those charges in proportion.
    Errors: ValueError for a correction without what was `issued`, or whose issued taxes lack one of its rates.
    """
    lines = tuple(replace(line, tax_rates=_rates(line)) for line in lines)
    contained = _inclusive(lines)
    bases = [line.net - sum(taxes.values()) for line, taxes in zip(lines, contained, strict=True)]
    on_top = _exclusive(lines, bases)
    return tuple(
        replace(line, taxes=tuple((id_, _taxable(line, id_, base), tax) for id_, tax in (*inner.items(), *outer.items())))
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
    """The rates that the line is bound to; for a correction those that the key was charged at."""
    blend = _blend(line)
    return blend.tax_rates if blend is not None else line.tax_rates if line.issued is None else line.issued.tax_rates


def _blend(line: Line) -> Blend | None:
    found = None if line.issued is None else line.issued.blend
    return found if found is not None and found.net else None


def _charged(blend: Blend, id_: str, net: int) -> tuple[Fraction, Fraction]:
    """Taxable amount and tax at a rate of a key's whole net, in the proportion in which its charges carried them."""
    taxable, tax = next(((taxable, tax) for charged, taxable, tax in blend.taxes if charged == id_), (0, 0))
    return Fraction(taxable * net, blend.net), Fraction(tax * net, blend.net)


def _taxable(line: Line, id_: str, base: int) -> int:
    blend = _blend(line)
    if blend is None or line.issued is None:
        return base
    return round_to_whole(_charged(blend, id_, _whole_net(line))[0]) - _issued(line, id_)[0]


def _whole_net(line: Line) -> int:
    return line.net + (0 if line.issued is None else line.issued.net)


def _inclusive(lines: tuple[Line, ...]) -> list[Taxes]:
    exact: list[dict[str, Fraction]] = []
    for line in lines:
        own, net, blend = [rate for rate in line.tax_rates if rate.inclusive], _whole_net(line), _blend(line)
        whole = 1 + sum((rate.percent for rate in own), Fraction(0))
        exact.append({rate.id: net * rate.percent / whole if blend is None else _charged(blend, rate.id, net)[1] for rate in own})
    return _rounded(lines, exact)


def _exclusive(lines: tuple[Line, ...], bases: list[int]) -> list[Taxes]:
    exact: list[dict[str, Fraction]] = []
    for line, base in zip(lines, bases, strict=True):
        own, net, blend = [rate for rate in line.tax_rates if not rate.inclusive], _whole_net(line), _blend(line)
        exact.append({r.id: (base + _issued(line, r.id)[0]) * r.percent if blend is None else _charged(blend, r.id, net)[1] for r in own})
    return _rounded(lines, exact)


def _rounded(lines: tuple[Line, ...], exact: list[dict[str, Fraction]]) -> list[Taxes]:
    """Round each rate's sum over the lines once, apportion it to them, and take off what was issued before."""
    taxes: list[Taxes] = [{} for _ in exact]
    for id_ in dict.fromkeys(id_ for own in exact for id_ in own):
        places = [(i, own[id_]) for i, own in enumerate(exact) if id_ in own]
        shares = [amount for _, amount in places]
        for (i, _), part in zip(places, apportion(round_to_whole(sum(shares, Fraction(0))), shares), strict=True):
            taxes[i][id_] = part - _issued(lines[i], id_)[1]
    return taxes


def _issued(line: Line, id_: str) -> tuple[int, int]:
    """Taxable amount and tax that earlier documents carry for the line's key at this rate."""
    if line.issued is None:
        if line.kind == "correction":
            raise ValueError(f"the correction of {line.key.item!r} does not carry what was issued before it")
        return 0, 0
    for issued, taxable, tax in line.issued.taxes:
        if issued == id_:
            return taxable, tax
    raise ValueError(f"the taxes issued for {line.key.item!r} lack the rate {id_!r}")
