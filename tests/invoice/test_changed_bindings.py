"""Corrections of a key that was charged over several periods between which its discounts or tax rates changed: each in proportion.

A price over the term: 119 in January, 214 in February, and 10 more for January when both are final; then all of it is taken back.
"""

from __future__ import annotations

from typing import Any

import pytest

from farthing.core.base.time import Instant, parse_instant
from farthing.core.events.event import Cancel, Event
from farthing.core.invoice.document import issued_from
from farthing.core.invoice.invoice import Line
from farthing.testing.world import World

MONTHLY = {"interval": "month", "anchor": "2025-01-01T00:00:00"}
ITEMS = [{"id": "calls", "description": "Calls", "price": "calls", "meter": "calls"}]
Row = tuple[int, tuple[tuple[str, int], ...], tuple[tuple[str, int, int], ...]]


def at(day: str) -> Instant:
    return parse_instant(f"2025-{day}T00:00:00Z")


def call(id_: str, day: str, value: int) -> Event:
    return Event(id_, "call", "c", at(day), {"value": str(value)})


def billed(first: dict[str, Any], second: dict[str, Any]) -> World:
    """January under the first bindings, February under the second."""
    world = World()
    world.meter({"id": "calls", "event_name": "call", "default_aggregation": {"formula": "sum"}})
    world.price("calls", {"id": "calls-1", "currency": "usd", "unit_amount": 1, "ext": {"accumulate": "term"}})
    who = {"id": "k", "customer": "c", "currency": "usd", "starts_at": "2025-01-01T00:00:00Z", "billing": MONTHLY}
    world.contract({**who, "term": {**MONTHLY, "interval": "year"}, "items": ITEMS, **first})
    world.log(call("a", "01-10", 119))
    world.log(call("b", "02-10", 214))
    world.bill("k", at("02-01"))
    world.amend({"contract": "k", "effective_from": "2025-02-01T00:00:00Z", "items": ITEMS, **second})
    world.bill("k", at("03-01"))
    return world


def rows(lines: list[Line]) -> list[Row]:
    return [(line.amount, line.discount_parts, line.taxes) for line in lines]


def corrected(world: World) -> list[Line]:
    return [line for bill in world.correct("k") for line in bill.document.lines]


def tax(id_: str, percent: str, inclusive: bool = False) -> dict[str, Any]:
    return {"tax_rates": [{"id": id_, "percent": percent, "inclusive": inclusive}]}


TEN = {"discounts": [{"id": "ten", "percent": "10"}]}
CASES: list[tuple[str, dict[str, Any], dict[str, Any], list[Row], Row]] = [
    # 21 were taken off 333; of 343 it is 21.63, so 22: one more
    ("a discount begins", {}, TEN, [(119, (), ()), (214, (("ten", 21),), ())], (10, (("ten", 1),), ())),
    # 12 (11.9) off 119 in January; of 343 in all 12 × 343 ÷ 333 = 12.36
    ("a discount ends", TEN, {}, [(119, (("ten", 12),), ()), (214, (), ())], (10, (), ())),
    # 19 of 119, 14 of 214: of 343 they are 19.57 → 20 and 14.42 → 14; taxable 103.00 and 206.01
    (
        "contained",
        tax("in", "19", True),
        tax("in7", "7", True),
        [(119, (), (("in", 100, 19),)), (214, (), (("in7", 200, 14),))],
        (10, (), (("in", 3, 1), ("in7", 6, 0))),
    ),
    # 22.61 → 23 and 14.98 → 15: 38 on 333; on 343 it is 39.14
    (
        "the rate of a tax",
        tax("vat", "19"),
        tax("vat", "7"),
        [(119, (), (("vat", 119, 23),)), (214, (), (("vat", 214, 15),))],
        (10, (), (("vat", 10, 1),)),
    ),
    # 40.66 → 41 on 214 of 333; of 343: 42.23 on 220.43
    ("a tax begins", {}, tax("vat", "19"), [(119, (), ()), (214, (), (("vat", 214, 41),))], (10, (), (("vat", 6, 1),))),
]


@pytest.mark.parametrize(("_name", "first", "second", "charges", "correction"), CASES)
def test_a_correction_carries_what_the_charges_did_in_proportion(
    _name: str, first: dict[str, Any], second: dict[str, Any], charges: list[Row], correction: Row
) -> None:
    world = billed(first, second)
    assert rows([line for bill in world.bills for line in bill.document.lines]) == charges
    world.log(call("late", "01-11", 10))
    assert rows(corrected(world)) == [correction]
    for id_ in ("a", "b", "late"):
        world.log(Cancel(id_, "call"))
    corrected(world)
    (issued,) = world.issued("k")
    assert (issued.amount, issued.discount, [(taxable, tax) for _, taxable, tax in issued.taxes if taxable or tax]) == (0, 0, [])


def test_a_fixed_amount_neither_grows_nor_turns_negative_in_proportion() -> None:
    off = {"id": "off", "amount": 50}
    world = billed({"discounts": [off]}, {"discounts": [*TEN["discounts"]]})
    world.log(call("late", "01-11", 333))  # twice as much: 42 of the percentage, and still 50
    assert rows(corrected(world)) == [(333, (("ten", 21),), ())]
    world.log(Cancel("late", "call"))
    world.log(Cancel("b", "call"))
    assert rows(corrected(world)) == [(-547, (("off", -32), ("ten", -35)), ())]  # of 119: 17.87 and 7.50, together 25: 18 and 7


def test_charges_bound_alike_and_corrections_alone_have_no_blend() -> None:
    world = billed(TEN, TEN)
    assert [issued.blend for issued in world.issued("k")] == [None]
    lines = [line for bill in world.bills for line in bill.document.lines]
    assert issued_from([("INV-1", lines[0])]).blend is None
