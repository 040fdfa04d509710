"""The naive way from events that count to amounts: the meters of naive_meters before the prices of naive_pricing.

Imports nothing from the package. The folder tests/reference has to be on sys.path.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from naive_document import Price
from naive_meters import aggregation_of, group_of, measure_usage, passing, properties_of
from naive_pricing import (
    LARGEST,
    ON_CELLS,
    ON_EVENTS,
    ROUNDINGS,
    Event,
    band_of_time,
    cell_of_matrix,
    hold_maximum,
    hold_minimum,
    rate_matrix,
    rate_percentage,
    rate_quantity,
    rate_rate_card,
    rate_time_of_use,
)
from naive_values import Faults

Group = tuple[str, ...]


@dataclass
class Answer:
    """What one group of one customer comes to: `lines` by label (exact, amount); only what is not zero is in them."""

    quantity: Fraction = Fraction(0)
    events: int = 0
    set_aside: int = 0
    unmatched: int = 0
    lines: dict[str, tuple[Fraction, int]] = field(default_factory=dict)
    codes: list[str] = field(default_factory=list)


def naive_way(meter: dict[str, Any], price: Price, events: list[dict[str, Any]], start: int, end: int) -> dict[Group, Answer]:
    """What the events of one customer come to, by group. Without group-by there is always the one group ()."""
    named = passing(meter, [event for event in events if event["event_name"] == meter["event_name"] and event["at"] < end])
    groups: dict[Group, list[dict[str, Any]]] = {} if meter.get("ext", {}).get("group_by") else {(): []}
    for event in named:
        groups.setdefault(group_of(meter, event), []).append(event)
    weighted = aggregation_of(meter) == "time_weighted" and price.model not in ON_EVENTS
    return {
        group: answer(meter, price, members, start, end)
        for group, members in groups.items()
        if group == () or weighted or any(event["at"] >= start for event in members)
    }


def answer(meter: dict[str, Any], price: Price, members: list[dict[str, Any]], start: int, end: int) -> Answer:
    found, faults = Answer(), Faults()
    if price.model in ON_EVENTS:
        lines = lines_of_fees(price, [event for event in members if start <= event["at"] < end], found, faults)
    else:
        shares = [members] if price.model not in ON_CELLS else shares_of(price, members, found, start)
        usages = [measure_usage(meter, share, start, end) for share in shares]
        for usage in usages:
            found.quantity += usage["quantity"]
            found.events += usage["events"]
            found.set_aside += usage["set_aside"]
        lines = lines_of_quantities(price, [usage["quantity"] for usage in usages], faults)
    if not faults.found:
        bill(price, lines, found, faults)
    found.codes = [code for code, _ in faults.found]
    return found


def as_event(event: dict[str, Any]) -> Event:
    return Event(event["position"], event["at"], properties_of(event))


def lines_of_fees(price: Price, inside: list[dict[str, Any]], found: Answer, faults: Faults) -> list[Fraction]:
    """Events without a number that their fee needs are set aside."""
    rate = rate_percentage if price.model == "percentage" else rate_rate_card
    readable = []
    for event in (as_event(one) for one in inside):
        alone = Faults()
        rate(price, [event], alone)
        if not alone.found:
            readable.append(event)
    found.quantity, found.events, found.set_aside = Fraction(len(readable)), len(readable), len(inside) - len(readable)
    return rate(price, readable, faults)


def shares_of(price: Price, members: list[dict[str, Any]], found: Answer, start: int) -> list[list[dict[str, Any]]]:
    """The events of each cell; those inside the period that no cell takes are unmatched."""
    shares: list[list[dict[str, Any]]] = [[] for _ in labels_of(price)]
    for event in members:
        one = as_event(event)
        place = cell_of_matrix(price, one) if price.model == "matrix" else band_of_time(price, one)
        if place is not None:
            shares[place].append(event)
        elif event["at"] >= start:
            found.unmatched += 1
    return shares


def lines_of_quantities(price: Price, quantities: list[Fraction], faults: Faults) -> list[Fraction]:
    if price.model == "matrix":
        return rate_matrix(price, quantities, "events", faults)
    if price.model == "time_of_use":
        return rate_time_of_use(price, quantities)
    return rate_quantity(price, quantities[0], "quantity", faults)


def labels_of(price: Price) -> list[str]:
    body = price.body
    last = {"matrix": "default", "time_of_use": "rest"}
    named = body.get("cells") or body.get("bands") or body.get("rules") or []
    rest = body.get(last.get(price.model, ""))
    return [str(one["label"]) for one in [*named, *([rest] if rest else [])]]


def bill(price: Price, lines: list[Fraction], found: Answer, faults: Faults) -> None:
    """Minimum, then maximum, then rounding; once for all cells, or once for each where each is a line."""
    each = price.body.get("line_per_cell")
    named = zip(labels_of(price), lines, strict=True) if each else [("", sum(lines, Fraction(0)))]
    for label, line in named:
        exact = hold_maximum(price, hold_minimum(price, line))
        amount = ROUNDINGS[price.modifiers["rounding"]](exact)
        if abs(amount) > LARGEST:
            faults.add("amount_too_large", None)
        if exact or amount:
            found.lines[label] = (exact, amount)
