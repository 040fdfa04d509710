"""How a quantity, or events, became the exact amount of a price: minimum and maximum, cells, tiers, and fees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from farthing.core.explain.explanation import Step, figures
from farthing.core.explain.measured import charged_unit, quantity_steps, usage_step
from farthing.core.explain.wording import MOST_TERMS, count, money, name, number, quantity, total, unit_words
from farthing.core.rating.trace import CellTrace, ComponentTrace, FeesTrace, Rated, SegmentTrace
from farthing.core.usage.meter import Meter

BELOW = "the sum of the amounts below"


@dataclass(frozen=True, slots=True)
class Priced:
    """What the words need beside the trace: the currency, the meter if there is one, whether the quantity is licensed, and the share of the
    period that the price's minimum and maximum are held to."""

    currency: str
    meter: Meter | None
    licensed: bool
    bounds_share: Fraction = Fraction(1)

    def money(self, minor: Fraction) -> str:
        """An amount in words."""
        return money(minor, self.currency)


def price_steps(rated: Rated, priced: Priced) -> tuple[Step, ...]:
    """The steps that make the exact amount of a rated line, before its share and its rounding."""
    found = _bounded(rated, priced, _subtotal(rated, priced)) if rated.bound else _subtotal(rated, priced)
    return found + tuple(_unmatched(rated))


def _bounded(rated: Rated, priced: Priced, because: tuple[Step, ...]) -> tuple[Step, ...]:
    came_to, decided = priced.money(rated.subtotal), priced.money(rated.exact)
    which = "larger" if rated.bound == "minimum" else "smaller"
    step = Step(
        f"price_{rated.bound}",
        f"the price's {rated.bound}",
        f"{decided} = the {which} of {came_to} and {decided}",
        "",
        figures(subtotal=rated.subtotal, bound=rated.exact),
        (*_prorated(rated, priced), *because),
    )
    return (step,)


def _prorated(rated: Rated, priced: Priced) -> Iterator[Step]:
    """Where the price holds for a part of its period: its whole minimum or maximum, of which this is the part."""
    share = priced.bounds_share
    if share != 1:
        whole = rated.exact / share
        statement = f"{priced.money(rated.exact)} = {priced.money(whole)} × {number(share)}"
        label = f"the {rated.bound}'s part for a part of the period"
        yield Step("bound_share", label, statement, "", figures(share=share, whole=whole))


def _subtotal(rated: Rated, priced: Priced) -> tuple[Step, ...]:
    if len(rated.cells) == 1:
        return _cell(rated.cells[0], priced)
    statement = total(priced.money(rated.subtotal), [priced.money(cell.exact) for cell in rated.cells])
    if not rated.cells:
        return (Step("cells", "no usage in any part of the price", priced.money(rated.subtotal), "", figures(amount=rated.subtotal)),)
    note = BELOW if len(rated.cells) > MOST_TERMS else ""
    parts = tuple(_part(cell, priced) for cell in rated.cells)
    return (Step("cells", "all parts of the price", statement, note, figures(amount=rated.subtotal), parts),)


def _part(cell: CellTrace, priced: Priced) -> Step:
    return Step("cell", f"part {name(cell.label)}", priced.money(cell.exact), "", figures(amount=cell.exact), _cell(cell, priced))


def _unmatched(rated: Rated) -> Iterator[Step]:
    if rated.unmatched:
        label = "not billed"
        note = f"{count(rated.unmatched)} that no part of the price takes"
        yield Step("unmatched", label, "", note, figures(events=rated.unmatched))


def _cell(cell: CellTrace, priced: Priced) -> tuple[Step, ...]:
    if cell.fees is not None:
        return (_fees(cell, cell.fees, priced),)
    measured = quantity_steps(cell, priced.meter, priced.licensed)
    unit = charged_unit(cell, priced.meter)
    if not cell.segments:
        return (Step("price", "nothing is due for the quantity", priced.money(cell.exact), "", figures(amount=cell.exact), measured),)
    if len(cell.segments) == 1:
        return (_segment(cell.segments[0], cell, unit, priced, measured),)
    parts = tuple(_segment(segment, cell, unit, priced, ()) for segment in cell.segments)
    statement = total(priced.money(cell.exact), [priced.money(segment.amount) for segment in cell.segments])
    note = BELOW if len(parts) > MOST_TERMS else ""
    return (Step("tiers", "all tiers together", statement, note, figures(amount=cell.exact), parts + measured),)


