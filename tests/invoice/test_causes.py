"""A correction names the facts that made it necessary, all of them, and none that did not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from farthing.core.base.time import Instant, Interval, parse_instant
from farthing.core.events.event import Cancel, Event, Fact, Replace
from farthing.core.invoice.causes import LateFact, News, carrying_names, touched
from farthing.core.invoice.difference import CAUSES_LISTED
from farthing.core.invoice.invoice import Line
from farthing.core.usage.meter import Aggregation, Meter
from farthing.testing.world import World

ITEMS = [
    {"id": "calls", "description": "Calls", "price": "calls", "meter": "calls"},
    {"id": "regions", "description": "Regions", "price": "regions", "meter": "regions"},
    {"id": "seats", "description": "Seats", "price": "seats", "quantity": "3"},
]


def at(text: str) -> Instant:
    return parse_instant(f"{text}T00:00:00Z" if "T" not in text else f"{text}Z")


def call(id_: str, day: str, value: str = "1", **properties: str) -> Event:
    return Event(id_, "call", "c", at(day), {"value": value, **properties})


@pytest.fixture
def world() -> World:
    """Three items, two calls in January, billed to the end of it."""
    made = World()
    made.meter({"id": "calls", "event_name": "call", "default_aggregation": {"formula": "sum"}, "ext": {}})
    made.meter({"id": "regions", "event_name": "call", "default_aggregation": {"formula": "count"}, "ext": {"group_by": ["region"]}})
    for lineage, amount in (("calls", 10), ("regions", 100), ("seats", 3100)):
        made.price(lineage, {"id": f"{lineage}-1", "currency": "usd", "unit_amount": amount})
    made.contract(
        {
            "id": "k",
            "customer": "c",
            "currency": "usd",
            "starts_at": "2025-01-01T00:00:00Z",
            "billing": {"interval": "month", "anchor": "2025-01-01T00:00:00"},
            "items": ITEMS,
        }
    )
    made.log(call("one", "2025-01-05", "4", region="eu"))
    made.log(call("two", "2025-01-06", "5", region="us"))
    made.bill("k", at("2025-02-01"))
    return made


def told(world: World, *facts: Fact) -> list[Line]:
    for fact in facts:
        world.log(fact)
    return [line for bill in world.correct("k") for line in bill.document.lines]


def named(line: Line) -> list[tuple[str, str, str]]:
    return [(cause.kind, cause.id, cause.at) for cause in line.causes]


def amend(world: World, start: str, items: list[dict[str, Any]], until: str | None = None) -> None:
    span = {"effective_from": f"{start}T00:00:00Z", **({"effective_until": f"{until}T00:00:00Z"} if until else {})}
    world.amend({"contract": "k", **span, "items": items})


def seats(quantity: str) -> list[dict[str, Any]]:
    return [*ITEMS[:2], {**ITEMS[2], "quantity": quantity}]


def test_each_fact_is_named_by_its_kind_its_id_and_its_place(world: World) -> None:
    lines = told(
        world, call("late", "2025-01-07", "2", region="eu"), Cancel("one", "call"), Replace("two", call("two'", "2025-01-06", "8", region="us"))
    )
    calls, regions_us = lines[0], lines[1:]
    assert named(calls) == [("event", "late", "position 3"), ("cancel", "one", "position 4"), ("replace", "two", "position 5")]
    assert calls.amount == (2 + 8) * 10 - 90
    assert regions_us == []  # still one event in each region


def test_events_of_other_groups_periods_customers_and_names_are_no_causes(world: World) -> None:
    lines = told(
        world,
        call("right", "2025-01-07", region="eu"),
        call("group", "2025-01-07", "0", region="us"),
        call("period", "2025-02-01", region="eu"),
        replace(call("customer", "2025-01-07", region="eu"), customer="d"),
        replace(call("name", "2025-01-07", region="eu"), event_name="put"),
    )
    by_region = {dict(line.key.group)["region"]: [cause.id for cause in line.causes] for line in lines if line.key.item == "regions"}
    assert by_region == {"eu": ["right"], "us": ["group"]}


def test_an_event_that_no_number_can_be_read_of_is_no_cause(world: World) -> None:
    (line,) = [line for line in told(world, call("broken", "2025-01-07", "x"), call("good", "2025-01-07", region="eu")) if line.key.item == "calls"]
    assert [cause.id for cause in line.causes] == ["good"]


def test_a_replacement_from_another_month_is_the_cause_there_as_well(world: World) -> None:
    world.bill("k", at("2025-03-01"))
    lines = told(world, Replace("one", call("one'", "2025-02-03", "4", region="eu")))
    assert {(line.key.item, line.amount, *named(line)) for line in lines} == {
        (item, amount, ("replace", "one", "position 3")) for item, amount in (("calls", -40), ("calls", 40), ("regions", -100), ("regions", 100))
    }


def test_a_group_that_is_new_in_a_billed_month_names_its_event(world: World) -> None:
    lines = told(world, call("asia", "2025-01-08", region="asia"))
    (line,) = [line for line in lines if line.key.item == "regions"]
    assert (line.kind, line.corrects, line.previously, line.amount) == ("correction", None, 0, 100)
    assert (line.description, named(line)) == ("Regions (region asia)", [("event", "asia", "position 3")])


def test_a_repaired_price_is_named_by_its_version_and_revision(world: World) -> None:
    world.price("calls", {"id": "calls-2", "currency": "usd", "unit_amount": 11})
    (line,) = told(world)
    assert (line.amount, named(line)) == (9, [("price", "calls-2", f"revision {world.revision}")])


def test_a_price_version_that_holds_elsewhere_is_no_cause(world: World) -> None:
    world.price("calls", {"id": "calls-2", "currency": "usd", "unit_amount": 11}, Interval(at("2025-02-01"), at("2025-03-01")))
    world.price("calls", {"id": "calls-3", "currency": "usd", "unit_amount": 12}, Interval(at("2025-01-01"), at("2025-02-01")))
    (line,) = told(world)
    assert [cause.id for cause in line.causes] == ["calls-3"]


def test_an_amendment_is_the_cause_of_what_it_changes_only(world: World) -> None:
    amend(world, "2025-01-01", seats("4"))
    revision = world.revision
    (line,) = told(world)
    assert (line.key.item, line.amount, named(line)) == ("seats", 3100, [("contract", "k", f"revision {revision}")])


def test_what_an_amendment_leaves_behind_it_names_it_too(world: World) -> None:
    """From 11 to 21 January four seats instead of three: what follows says what was agreed before, but as a segment of its own."""
    amend(world, "2025-01-11", seats("4"), until="2025-01-21")
    lines = told(world)
    assert [(line.service.start, line.amount) for line in lines] == [(at("2025-01-01"), -6300), (at("2025-01-11"), 4000), (at("2025-01-21"), 3300)]
    assert [named(line) for line in lines] == [[("contract", "k", f"revision {world.revision}")]] * 3


def test_what_a_price_version_leaves_behind_it_names_it_too(world: World) -> None:
    world.price("calls", {"id": "calls-2", "currency": "usd", "unit_amount": 11}, Interval(at("2025-01-02"), at("2025-01-06")))
    lines = told(world)
    assert [(line.service.start, line.amount) for line in lines] == [(at("2025-01-01"), -90), (at("2025-01-02"), 44), (at("2025-01-06"), 50)]
    assert [named(line) for line in lines] == [[("price", "calls-2", f"revision {world.revision}")]] * 3


def test_what_joins_two_segments_is_named_by_both(world: World) -> None:
    amend(world, "2025-01-11", seats("4"))
    told(world)
    amend(world, "2025-01-01", seats("4"), until="2025-01-11")
    lines = told(world)
    assert [(line.service.start, line.amount) for line in lines] == [(at("2025-01-01"), 12400 - 3000), (at("2025-01-11"), -8400)]
    assert [named(line) for line in lines] == [[("contract", "k", f"revision {world.revision}")]] * 2


def test_an_amendment_of_the_month_before_is_no_cause(world: World) -> None:
    world.bill("k", at("2025-03-01"))
    amend(world, "2025-01-11", seats("4"), until="2025-02-01")
    world.log(call("late", "2025-02-02", region="eu"))
    world.price("seats", {"id": "seats-2", "currency": "usd", "unit_amount": 3200}, Interval(at("2025-02-01"), at("2025-03-01")))
    february = [line for line in told(world) if line.service.start >= at("2025-02-01")]
    assert {cause.kind for line in february for cause in line.causes} == {"event", "price"}


def test_a_hundred_causes_are_listed_and_the_rest_counted(world: World) -> None:
    lines = told(world, *(call(f"n{n}", "2025-01-09", region="eu") for n in range(CAUSES_LISTED + 3)))
    assert [(len(line.causes), line.causes_more, line.causes[-1].id) for line in lines] == [(100, 3, "n99")] * 2


def test_a_removed_item_is_reversed_and_names_the_amendment(world: World) -> None:
    amend(world, "2025-01-01", ITEMS[:2])
    (line,) = told(world)
    assert (line.description, line.quantity, line.exact, line.amount) == ("Seats", -3, -9300, -9300)
    assert named(line) == [("contract", "k", f"revision {world.revision}")]


JANUARY = Interval(at("2025-01-01"), at("2025-02-01"))
FEBRUARY = Interval(at("2025-02-01"), at("2025-03-01"))


@pytest.mark.parametrize(
    ("day", "carrying", "periods"),
    [
        ("2025-01-01", frozenset(), [True, False]),
        ("2025-01-31T23:59:59.999999", frozenset(), [True, False]),
        ("2025-02-01", frozenset(), [False, True]),
        ("2025-01-31", frozenset({"call"}), [True, True]),
        ("2025-02-01", frozenset({"call"}), [False, True]),
        ("2024-12-31", frozenset({"level"}), [False, False]),
    ],
)
def test_an_event_is_about_its_period_and_a_level_about_all_that_follow(day: str, carrying: frozenset[str], periods: list[bool]) -> None:
    event = call("e", day)
    news = News(facts=(LateFact(1, event, event),))
    assert [touched(news, period, carrying) for period in (JANUARY, FEBRUARY)] == periods


def test_cancelling_what_nobody_knows_is_about_no_period() -> None:
    assert not touched(News(facts=(LateFact(1, Cancel("x", "call"), None),)), JANUARY, frozenset())


def test_levels_are_carried_by_time_weighted_meters() -> None:
    meters = (Meter("a", "level", Aggregation.TIME_WEIGHTED), Meter("b", "call", Aggregation.SUM))
    assert carrying_names(meters) == frozenset({"level"})
