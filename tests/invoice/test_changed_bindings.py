"""Discounts and tax rates that change: between the periods of a price over the term, and inside a period that was billed in parts.

A price over the term: 119 in January, 214 in February, and 10 more for January when both are final; then all of it is taken back.
"""

from __future__ import annotations

from typing import Any

import pytest

from farthing.core.base.time import Instant, parse_instant
from farthing.core.catalog.terms import Grant
from farthing.core.events.event import Cancel, Event
from farthing.core.invoice.invoice import Line
from farthing.testing.world import World

MONTHLY = {"interval": "month", "anchor": "2025-01-01T00:00:00"}
ITEMS = [{"id": "calls", "description": "Calls", "price": "calls", "meter": "calls"}]
Row = tuple[int, tuple[tuple[str, int], ...], tuple[tuple[str, int, int], ...]]


def at(day: str) -> Instant:
    return parse_instant(f"2025-{day}T00:00:00Z")


def call(id_: str, day: str, value: int) -> Event:
    return Event(id_, "call", "c", at(day), {"value": str(value)})


def billed(first: dict[str, Any], second: dict[str, Any], **price: Any) -> World:
    """January under the first bindings, February under the second."""
    world = World()
    world.meter({"id": "calls", "event_name": "call", "default_aggregation": {"formula": "sum"}})
    world.price("calls", {"id": "calls-1", "currency": "usd", **_price(price), "ext": {"accumulate": "term"}})
    who = {"id": "k", "customer": "c", "currency": "usd", "starts_at": "2025-01-01T00:00:00Z", "billing": MONTHLY}
    world.contract({**who, "term": {**MONTHLY, "interval": "year"}, "items": ITEMS, **first})
    world.log(call("a", "01-10", 119))
    world.log(call("b", "02-10", 214))
    world.bill("k", at("02-01"))
    world.amend({"contract": "k", "effective_from": "2025-02-01T00:00:00Z", "items": ITEMS, **second})
    world.bill("k", at("03-01"))
    return world


def _price(tiers: dict[str, Any]) -> dict[str, Any]:
    return {"billing_scheme": "tiered", "tiers_mode": "graduated", **tiers} if tiers else {"unit_amount": 1}


def rows(lines: list[Line]) -> list[Row]:
    return [(line.amount, line.discount_parts, line.taxes) for line in lines]


def corrected(world: World) -> list[Line]:
    return [line for bill in world.correct("k") for line in bill.document.lines]


def tax(id_: str, percent: str, inclusive: bool = False) -> dict[str, Any]:
    return {"tax_rates": [{"id": id_, "percent": percent, "inclusive": inclusive}]}


TEN = {"discounts": [{"id": "ten", "percent": "10"}]}
CASES: list[tuple[str, dict[str, Any], dict[str, Any], list[Row], Row]] = [
    # January has none, and a late event of January has none
    ("a discount begins", {}, TEN, [(119, (), ()), (214, (("ten", 21),), ())], (10, (), ())),
    # 12 (11.9) off 119; of 129 it is 12.9
    ("a discount ends", TEN, {}, [(119, (("ten", 12),), ()), (214, (), ())], (10, (("ten", 1),), ())),
    # 19 of 119; of 129 it is 20.6
    (
        "contained",
        tax("in", "19", True),
        tax("in7", "7", True),
        [(119, (), (("in", 100, 19),)), (214, (), (("in7", 200, 14),))],
        (10, (), (("in", 8, 2),)),
    ),
    # 22.61 on 119; on 129 it is 24.51
    (
        "the rate of a tax",
        tax("vat", "19"),
        tax("vat", "7"),
        [(119, (), (("vat", 119, 23),)), (214, (), (("vat", 214, 15),))],
        (10, (), (("vat", 10, 2),)),
    ),
    ("a tax begins", {}, tax("vat", "19"), [(119, (), ()), (214, (), (("vat", 214, 41),))], (10, (), ())),
]


