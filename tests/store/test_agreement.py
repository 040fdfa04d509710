"""Random facts, in random batches, through both stores: the same receipts, the same events at every position, the same causes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farthing.app.store import EventQuery, Receipt
from farthing.core.base.time import FOREVER, Interval
from farthing.core.events.event import Cancel, Event, Fact, Replace
from farthing.core.events.log import position_of
from farthing.edges.postgres.migrate import ensure_account
from farthing.edges.postgres.store import PostgresStore
from farthing.testing.memory import MemoryStore

IDENTIFIERS = st.sampled_from(["a", "b", "c", "d\\", "e\te", "N"])
NAMES = st.sampled_from(["call", "answer"])
CUSTOMERS = st.sampled_from(["acme", "globex"])
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4)
PROPERTIES = st.dictionaries(st.sampled_from(["value", "region", "\\t"]), st.one_of(st.sampled_from(["1", "2"]), TEXTS), max_size=2)
EVENTS = st.builds(Event, IDENTIFIERS, NAMES, CUSTOMERS, st.integers(0, 9), PROPERTIES)
CANCELS = st.builds(Cancel, IDENTIFIERS, NAMES)
REPLACES = st.builds(Replace, IDENTIFIERS, EVENTS).filter(lambda fact: fact.target != fact.event.identifier)
BATCHES = st.lists(st.lists(st.one_of(EVENTS, EVENTS, EVENTS, CANCELS, REPLACES), max_size=6), max_size=5)


def shown(receipt: Receipt) -> tuple[object, ...]:
    return receipt.accepted, receipt.duplicates, receipt.head, [(index, one.document()) for index, one in receipt.conflicts]


class UndoneError(Exception):
    """Ends an example and takes back what it wrote."""


@pytest.fixture
def postgres(shared_database: tuple[str, str]) -> Iterator[PostgresStore]:
    owner, service = shared_database
    ensure_account(owner, "agreement")
    with PostgresStore.open(service, "agreement", "live") as store:
        yield store


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(batches=BATCHES, span=st.tuples(st.integers(0, 5), st.integers(6, 10)), carry=st.booleans())
def test_both_stores_agree(postgres: PostgresStore, batches: list[list[Fact]], span: tuple[int, int], carry: bool) -> None:
    memory = MemoryStore()
    with pytest.raises(UndoneError), postgres.transaction():
        for batch in batches:
            assert shown(postgres.append(batch)) == shown(memory.append(batch))
        for up_to in range(memory.head() + 1):
            for name in ("call", "answer"):
                query = EventQuery(name, Interval(*span), up_to, carry=carry, carry_by=("region",), carry_number="value")
                assert list(postgres.events(query)) == list(memory.events(query))
                apart = replace(query, by_customer=True)
                assert list(postgres.events(apart)) == list(memory.events(apart))
        for after in range(0, memory.head() + 1, 3):
            for customers, before in ((("acme",), FOREVER), (("globex",), span[1]), (("acme", "globex"), span[0]), ((), FOREVER)):
                found = list(postgres.facts_between(after, memory.head(), customers, before))
                assert found == list(memory.facts_between(after, memory.head(), customers, before))
                assert [position_of(one.fact) for one in found] == [one.position for one in found]
        assert list(postgres.aside()) == list(memory.aside())
        assert list(postgres.altered()) == []
        raise UndoneError
