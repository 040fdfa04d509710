"""How terms are rated: the program and the licensed amount that every engine starts from, and the core's own way from events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

from farthing.core.base.refusal import Refusal
from farthing.core.catalog.terms import Group, PriceVersion, Terms
from farthing.core.contract.refusals import CONTRACT_METER_UNFIT
from farthing.core.events.event import Event
from farthing.core.rating.compile import compile_price
from farthing.core.rating.interpret import rate_events, rate_quantity
from farthing.core.rating.program import Program
from farthing.core.rating.trace import Rated
from farthing.core.usage.meter import Aggregation
from farthing.core.usage.select import by_group


def compiled_program(terms: Terms) -> Program:
    """The program that rates the terms: that of the price, for usage with its bounds held to what the segment is.

    Errors: contract_meter_unfit for a level by time of day: what holds between events falls into no band by an event.
    """
    program = compile_price(terms.price.document).program
    if terms.meter is None:
        return program
    if terms.meter.aggregation is Aggregation.TIME_WEIGHTED and program.by_time_of_day:
        raise Refusal(CONTRACT_METER_UNFIT, f"price {terms.price.id!r} is by time of day, and meter {terms.meter.id!r} measures a level.", "price")
    return prorated(program, terms)


def prorated(program: Program, terms: Terms) -> Program:
    """The program with its minimum and maximum scaled to the part of the period that a segment covers, and without its minimum while
    more of the segment is billed later. Usage is never prorated."""
    minimum = None if program.minimum is None or terms.open else program.minimum * terms.share
    maximum = None if program.maximum is None else program.maximum * terms.share
    return program if (minimum, maximum) == (program.minimum, program.maximum) else replace(program, minimum=minimum, maximum=maximum)


def rate_licensed(terms: Terms) -> Rated:
    """What a licensed quantity comes to for a whole period; the segment's share of it is taken afterwards."""
    return rate_quantity(compile_price(terms.price.document).program, terms.quantity or Fraction(0))


def rate_terms(terms: Terms, events: Iterable[Event]) -> Mapping[Group, tuple[Rated, ...]]:
    """The rated lines of terms by group, event by event in exact fractions. `events` hold at least the customer's events in the metered
    span; those before it count for a time-weighted meter, where the price is of its level. A meter without group-by always has the one
    group (); with group-by a group exists once an event falls into it. Errors: those of the price (quantity_negative, amount_too_large)."""
    if terms.meter is None:
        return {(): (rate_licensed(terms),)}
    program = compiled_program(terms)
    carries = terms.meter.aggregation is Aggregation.TIME_WEIGHTED and any(cell.curve is not None for cell in program.cells)
    mine = (event for event in events if event.customer == terms.customer)
    groups = by_group(terms.meter, (event for event in mine if event.at in terms.metered or (carries and event.at < terms.metered.start)))
    if not terms.meter.group_by:
        groups.setdefault((), [])
    return {group: rate_events(program, terms.meter, found, terms.metered) for group, found in groups.items()}


def over_term(version: PriceVersion) -> bool:
    """Whether a price accumulates over the contract's term instead of the billing period."""
    return compile_price(version.document).accumulate == "term"
