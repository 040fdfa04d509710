"""Bills inside a period: each bills what is new, none lowers the bill, and corrections of earlier periods leave them alone."""

from __future__ import annotations

from typing import Any

import pytest
from histories import MONTHS, price

from farthing.core.base.time import Instant, parse_instant
from farthing.core.catalog.terms import Grant
from farthing.core.events.event import Cancel, Event
from farthing.testing.world import World

MONTHLY = {"unit_amount": 10}
OVER_TERM = {
    "tiers_mode": "graduated",
    "tiers": [{"up_to": 10, "unit_amount": 100}, {"up_to": "inf", "unit_amount": 1}],
    "ext": {"accumulate": "term"},
}


def at(day: str) -> Instant:
    return parse_instant(f"2025-{day}T00:00:00Z")


def call(id_: str, day: str, value: int) -> Event:
    return Event(id_, "call", "c", at(day), {"value": str(value)})


def opened(document: dict[str, Any], **agreement: Any) -> World:
    world = World()
    world.meter({"id": "calls", "event_name": "call", "default_aggregation": {"formula": "sum"}})
    world.price("calls", price("calls-1", document))
    world.price("seats", price("seats-1", {"unit_amount": 1000}))
    billing = {"interval": "month", "anchor": "2025-01-01T00:00:00"}
    items = [
        {"id": "calls", "description": "Calls", "price": "calls", "meter": "calls"},
        {"id": "seats", "description": "Seats", "price": "seats", "quantity": 2},
    ]
    who = {"id": "k", "customer": "c", "currency": "usd", "starts_at": "2025-01-01T00:00:00Z"}
    world.contract({**who, "billing": billing, "term": {**billing, "interval": "year"}, "items": items, **agreement})
    return world


def amounts(bills: list[Any]) -> list[tuple[str, str, int]]:
    return [(line.kind, line.description, line.amount) for bill in bills for line in bill.document.lines]


@pytest.mark.parametrize("document", [MONTHLY, OVER_TERM])
def test_correcting_earlier_periods_leaves_an_open_part_alone(document: dict[str, Any]) -> None:
    world = opened(document)
    world.log(call("a", "01-10", 5))
    world.bill("k", MONTHS[1])
    world.log(call("b", "02-03", 4))
    world.part("k", at("02-05"))
    assert world.correct("k") == []
    world.log(call("late", "01-11", 1))
    world.correct("k")
    world.log(call("c", "02-20", 3))
    world.bill("k", MONTHS[2])
    billed = {one.key: one.amount for one in world.issued("k")}
    assert billed == world.from_scratch("k")


def test_a_term_price_is_billed_up_to_the_part_and_then_to_the_end() -> None:
    world = opened(OVER_TERM)
    world.log(call("a", "01-10", 5))
    assert amounts(world.bill("k", MONTHS[1])) == [("charge", "Calls", 500), ("charge", "Seats", 2000)]
    world.log(call("b", "02-03", 4))
    assert amounts(world.part("k", at("02-05"))) == [("charge", "Calls", 400)]
    world.log(call("late", "01-11", 1))
    assert amounts(world.correct("k")) == [("correction", "Calls", 100)]  # January's; the open February waits
    world.log(call("c", "02-20", 3))  # February has the units 7 to 13: four at 100, three at 1
    assert amounts(world.bill("k", MONTHS[2])) == [("charge", "Calls", 3), ("charge", "Seats", 2000)]


def test_a_part_bills_neither_licensed_items_nor_minimums_nor_fixed_discounts() -> None:
    world = opened({**MONTHLY, "ext": {"minimum": {"amount": 100}}}, discounts=[{"id": "off", "amount": 30}, {"id": "half", "percent": "50"}])
    world.log(call("a", "01-10", 4))
    (part,) = world.part("k", at("01-15"))
    assert amounts([part]) == [("charge", "Calls", 40)]
    assert part.document.lines[0].discount_parts == (("half", 20),)
    (final,) = world.bill("k", MONTHS[1])
    assert amounts([final]) == [("charge", "Calls", 60), ("charge", "Seats", 2000)]  # 100 in all
    assert (final.document.discount, final.document.total) == (30 + 1000 + 30, 1000)


def test_what_would_lower_a_part_waits_for_the_final_bill() -> None:
    world = opened(MONTHLY)
    world.log(call("a", "01-10", 4))
    world.part("k", at("01-15"))
    world.log(Cancel("a", "call"))
    assert world.part("k", at("01-20")) == []
    (final,) = world.bill("k", MONTHS[1])
    assert amounts([final]) == [("charge", "Calls", -40), ("charge", "Seats", 2000)]


def test_a_part_without_anything_new_makes_no_document() -> None:
    world = opened(MONTHLY)
    assert world.part("k", at("01-15")) == []
    assert [bill.document.period.start for bill in world.bill("k", MONTHS[1])] == [MONTHS[0]]


def test_the_invoice_behind_a_credit_note_is_settled_with_what_the_note_has_left() -> None:
    """January's late x and February's y were billed on one part, of which a grant paid 50: what is taken back on two documents gives
    back what each of them leaves."""
    grouped = {"id": "calls", "event_name": "call", "default_aggregation": {"formula": "sum"}, "ext": {"group_by": ["g"]}}
    world = World()
    world.meter(grouped)
    world.price("calls", {"id": "calls-1", "currency": "usd", "unit_amount": 1})
    item = {"id": "calls", "description": "Calls", "price": "calls", "meter": "calls"}
    who = {"id": "k", "customer": "c", "currency": "usd", "starts_at": "2025-01-01T00:00:00Z", "items": [item]}
    world.contract({**who, "billing": {"interval": "month", "anchor": "2025-01-01T00:00:00"}})
    world.grant(Grant("gift", "usd", 50, "after_tax"))

    def of(id_: str, day: str, value: int, group: str) -> Event:
        return Event(id_, "call", "c", at(day), {"value": str(value), "g": group})

    world.log(of("late", "01-20", 30, "y"))
    world.log(of("b", "02-02", 40, "x"))
    world.log(Cancel("late", "call"))
    world.bill("k", MONTHS[1])
    world.log(of("later", "01-21", 30, "y"))
    world.part("k", at("02-10"))
    assert [bill.document.due for bill in world.bills] == [0, 20]
    world.log(Cancel("later", "call"))
    world.log(Cancel("b", "call"))
    world.bill("k", MONTHS[2])
    assert sum(bill.document.due for bill in world.bills) == 0
    assert world.grants["gift"].remaining == 50
