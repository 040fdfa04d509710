"""A desk over a store in memory, and a simulated processor with a memory of its own, as a real one has."""

from __future__ import annotations

from itertools import count

from farthing.app.payments.methods import attach_method
from farthing.app.resources.desk import Desk
from farthing.core.base.time import parse_instant
from farthing.edges.psp.simulated import SimulatedProcessor
from farthing.testing.memory import MemoryStore

AT = parse_instant("2026-01-01T00:00:00Z")


class OwnMemory:
    """What a processor remembers, whatever becomes of our transaction."""

    def __init__(self):
        self.records = {}

    def find(self, desk, reference):
        return self.records.get(reference)

    def keep(self, desk, reference, record):
        self.records[reference] = record

    def taken(self):
        """How many orders took money, and how much."""
        paid = [record["amount"] for record in self.records.values() if record["what"] == "payment_intents" and not record["canceled"]]
        return len(paid), sum(paid)


class Counter(SimulatedProcessor):
    """A simulated processor that counts how often money was asked for."""

    def __init__(self):
        self.memory = OwnMemory()
        super().__init__("http://farthing.test", self.memory)
        self.asked = 0

    def authorise(self, desk, order):
        self.asked += 1
        return super().authorise(desk, order)


def make_desk(processor=None, **named):
    numbers = count(1)
    store = MemoryStore()
    store.add("customer", "cus_1", 1, {"id": "cus_1", "object": "customer"})
    return Desk(store, AT, lambda prefix: f"{prefix}_{next(numbers)}", processor=processor or Counter(), **named)


def attached_card(desk, name="pm_card_visa"):
    row, outcome = attach_method(desk, name, {"customer": "cus_1"})
    assert outcome.result == "succeeded"
    return row.id


def events(desk):
    from farthing.app.resources.table import PageQuery

    return [row.document["type"] for row in reversed(desk.store.page(PageQuery("event", 100)).rows)]


def rows(desk, kind):
    from farthing.app.resources.table import PageQuery

    return list(desk.store.page(PageQuery(kind, 100)).rows)
