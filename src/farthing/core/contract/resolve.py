"""A contract → its terms: what is to be rated for one billing period, as known at a revision.

versions ─► agreements in force ─► items ─► price versions ─► segments ─► terms
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Instant, Interval, show_instant
from farthing.core.base.timeline import Span, Version, overlay, within
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
    """A stretch of time over which one item is rated without a break: same price version, meter and quantity."""

    interval: Interval
    item: Item
    agreement: Agreement
    price: PriceVersion


def periods_due(contract: Contract, up_to: Instant) -> Iterator[Interval]:
    """The billing periods that have ended by `up_to`, in order, each clipped to the contract's active span. They tile it."""
    for whole in contract.billing.periods_within(contract.active):
        period = whole.overlap(contract.active)
        if period is None or period.end > up_to:
            return
        yield period


def terms_for(contract: Contract, period: Interval, shelf: Shelf, known: int) -> tuple[Terms, ...]:
    """What is to be rated for one billing period, as known at revision `known`: by item in the agreement's order, then by time.

    A new segment begins where the price version, or the item's price, meter or quantity changes, and nowhere else. Prices that
    accumulate over the term have the segment's stretch inside the term, metered up to the period's end. Discounts and tax rates
    are those in force in the last microsecond of the segment inside the period.
    Errors: contract_price_missing, contract_meter_missing, contract_currency_differs, contract_term_missing.
    """
    agreements = overlay(contract.versions, known)
    found = [
        terms
        for stretch in _stretches(agreements, contract.active, period, shelf, known)
        for terms in _terms(contract, period, stretch, shelf, agreements)
    ]
    order = {item.id: place for place, item in enumerate(_items(agreements, period))}
    return tuple(sorted(found, key=lambda terms: (order.get(terms.item, len(order)), terms.service.start, terms.price.lineage)))


def _items(agreements: Sequence[Span[Agreement]], period: Interval) -> list[Item]:
    return [item for span in within(agreements, period) for item in span.value.items]


def _stretches(agreements: Sequence[Span[Agreement]], active: Interval, period: Interval, shelf: Shelf, known: int) -> list[_Stretch]:
    """Every item's stretches over the whole active span, neighbours that do not differ merged."""
    pieces = [
        _Stretch(part.interval, item, span.value, part.value)
        for span in within(agreements, active)
        for item in span.value.items
        for part in _priced(item, span.interval, period, shelf, known)
    ]
    merged: dict[str, list[_Stretch]] = {}
    for piece in sorted(pieces, key=lambda piece: piece.interval.start):
        row = merged.setdefault(piece.item.id, [])
        if row and _continues(row[-1], piece):
            row[-1] = _Stretch(Interval(row[-1].interval.start, piece.interval.end), piece.item, piece.agreement, piece.price)
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
    same = (before.item.price, before.item.meter, before.item.quantity, before.price.id) == (
        after.item.price,
        after.item.meter,
        after.item.quantity,
        after.price.id,
    )
    return same and before.interval.end == after.interval.start


def _terms(contract: Contract, period: Interval, stretch: _Stretch, shelf: Shelf, agreements: Sequence[Span[Agreement]]) -> Iterator[Terms]:
    service = stretch.interval.overlap(period)
    if service is None:
        return
    if stretch.price.document.get("currency", "").lower() != contract.currency:
        raise Refusal(CONTRACT_CURRENCY_DIFFERS, f"price {stretch.price.id!r} is not in {contract.currency}.", "items")
    segments = _term_segments(contract, stretch, service) if shelf.over_term(stretch.price) else (service,)
    for part in segments:
        inside = part.overlap(service)
        if inside is None:
            continue
        last = within(agreements, Interval(inside.end - 1, inside.end))[0].value
        yield Terms(
            customer=contract.customer,
            contract=contract.id,
            item=stretch.item.id,
            description=stretch.item.description,
            currency=contract.currency,
            price=stretch.price,
            meter=_meter(stretch.item, shelf),
            quantity=stretch.item.quantity,
            segment=part,
            metered=Interval(part.start, inside.end),
            service=inside,
            share=_share(contract, inside),
            discounts=last.discounts,
            tax_rates=last.tax_rates,
        )


def _term_segments(contract: Contract, stretch: _Stretch, service: Interval) -> tuple[Interval, ...]:
    """The parts of the stretch in each term that the service touches."""
    if contract.term is None:
        raise Refusal(CONTRACT_TERM_MISSING, f"price {stretch.price.id!r} accumulates over a term that {contract.id!r} does not have.", "term")
    parts = (stretch.interval.overlap(term) for term in contract.term.periods_within(service))
    return tuple(part for part in parts if part is not None)


def _share(contract: Contract, service: Interval) -> Fraction:
    """The exact part of the whole billing period, by elapsed time."""
    whole = contract.billing.period(contract.billing.index_at(service.start))
    return Fraction(service.end - service.start, whole.end - whole.start)


def _meter(item: Item, shelf: Shelf) -> Meter | None:
    if item.meter is None:
        return None
    if item.meter not in shelf.meters:
        raise Refusal(CONTRACT_METER_MISSING, f"meter {item.meter!r} of item {item.id!r} does not exist.", "items")
    return shelf.meters[item.meter]
