"""A line of a price that makes one a cell, all of whose events were taken back, comes to nothing by the same price and in its mode."""

from __future__ import annotations

from farthing.core.base.time import parse_instant
from farthing.core.events.event import Cancel, Event
from farthing.core.invoice.invoice import Line
from farthing.testing.world import World

HOME = {"label": "Home", "when": [{"property": "country", "in": ["GB"]}], "fees": [{"percent": "1.5"}]}
CARD = {"line_per_cell": True, "rules": [HOME, {"label": "Abroad", "fees": [{"percent": "3.25"}]}]}


def taken_back() -> Line:
    world = World()
    world.meter({"id": "payments", "event_name": "payment", "default_aggregation": {"formula": "count"}, "ext": {"group_by": ["cell"]}})
    world.price("fees", {"id": "fees-1", "currency": "gbp", "ext": {"rounding": {"mode": "up"}, "rate_card": CARD}})
    world.contract(
        {
            "id": "k",
            "customer": "c",
            "currency": "gbp",
            "starts_at": "2025-01-01T00:00:00Z",
            "billing": {"interval": "month", "anchor": "2025-01-01T00:00:00"},
            "items": [{"id": "fees", "description": "Fees", "price": "fees", "meter": "payments"}],
        }
    )
    for id_, country in (("home", "GB"), ("abroad", "US")):
        world.log(Event(id_, "payment", "c", parse_instant("2025-01-05T00:00:00Z"), {"value": "1010", "country": country, "cell": "north"}))
    world.bill("k", parse_instant("2025-02-01T00:00:00Z"))
    world.log(Cancel("abroad", "payment"))
    (note,) = world.correct("k")
    (line,) = note.document.lines
    return line


def test_a_cell_that_is_gone_keeps_its_key_its_name_and_the_rounding_of_its_price() -> None:
    line = taken_back()
    assert (line.amount, line.key.group) == (-33, (("cell", "north"), ("cell", "Abroad")))
    assert line.description == "Fees: Abroad (cell north)"
    rated = line.derivation["rated"]
    assert (rated["label"], rated["rounding"], rated["cells"], rated["amount"]) == ("Abroad", "up", [], "0")
    assert line.derivation["price"]["id"] == "fees-1"
