"""A contract → its terms: what is to be rated for one billing period, as known at a revision.

versions ─► agreements in force ─► items ─► price versions ─► segments ─► terms
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Instant, Interval, show_instant
from farthing.core.base.timeline import Span, Version, merged, overlay, within
from farthing.core.catalog.price import rated_alike, rated_fields
from farthing.core.catalog.terms import PriceVersion, Terms
from farthing.core.contract.contract import Agreement, Contract, Item
from farthing.core.contract.refusals import CONTRACT_CURRENCY_DIFFERS, CONTRACT_METER_MISSING, CONTRACT_PRICE_MISSING, CONTRACT_TERM_MISSING
from farthing.core.usage.meter import Meter


@dataclass(frozen=True, slots=True)
class Shelf:
    """What contracts choose from: all versions of prices by lineage, meters by id, and which prices accumulate over the term."""

    prices: Mapping[str, Sequence[Version[PriceVersion]]]
    meters: Mapping[str, Meter]
    over_term: Callable[[PriceVersion], bool]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A stretch of time over which one item is rated without a break: same meter and quantity, and price versions that say the same (the
    last of them stands for all)."""

    interval: Interval
    item: Item
    price: PriceVersion


@dataclass(frozen=True, slots=True)
class Due:
    """What one bill is due for: the billing period that has ended (None on the first bill of a contract with items billed in advance), and
    the one that begins, whose items in advance it bills (None where the contract has none, or has ended)."""

    period: Interval | None
    ahead: Interval | None = None


def bills_due(contract: Contract, up_to: Instant) -> Iterator[Due]:
    """The bills of a contract that are due by `up_to`, in order: one at the end of each billing period, and, where the contract has items
    that are billed in advance, one at its start."""
    if not contract.in_advance:
        yield from (Due(period) for period in periods_due(contract, up_to))
        return
    before: Interval | None = None
    for whole in contract.billing.periods_within(contract.active):
        period = whole.overlap(contract.active)
        if period is None or period.start > up_to:
            return
        yield Due(before, period)
        before = period
    if before is not None and before.end <= up_to:
        yield Due(before)


def periods_due(contract: Contract, up_to: Instant) -> Iterator[Interval]:
    """The billing periods that have ended by `up_to`, in order, each clipped to the contract's active span. They tile it."""
    for whole in contract.billing.periods_within(contract.active):
        period = whole.overlap(contract.active)
        if period is None or period.end > up_to:
            return
        yield period


def terms_for(contract: Contract, period: Interval, shelf: Shelf, known: int, in_advance: bool | None = None) -> tuple[Terms, ...]:
    """What is to be rated for one billing period, as known at revision `known`: by item in the agreement's order, then by time; only the
    items that are billed in advance, or only the others, where `in_advance` says so.

    A new segment begins where what the price says, or the item's price, meter or quantity changes, and nowhere else. `period` may also
    be the first part of a billing period: what is metered then ends with it, and segments that go on stay open. Prices that
    accumulate over the term have the segment's stretch inside the term, of which the period is billed what it adds; that is about usage,
    so licensed items never do. What an item is called, discounts and tax rates are those in force in the last microsecond of the segment
    inside `period`.
    Errors: contract_price_missing, contract_meter_missing, contract_currency_differs, contract_term_missing.
    """
    agreements = within(overlay(contract.versions, known), contract.active)
    found = [
        terms
        for stretch in _stretches(agreements, period, shelf, known, in_advance)
        for terms in _terms(contract, period, stretch, shelf, agreements)
    ]
    order = list(dict.fromkeys(item.id for span in within(agreements, period) for item in span.value.items))
    return tuple(sorted(found, key=lambda terms: (order.index(terms.item), terms.service.start)))


def agreed(contract: Contract, item: str, interval: Interval, known: int) -> tuple[Span[tuple[object, ...]], ...]:
    """What a revision says about one item over an interval, as far as it matters to rating: (price, meter, quantity), neighbours that
    are equal merged, gaps where the item is not agreed. Two revisions that say the same give the same."""
    spans = within(overlay(contract.versions, known), interval)
    return merged(Span(span.interval, (one.price, one.meter, one.quantity)) for span in spans for one in span.value.items if one.id == item)


def priced(versions: Sequence[Version[PriceVersion]], interval: Interval, known: int) -> tuple[Span[dict[str, object]], ...]:
    """What a revision says about a price over an interval, as far as it matters to amounts, as `agreed` does about an item."""
    return merged(Span(span.interval, rated_fields(span.value.document)) for span in within(overlay(versions, known), interval))


