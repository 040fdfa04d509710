"""Random histories of one contract: facts that come late, twice, wrong and out of order, amendments, repaired prices, bills at any time.

A history is a list of steps, plain data, told to a world by `play`. Times lie in the first three months of 2025 or just beside them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from farthing.core.base.time import Instant, Interval, parse_instant, show_instant
from farthing.core.base.timeline import FOREVER
from farthing.core.catalog.terms import Grant
from farthing.core.events.event import Cancel, Event, Replace
from farthing.testing.world import World

Step = tuple[Any, ...]
MONTHS = tuple(parse_instant(f"2025-{month:02}-01T00:00:00Z") for month in range(1, 7))
HOUR = 3_600_000_000
INF = "inf"

METERS = (
    {"id": "calls", "event_name": "call", "default_aggregation": {"formula": "sum"}},
    {"id": "regions", "event_name": "call", "default_aggregation": {"formula": "sum"}, "ext": {"group_by": ["region"]}},
    {"id": "peak", "event_name": "call", "ext": {"aggregation": "max"}},
    {"id": "level", "event_name": "level", "ext": {"aggregation": "time_weighted", "per": "day"}},
)
USAGE = {
    "unit": {"unit_amount_decimal": "33.3"},
    "unit2": {"unit_amount": 7},
    "graduated": {"tiers_mode": "graduated", "tiers": [{"up_to": 10, "unit_amount": 100}, {"up_to": INF, "unit_amount_decimal": "40.5"}]},
    "flat": {"tiers_mode": "graduated", "tiers": [{"up_to": 5, "flat_amount": 500}, {"up_to": INF, "unit_amount": 3}]},
    "volume": {"tiers_mode": "volume", "tiers": [{"up_to": 10, "unit_amount": 100}, {"up_to": INF, "unit_amount": 50}]},
    "package": {"ext": {"package": {"size": 7, "amount": 90}}},
    "minimum": {"unit_amount": 5, "ext": {"minimum": {"amount": 301}}},
    "capped": {"unit_amount": 50, "ext": {"maximum": {"amount": 999}}},
    "term": {"tiers_mode": "graduated", "tiers": [{"up_to": 20, "unit_amount": 10}, {"up_to": INF, "unit_amount": 1}], "ext": {"accumulate": "term"}},
    "cells": {
        "ext": {
            "matrix": {
                "dimensions": ["region"],
                "cells": [{"match": {"region": "eu"}, "unit_amount": 11}, {"match": {"region": "us"}, "unit_amount": 13}],
                "default": {"unit_amount": 2},
            }
        }
    },
}
SEATS = {
    "month": {"unit_amount": 1001},
    "tiered": {"tiers_mode": "volume", "tiers": [{"up_to": 3, "unit_amount": 900}, {"up_to": INF, "unit_amount": 700}]},
}


def price(id_: str, document: dict[str, Any]) -> dict[str, Any]:
    return {"id": id_, "currency": "usd", **({"billing_scheme": "tiered"} if "tiers" in document else {}), **document}


@st.composite
def agreements(draw: st.DrawFn) -> dict[str, Any]:
    """Up to three items, with discounts and tax rates."""
    items: list[dict[str, Any]] = []
    for meter, lineage in (
        ("calls", "usage"),
        (draw(st.sampled_from(("regions", "peak", "level", "calls"))), draw(st.sampled_from(("other", "usage")))),
    ):
        if draw(st.integers(0, 4)):
            items.append({"id": f"i-{len(items)}", "description": meter, "price": lineage, "meter": meter})
    if draw(st.integers(0, 2)) == 0:
        quantity = str(draw(st.sampled_from((1, 3, "0", "0.5"))))
        items.append({"id": "ahead", "description": "Base", "price": "seats", "quantity": quantity, "in_advance": True})
    if draw(st.booleans()) or not items:
        items.append({"id": "seats", "description": "Seats", "price": "seats", "quantity": str(draw(st.sampled_from((1, 2, 5, "0", "2.5"))))})
    discounts = draw(st.lists(st.sampled_from(({"id": "ten", "percent": "10"}, {"id": "third", "percent": "33.3", "items": ["i-0"]},
                                               {"id": "off", "amount": 250})), unique_by=lambda d: d["id"], max_size=2))  # fmt: skip
    rates = draw(st.sampled_from(([], [{"id": "vat", "percent": "20"}], [{"id": "in", "percent": "19", "inclusive": True}],
                                  [{"id": "in", "percent": "7", "inclusive": True}, {"id": "city", "percent": "1.5"}])))  # fmt: skip
    return {"items": items, "discounts": discounts, "tax_rates": rates}


def instants() -> st.SearchStrategy[Instant]:
    """Any hour of the months, their boundaries, and the microseconds beside these."""
    beside = st.tuples(st.sampled_from(MONTHS[:4]), st.integers(-1, 1)).map(sum)
    return st.one_of(st.integers(0, 24 * 90).map(lambda n: MONTHS[0] + n * HOUR), beside)


def spans() -> st.SearchStrategy[tuple[Instant, Instant]]:
    pair = st.tuples(instants(), st.one_of(st.just(FOREVER), instants()))
    return pair.filter(lambda p: p[0] < p[1])


def events() -> st.SearchStrategy[Step]:
    ids = st.integers(1, 5).map(lambda n: f"e{n}")
    values = st.sampled_from(("1", "2", "3.5", "9", "10", "11", "0", "0.333", "broken"))
    return st.tuples(
        st.just("event"), ids, st.sampled_from(("call", "call", "call", "level")), instants(), values, st.sampled_from(("eu", "us", "x", ""))
    )


def steps() -> st.SearchStrategy[Step]:
    ids = st.integers(1, 5).map(lambda n: f"e{n}")
    return st.one_of(
        events(),
        events(),
        events(),
        st.tuples(st.just("cancel"), ids, st.sampled_from(("call", "call", "call", "level"))),
        st.tuples(st.just("cancel"), st.just("e1"), st.just("call")),
        st.tuples(st.just("replace"), ids, events()),
        st.tuples(st.just("amend"), spans(), agreements()),
        st.tuples(st.just("price"), st.sampled_from(("usage", "other")), st.sampled_from(sorted(USAGE)), spans()),
        st.tuples(st.just("price"), st.just("seats"), st.sampled_from(sorted(SEATS)), spans()),
        st.tuples(st.just("bill"), st.sampled_from(MONTHS[1:5])),
        st.tuples(st.just("bill"), st.sampled_from(MONTHS[1:4])),
        st.tuples(st.just("correct")),
        st.tuples(st.just("part"), instants()),
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """Usage, a first bill or a part of it, what comes after it, further bills, and what comes after these."""
    phases: list[Step] = draw(st.lists(events(), min_size=1, max_size=5))
    for _ in range(draw(st.integers(1, 3))):
        phases.append(draw(st.one_of(st.tuples(st.just("bill"), st.sampled_from(MONTHS[1:4])), st.tuples(st.just("part"), instants()))))
        phases += draw(st.lists(steps(), min_size=1, max_size=5))
    return phases


@st.composite
def openings(draw: st.DrawFn) -> tuple[dict[str, Any], str, str, list[Grant]]:
    """The contract, the prices it begins with, and its credits."""
    start = draw(st.sampled_from(("2025-01-01T00:00:00Z", "2025-01-11T06:00:00Z")))
    ends = draw(st.sampled_from((None, None, "2025-03-20T00:00:00Z")))
    anchor = draw(st.sampled_from(("2025-01-01T00:00:00", "2024-12-31T00:00:00", "2025-01-15T00:00:00")))
    contract = {
        "id": "k",
        "customer": "c",
        "currency": "usd",
        "starts_at": start,
        "ends_at": ends,
        "billing": {"interval": "month", "anchor": anchor, "time_zone": draw(st.sampled_from(("UTC", "Europe/London", "America/New_York")))},
        "term": {"interval": "month", "interval_count": 3, "anchor": anchor},
        "below_zero": draw(st.sampled_from(("credit_note", "balance"))),
        **draw(agreements()),
    }
    grants = [Grant("g1", "usd", 700, "before_tax", 1), Grant("g2", "usd", 150, "before_tax", 2), Grant("p", "usd", 400, "after_tax")]
    picked = draw(st.sets(st.sampled_from(grants), max_size=3))
    return contract, draw(st.sampled_from(sorted(USAGE))), draw(st.sampled_from(sorted(USAGE))), sorted(picked, key=lambda grant: grant.id)


def opened(opening: tuple[dict[str, Any], str, str, list[Grant]], world: World | None = None) -> World:
    """A world (a new one, if none is given) with the contract in it."""
    contract, usage, other, grants = opening
    world = world or World()
    for meter in METERS:
        world.meter(meter)
    world.price("usage", price("usage-0", USAGE[usage]))
    world.price("other", price("other-0", USAGE[other]))
    world.price("seats", price("seats-0", SEATS["month"]))
    world.contract(contract)
    for grant in grants:
        world.grant(grant)
    return world


def event_of(step: Step) -> Event:
    _, id_, name, at, value, region = step
    return Event(id_, name, "c", at, {"value": value, **({"region": region} if region else {})})


def play(world: World, history: Iterable[Step]) -> None:
    """Do what the steps say, in order."""
    for step in history:
        match step:
            case ("event", *_):
                world.log(event_of(step))
            case ("cancel", target, name):
                world.log(Cancel(target, name))
            case ("replace", target, event):
                if target != event[1]:
                    world.log(Replace(target, event_of(event)))
            case ("amend", (start, end), agreement):
                until = {} if end == FOREVER else {"effective_until": show_instant(end)}
                if world.contracts["k"].active.overlap(Interval(start, end)):  # an amendment outside is refused
                    world.amend({"contract": "k", "effective_from": show_instant(start), **until, **agreement})
            case ("price", lineage, name, (start, end)):
                document = (SEATS if lineage == "seats" else USAGE)[name]
                world.price(lineage, price(f"{lineage}-{world.revision}", document), Interval(start, end))
            case ("bill", until):
                world.bill("k", until)
            case ("correct",):
                world.correct("k")
            case ("part", at):
                part(world, at)
    world.bill("k", MONTHS[5])
    world.correct("k")


def part(world: World, at: Instant) -> None:
    """A part-invoice, where the open period is the next to be billed and has not been billed to here."""
    contract = world.contracts["k"]
    if at not in contract.active:
        return
    period = contract.billing.period(contract.billing.index_at(at)).overlap(contract.active)
    if period is None or period.start == at or period in world.billed("k"):
        return
    reached = [one.period.end for one in world.bills if one.part and one.period is not None and one.period.overlap(period)]
    if at > max(reached, default=period.start):
        world.part("k", at)
