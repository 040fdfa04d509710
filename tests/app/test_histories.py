"""The random histories of tests/flow through the verbs and a store: the very documents that the world in memory makes.

The world compares all billed periods again each time; the verbs only those that something touched. Both must make the same bills, and
what the verbs have made must come to what a computation from scratch gives.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

from histories import MONTHS, histories, opened, openings, play
from hypothesis import given, settings

from farthing.app.bill import Clerk, bill_part, bill_until, correct, open_period
from farthing.app.raters import CoreRater, KernelRater
from farthing.app.store import StoredDocument
from farthing.app.verify import verify
from farthing.core.base.time import Instant, Interval, parse_instant
from farthing.core.base.timeline import ALL_TIME
from farthing.core.catalog.terms import Grant
from farthing.core.contract.contract import Contract
from farthing.core.events.event import Fact
from farthing.core.invoice.document import document_content, read_document
from farthing.core.invoice.invoice import Document
from farthing.testing.memory import MemoryStore
from farthing.testing.world import Bill, World


class Pair(World):
    """A world whose every act is done in a store too."""

    def __init__(self) -> None:
        super().__init__()
        self.store, ids = MemoryStore(), count(1)
        self.store.put_customer("c", {"id": "c"})
        self.clerk = Clerk(self.store, CoreRater(self.store), parse_instant("2025-12-01T00:00:00Z"), lambda prefix: f"{prefix}_{next(ids)}")

    def meter(self, document: Any) -> None:
        super().meter(document)
        self.store.put_meter(self.meters[document["id"]])

    def price(self, lineage: str, document: Any, span: Interval = ALL_TIME) -> None:
        super().price(lineage, document, span)
        self.store.put_price(self.prices[lineage][-1].value, span)

    def contract(self, document: Any) -> Contract:
        made = super().contract(document)
        self.store.put_contract(made)
        return made

    def amend(self, document: Any) -> None:
        super().amend(document)
        self.store.put_contract(self.contracts[document["contract"]])

    def grant(self, grant: Grant) -> None:
        super().grant(grant)
        self.store.put_grant("c", grant)

    def log(self, fact: Fact) -> None:
        if self.store.append([fact]).accepted:
            super().log(fact)

    def bill(self, contract: str, until: Instant) -> list[Bill]:
        return self._same(super().bill(contract, until), bill_until(self.clerk, until, None, lambda _: None, raise_held))

    def part(self, contract: str, at: Instant) -> list[Bill]:
        if open_period(self.contracts[contract], at) is None:
            return []
        ended = World.bill(self, contract, at)
        return self._same([*ended, *World.part(self, contract, at)], bill_part(self.clerk, at, None, lambda _: None, raise_held))

    def correct(self, contract: str) -> list[Bill]:
        return self._same(super().correct(contract), correct(self.clerk, None, raise_held))

    def _same(self, made: list[Bill], stored: Iterable[StoredDocument]) -> list[Bill]:
        by_verbs = list(stored)
        assert [comparable(read_document(one.content)) for one in by_verbs] == [comparable(bill.document) for bill in made]
        return made


def raise_held(held: Any) -> None:
    raise held.refusal


def comparable(document: Document) -> dict[str, Any]:
    """A document without numbers of others, and without what says where in log and catalogue things stand, which the two count apart."""
    content = document_content(document)
    lines = [
        {name: value for name, value in line.items() if name not in ("derivation", "corrects", "causes", "causes_more")} for line in content["lines"]
    ]
    return {**content, "corrects": len(content["corrects"]), "lines": lines}


@settings(max_examples=settings.default.max_examples // 2)
@given(openings(), histories())
def test_the_verbs_make_the_bills_that_the_world_makes(opening: Any, history: list[Any]) -> None:
    world = opened(opening, Pair())
    assert isinstance(world, Pair)
    play(world, history)
    amounts = {one.key: one.amount for one in world.store.issued("k") if one.amount}
    assert amounts == {key: amount for key, amount in world.from_scratch("k").items() if amount}
    assert [grant.remaining for grant in world.store.grants("c")] == [world.grants[grant.id].remaining for grant in world.store.grants("c")]
    assert sum(posting["amount"] for one in world.store.documents() for posting in world.store.postings(one.id)) == 0
    assert world.billed("k")[-1].end > MONTHS[4] or world.billed("k")[-1].end == world.contracts["k"].active.end


@settings(max_examples=settings.default.max_examples // 10)
@given(openings(), histories())
def test_what_the_verbs_made_is_verified_by_the_kernel(opening: Any, history: list[Any]) -> None:
    world = opened(opening, Pair())
    assert isinstance(world, Pair)
    play(world, history)
    result = verify(world.store, {"core": CoreRater(world.store), "kernel": KernelRater(world.store)}, lambda _: None)
    assert result.findings == []
    assert result.documents == len(world.bills)
