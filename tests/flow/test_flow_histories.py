"""Whatever happened and whenever it was billed, in the end each key is billed what it comes to from scratch, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from histories import MONTHS, events, histories, opened, openings, play
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.core.catalog.terms import Grant
from farthing.core.events.event import Event
from farthing.core.invoice.document import content_digest, document_content, key_text, read_document, read_key
from farthing.core.invoice.invoice import Document
from farthing.core.ledger.periods import AccountingPeriod
from farthing.core.ledger.postings import postings_for
from farthing.core.tax.taxes import exclusive_tax, included_tax
from farthing.testing.world import World

Opening = tuple[dict[str, Any], str, str, list[Grant]]
HISTORIES = histories()


def billed_in_all(world: World) -> dict[str, int]:
    return {key_text(one.key): one.amount for one in world.issued("k")}


def from_scratch(world: World) -> dict[str, int]:
    return {key_text(key): amount for key, amount in world.from_scratch("k").items()}


def nonzero(amounts: dict[str, int]) -> dict[str, int]:
    return {key: amount for key, amount in amounts.items() if amount}


@given(openings(), HISTORIES)
def test_every_key_is_billed_what_it_comes_to_from_scratch(opening: Opening, history: list[Any]) -> None:
    world = opened(opening)
    play(world, history)
    assert nonzero(billed_in_all(world)) == nonzero(from_scratch(world))
    assert world.correct("k") == []


@given(openings(), HISTORIES)
def test_the_billed_periods_tile(opening: Opening, history: list[Any]) -> None:
    world = opened(opening)
    play(world, history)
    periods = world.billed("k")
    assert periods[0].start == world.contracts["k"].active.start
    assert all(before.end == after.start for before, after in pairwise(periods))
    assert periods[-1].end == world.contracts["k"].active.end or periods[-1].end > MONTHS[4]


@given(openings(), HISTORIES)
def test_the_sums_of_every_document_add_up(opening: Opening, history: list[Any]) -> None:
    world = opened(opening)
    play(world, history)
    for bill in world.bills:
        assert_adds_up(bill.document)
        content = document_content(bill.document)
        assert document_content(read_document(content)) == content
        assert sum(posting.amount for posting in postings_for(bill.document, AccountingPeriod(2025, 6))) == 0
        for line in bill.document.lines:
            assert read_key(key_text(line.key)) == line.key


def assert_adds_up(document: Document) -> None:
    lines = document.lines
    assert document.subtotal == sum(line.amount for line in lines)
    assert document.discount == sum(line.discount for line in lines)
    assert document.credit_before_tax == sum(line.credit for line in lines)
    assert (document.tax, document.tax_included) == (exclusive_tax(lines), included_tax(lines))
    assert document.total == document.subtotal - document.discount - document.credit_before_tax + document.tax
    assert document.due == document.total - document.credit_after_tax
    assert sum(units for _, units in document.grants_used) == document.credit_before_tax + document.credit_after_tax
    assert (document.kind == "credit_note") == (document.total < 0 and all(line.kind == "correction" for line in lines))
    assert document.corrects == tuple(sorted({line.corrects for line in lines if line.corrects}))


@given(openings(), HISTORIES)
def test_lines_stand_by_what_was_billed_before(opening: Opening, history: list[Any]) -> None:
    world = opened(opening)
    play(world, history)
    billed: dict[str, int] = {}
    first: dict[str, str] = {}
    for bill in world.bills:
        before, seen = dict(billed), set(first)
        for line in bill.document.lines:
            key = key_text(line.key)
            assert line.previously == before.get(key, 0)
            if line.kind == "correction":
                assert line.amount != 0
                assert line.corrects == (first[key] if key in seen else None)
            billed[key] = billed.get(key, 0) + line.amount
            first.setdefault(key, bill.number)


@given(openings(), HISTORIES)
def test_no_grant_is_used_beyond_what_it_has_nor_refilled_beyond_what_was_used(opening: Opening, history: list[Any]) -> None:
    world = opened(opening)
    play(world, history)
    had = {grant.id: grant.remaining for grant in opening[3]}
    assert all(0 <= grant.remaining <= had[grant.id] for grant in world.grants.values())


@given(openings(), HISTORIES)
def test_a_key_without_amount_keeps_no_discount_no_credit_and_no_tax(opening: Opening, history: list[Any]) -> None:
    world = opened(opening)
    play(world, history)
    for issued in world.issued("k"):
        assert 0 <= issued.net <= issued.amount or issued.amount < 0
        if issued.amount == 0:
            assert (issued.discount, issued.credit) == (0, 0)


@given(openings(), st.lists(events(), min_size=2, max_size=8, unique_by=lambda step: step[1]), st.randoms(use_true_random=False))
def test_the_digest_of_a_bill_does_not_depend_on_the_order_of_the_log(opening: Opening, history: list[Any], random: Any) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)
    assert digests(opening, history) == digests(opening, shuffled)


def digests(opening: Opening, history: Iterable[Any]) -> list[str]:
    world = opened(opening)
    play(world, history)
    return [content_digest(document_content(bill.document)) for bill in world.bills]


@settings(max_examples=settings.default.max_examples // 2)
@given(openings(), HISTORIES)
def test_what_it_comes_to_does_not_depend_on_when_it_was_billed(opening: Opening, history: list[Any]) -> None:
    told, waited = opened(opening), opened(opening)
    play(told, history)
    play(waited, [step for step in history if step[0] not in ("bill", "correct", "part")])
    assert nonzero(billed_in_all(told)) == nonzero(billed_in_all(waited))


def test_histories_reach_what_they_are_about() -> None:
    """The random histories would prove little if none made a correction, a credit note, a part or a refill."""
    assert Event("e", "call", "c", MONTHS[0], {}) != Event("e", "call", "c", MONTHS[1], {})