def _segment(segment: SegmentTrace, cell: CellTrace, unit: str, priced: Priced, because: tuple[Step, ...]) -> Step:
    values = figures(
        tier=segment.index + 1,
        above=segment.lower,
        up_to=None if segment.upper is None else segment.upper,
        units=segment.units,
        unit_amount=segment.unit,
        flat_amount=segment.flat,
        amount=segment.amount,
    )
    return Step("tier", _tier(segment, cell), _charged(segment, unit, priced), "", values, because)


def _charged(segment: SegmentTrace, unit: str, priced: Priced) -> str:
    by_unit = f"{quantity(segment.units, unit)} × {priced.money(segment.unit)}"
    amount = priced.money(segment.amount)
    if not segment.flat:
        return f"{amount} = {by_unit}"
    flat = f"{priced.money(segment.flat)} flat"
    return f"{amount} = {flat}" if not segment.unit else f"{amount} = {by_unit} + {flat}"


def _tier(segment: SegmentTrace, cell: CellTrace) -> str:
    if segment.index == 0 and segment.upper is None:
        return "price"
    bounds = [f"above {number(segment.lower)}" if segment.index else "", f"up to {number(segment.upper)}" if segment.upper is not None else ""]
    whole = cell.steps[-1].after if cell.steps else cell.usage.quantity
    all_units = segment.index > 0 and segment.units == whole and segment.unit
    return f"tier {segment.index + 1}, {' '.join(part for part in bounds if part)}" + (", which prices all units" if all_units else "")


def _fees(cell: CellTrace, fees: FeesTrace, priced: Priced) -> Step:
    charged = [part for part in fees.components if part.events]
    others = [(fees.raised, "added by minimums"), (fees.capped, "taken off by maximums"), (fees.rounded, "by rounding each fee")]
    terms = [priced.money(part.amount) for part in charged] + [f"{priced.money(amount)} {words}" for amount, words in others if amount]
    statement = total(priced.money(fees.total), terms)
    values = figures(events=fees.events, free=fees.free, raised=fees.raised, capped=fees.capped, rounded=fees.rounded, amount=fees.total)
    free = f"{count(fees.free)} of {number(fees.events)} free" if fees.free else ""
    note = "; ".join(part for part in (BELOW if len(terms) > MOST_TERMS else "", free) if part)
    parts = (*(_component(part, priced) for part in charged), *_bounds(others, priced, terms), usage_step(cell.usage, priced.meter, priced.licensed))
    return Step("fees", "fees of single events", statement, note, values, parts)


def _component(part: ComponentTrace, priced: Priced) -> Step:
    label = f"fee {name(part.label)}" if part.label else "fee"
    rated = [f"{number(part.base)} {unit_words(part.of)} × {priced.money(part.rate)}"] if part.of and part.base else []
    fixed = [f"{count(part.events)} × {priced.money(part.fixed)}"] if part.fixed else []
    bounded = part.rate * part.base + part.fixed * part.events != part.amount
    of = f"units are those of property {name(part.of)}" if part.of and rated else ""
    held = f"{count(part.events)}, each held within the fee's own bounds" if bounded else ""
    note = "; ".join(words for words in (held, of) if words)
    statement = priced.money(part.amount) if bounded or not (rated or fixed) else total(priced.money(part.amount), [*rated, *fixed])
    values = figures(events=part.events, base=part.base, rate=part.rate, fixed=part.fixed, amount=part.amount)
    return Step("component", label, statement, note, values)


def _bounds(others: list[tuple[Fraction, str]], priced: Priced, terms: list[str]) -> Iterator[Step]:
    """The bounds and roundings of fees as steps of their own, where the statement leaves its terms out."""
    if len(terms) > MOST_TERMS:
        for amount, words in others:
            if amount:
                yield Step("fee_bound", words, priced.money(amount), "", figures(amount=amount))