@pytest.mark.parametrize(("_name", "first", "second", "charges", "correction"), CASES)
def test_a_correction_of_an_earlier_month_is_bound_as_that_month_was(
    _name: str, first: dict[str, Any], second: dict[str, Any], charges: list[Row], correction: Row
) -> None:
    world = billed(first, second)
    assert rows([line for bill in world.bills for line in bill.document.lines]) == charges
    world.log(call("late", "01-11", 10))
    assert rows(corrected(world)) == [correction]
    for id_ in ("a", "b", "late"):
        world.log(Cancel(id_, "call"))
    corrected(world)
    for issued in world.issued("k"):
        assert (issued.amount, issued.discount, [(taxable, tax) for _, taxable, tax in issued.taxes if taxable or tax]) == (0, 0, [])
    assert sum(bill.document.total for bill in world.bills) == 0


def test_a_correction_in_one_month_that_moves_the_tiers_of_the_next_is_a_line_for_each() -> None:
    """Ten calls at 100 and then 40: January takes the dear ones, and what it gives up falls to February."""
    world = billed(TEN, tax("vat", "20"), tiers=[{"up_to": 10, "unit_amount": 100}, {"up_to": "inf", "unit_amount": 40}])
    assert rows([line for bill in world.bills for line in bill.document.lines]) == [
        (5360, (("ten", 536),), ()),
        (8560, (), (("vat", 8560, 1712),)),
    ]
    world.log(Cancel("a", "call"))
    assert rows(corrected(world)) == [(-5360, (("ten", -536),), ()), (600, (), (("vat", 600, 120),))]


def part_of(discounts: list[dict[str, Any]], later: dict[str, Any]) -> World:
    """January billed up to the 10th with discounts and VAT of 20 %: 1000. Then other terms from the 14th on."""
    world = World()
    world.meter({"id": "calls", "event_name": "call", "default_aggregation": {"formula": "sum"}})
    world.price("calls", {"id": "calls-1", "currency": "usd", "unit_amount": 1})
    who = {"id": "k", "customer": "c", "currency": "usd", "starts_at": "2025-01-01T00:00:00Z", "billing": MONTHLY}
    world.contract({**who, "items": ITEMS, "discounts": discounts, **tax("vat", "20")})
    world.log(call("a", "01-05", 1000))
    world.part("k", at("01-10"))
    world.amend({"contract": "k", "effective_from": "2025-01-14T00:00:00Z", "items": ITEMS, **later})
    return world


def test_what_a_part_was_charged_is_measured_against_the_whole_period() -> None:
    """Discount and tax are those of the end of the period, of all of it; what the part carried is taken off."""
    world = part_of(TEN["discounts"], {"discounts": [{"id": "ten", "percent": "20"}], **tax("vat", "19")})
    world.log(call("b", "01-20", 500))
    made = [line for bill in world.bill("k", at("02-01")) for line in bill.document.lines]
    assert rows(made) == [(500, (("ten", 200),), (("vat", 300, 48),))]  # 20 % of 1500, less 100; 19 % of 1200 is 228, less 180


def test_a_period_that_comes_to_nothing_leaves_nothing_of_its_part() -> None:
    world = part_of([{"id": "forty", "percent": "40"}], {"discounts": [], "tax_rates": []})
    assert [bill.document.total for bill in world.bills] == [720]
    world.log(Cancel("a", "call"))
    (final,) = world.bill("k", at("02-01"))
    assert rows(list(final.document.lines)) == [(-1000, (("forty", -400),), (("vat", -600, -120),))]
    assert (final.document.total, final.document.corrects) == (-720, ("INV-1",))


@pytest.mark.parametrize("applies", ["before_tax", "after_tax"])
def test_a_period_that_is_less_than_its_part_gives_the_credit_back(applies: Any) -> None:
    world = part_of([], {"discounts": [], **tax("vat", "20")})
    world.bills.clear()
    world.grant(Grant("gift", "usd", 5000, applies))
    world.part("k", at("01-10"))
    assert [bill.document.due for bill in world.bills] == [0]
    world.log(Cancel("a", "call"))
    (final,) = world.bill("k", at("02-01"))
    assert (final.document.due, world.grants["gift"].remaining) == (0, 5000)


def test_a_fixed_discount_waits_for_the_periods_own_bill_even_where_nothing_is_left_to_bill() -> None:
    world = part_of([], {"discounts": [{"id": "off", "amount": 50}], **tax("vat", "20")})
    assert [bill.document.total for bill in world.bills] == [1200]
    (final,) = world.bill("k", at("02-01"))
    assert rows(list(final.document.lines)) == [(0, (("off", 50),), (("vat", -50, -10),))]
    assert final.document.total == -60
    assert world.correct("k") == []