def _stretches(agreements: Sequence[Span[Agreement]], period: Interval, shelf: Shelf, known: int, in_advance: bool | None) -> list[_Stretch]:
    """Every item's stretches over the whole active span, neighbours that do not differ merged."""
    pieces = [
        _Stretch(part.interval, item, part.value)
        for span in agreements
        for item in span.value.items
        if in_advance is None or item.in_advance == in_advance
        for part in _priced(item, span.interval, period, shelf, known)
    ]
    merged: dict[str, list[_Stretch]] = {}
    for piece in sorted(pieces, key=lambda piece: piece.interval.start):
        row = merged.setdefault(piece.item.id, [])
        if row and _continues(row[-1], piece):
            row[-1] = _Stretch(Interval(row[-1].interval.start, piece.interval.end), piece.item, piece.price)
        else:
            row.append(piece)
    return [stretch for row in merged.values() for stretch in row]


def _priced(item: Item, interval: Interval, period: Interval, shelf: Shelf, known: int) -> tuple[Span[PriceVersion], ...]:
    """The item's price versions over an interval; inside the period they must leave no gap."""
    spans = within(overlay(shelf.prices.get(item.price, ()), known), interval)
    needed = interval.overlap(period)
    if needed is not None:
        reached = needed.start
        for span in within(spans, needed):
            reached = span.interval.end if span.interval.start == reached else reached
        if reached < needed.end:
            raise Refusal(CONTRACT_PRICE_MISSING, f"price {item.price!r} of item {item.id!r} has no version at {show_instant(reached)}.", "items")
    return spans


def _continues(before: _Stretch, after: _Stretch) -> bool:
    same = (before.item.price, before.item.meter, before.item.quantity) == (after.item.price, after.item.meter, after.item.quantity)
    return same and rated_alike(before.price.document, after.price.document) and before.interval.end == after.interval.start


def _terms(contract: Contract, period: Interval, stretch: _Stretch, shelf: Shelf, agreements: Sequence[Span[Agreement]]) -> Iterator[Terms]:
    service = stretch.interval.overlap(period)
    if service is None:
        return
    if stretch.price.document.get("currency", "").lower() != contract.currency:
        raise Refusal(CONTRACT_CURRENCY_DIFFERS, f"price {stretch.price.id!r} is not in {contract.currency}.", "items")
    billed = contract.billing.period(contract.billing.index_at(service.start)).overlap(contract.active)
    for whole in _wholes(contract, stretch, service, shelf):
        kept = None if billed is None else whole.overlap(billed)
        segment, inside = stretch.interval.overlap(whole), service.overlap(whole)
        if kept is None or segment is None or inside is None:
            continue
        last = within(agreements, Interval(inside.end - 1, inside.end))[0].value
        yield Terms(
            customer=contract.customer,
            contract=contract.id,
            item=stretch.item.id,
            description=next(item.description for item in last.items if item.id == stretch.item.id),
            currency=contract.currency,
            price=stretch.price,
            meter=_meter(stretch.item, shelf),
            quantity=stretch.item.quantity,
            segment=segment,
            metered=Interval(segment.start, inside.end),
            service=inside,
            share=Fraction(segment.end - segment.start, whole.end - whole.start),
            discounts=last.discounts,
            tax_rates=last.tax_rates,
            key_end=kept.end,
            open=inside.end < segment.end,
            in_advance=stretch.item.in_advance,
        )


def _wholes(contract: Contract, stretch: _Stretch, service: Interval, shelf: Shelf) -> Iterator[Interval]:
    """The whole billing period that the service is in, or the whole terms, by which segments are cut and shares are measured."""
    if stretch.item.meter is None or not shelf.over_term(stretch.price):
        yield contract.billing.period(contract.billing.index_at(service.start))
        return
    if contract.term is None:
        raise Refusal(CONTRACT_TERM_MISSING, f"price {stretch.price.id!r} accumulates over a term that {contract.id!r} does not have.", "term")
    yield from contract.term.periods_within(service)


def _meter(item: Item, shelf: Shelf) -> Meter | None:
    if item.meter is None:
        return None
    if item.meter not in shelf.meters:
        raise Refusal(CONTRACT_METER_MISSING, f"meter {item.meter!r} of item {item.id!r} does not exist.", "items")
    return shelf.meters[item.meter]
