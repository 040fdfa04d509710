"""Whatever happened and whenever it was billed, in the end each key is billed what it comes to from scratch, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from histories import HOUR, MONTHS, events, histories, opened, openings, play
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.core.catalog.terms import Grant
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
def test_whatever_happens_every_bill_is_right(opening: Opening, history: list[Any]) -> None:
    """One history is told once, and everything that must hold of it is looked at: telling it is what takes the time."""
    world = opened(opening)
    play(world, history)
    check_every_key_is_billed_what_it_comes_to_from_scratch(world)
    check_the_billed_periods_tile(world)
    check_the_sums_of_every_document_add_up(world)
    check_lines_stand_by_what_was_billed_before(world)
    check_no_grant_is_used_beyond_what_it_has_nor_refilled_beyond_what_was_used(world, opening[3])
    check_a_key_without_amount_keeps_no_discount_no_credit_and_no_tax(world)
    assert world.correct("k") == []


def check_every_key_is_billed_what_it_comes_to_from_scratch(world: World) -> None:
    assert nonzero(billed_in_all(world)) == nonzero(from_scratch(world))


def check_the_billed_periods_tile(world: World) -> None:
    periods = world.billed("k")
    assert periods[0].start == world.contracts["k"].active.start
    assert all(before.end == after.start for before, after in pairwise(periods))
    assert periods[-1].end == world.contracts["k"].active.end or periods[-1].end > MONTHS[4]


def check_the_sums_of_every_document_add_up(world: World) -> None:
    for bill in world.bills:
        assert_adds_up(bill.document, world.contracts["k"].below_zero)
        content = document_content(bill.document)
        assert document_content(read_document(content)) == content
        assert sum(posting.amount for posting in postings_for(bill.document, AccountingPeriod(2025, 6))) == 0
        for line in bill.document.lines:
            assert read_key(key_text(line.key)) == line.key


def assert_adds_up(document: Document, below_zero: str) -> None:
    lines = document.lines
    assert document.subtotal == sum(line.amount for line in lines)
    assert document.discount == sum(line.discount for line in lines)
    assert document.credit_before_tax == sum(line.credit for line in lines)
    assert (document.tax, document.tax_included) == (exclusive_tax(lines), included_tax(lines))
    assert document.total == document.subtotal - document.discount - document.credit_before_tax + document.tax
    assert document.due == document.total - document.credit_after_tax
    assert sum(units for _, units in document.grants_used) == document.credit_before_tax + document.credit_after_tax
    credited = below_zero == "credit_note" and document.total < 0 and all(line.kind == "correction" for line in lines)
    assert (document.kind == "credit_note") == credited
    assert document.corrects == tuple(sorted({line.corrects for line in lines if line.corrects}))


def check_lines_stand_by_what_was_billed_before(world: World) -> None:
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


def check_no_grant_is_used_beyond_what_it_has_nor_refilled_beyond_what_was_used(world: World, grants: list[Grant]) -> None:
    had = {grant.id: grant.remaining for grant in grants}
    assert all(0 <= grant.remaining <= had[grant.id] for grant in world.grants.values())


def check_a_key_without_amount_keeps_no_discount_no_credit_and_no_tax(world: World) -> None:
    for issued in world.issued("k"):
        assert 0 <= issued.net <= issued.amount or issued.amount < 0
        if issued.amount == 0:
            assert (issued.discount, issued.credit) == (0, 0)
            assert [tax for tax in issued.taxes if tax[1:] != (0, 0)] == []


@given(
    openings(), st.lists(events(), min_size=2, max_size=5, unique_by=(lambda step: step[1], lambda step: step[3])), st.randoms(use_true_random=False)
)
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


@given(openings(), histories())
def test_taking_everything_back_leaves_nothing_anywhere(opening: Opening, history: list[Any]) -> None:
    """Whatever was agreed, discounted, taxed and paid by credit in between: without the service nothing of it stays."""
    world = opened(opening)
    play(world, history)
    nothing = {"id": "nothing", "description": "Nothing", "price": "seats", "quantity": 0}
    world.amend({"contract": "k", "effective_from": "2024-12-01T00:00:00Z", "items": [nothing]})
    world.correct("k")
    for issued in world.issued("k"):
        assert (issued.amount, issued.discount, issued.credit) == (0, 0, 0)
        assert all(tax == taxable == 0 for _, taxable, tax in issued.taxes)
    assert sum(bill.document.total for bill in world.bills) == 0
    assert {grant.id: grant.remaining for grant in opening[3]} == {id_: grant.remaining for id_, grant in world.grants.items()}


def test_a_history_reaches_every_kind_of_document_line_and_cause() -> None:
    """What the properties above are about can come out of such steps at all; each kind of step is told here once."""
    contract, usage, other, grants = plain_opening()
    world = opened((contract, usage, other, grants))
    day = 24 * HOUR
    first, second = MONTHS[0], MONTHS[1]
    history: list[Any] = [
        ("event", "e1", "call", first + day, "9", "eu"),
        ("part", first + 2 * day),
        ("event", "e2", "call", first + 3 * day, "2", "us"),
        ("bill", second),
        ("cancel", "e1", "call"),
        ("correct",),
        ("replace", "e2", ("event", "e3", "call", first + 3 * day, "5", "x")),
        ("correct",),
        ("event", "e4", "call", first + 4 * day, "1", "eu"),
        ("price", "usage", "unit2", (first, second)),
        ("amend", (first + 5 * day, second), {**contract_terms(contract), "items": SEATS_ALONE}),
    ]
    play(world, history)
    lines = [line for bill in world.bills for line in bill.document.lines]
    reached = {bill.document.kind for bill in world.bills} | {line.kind for line in lines} | {cause.kind for line in lines for cause in line.causes}
    assert reached == {"invoice", "credit_note", "charge", "correction", "event", "cancel", "replace", "price", "contract"}
    assert any(bill.part for bill in world.bills)
    assert any(line.kind == "correction" and line.corrects is None for line in lines)
    assert any(units < 0 for line in lines for _, units in line.credit_parts)
    assert nonzero(billed_in_all(world)) == nonzero(from_scratch(world))


SEATS_ALONE = [{"id": "seats", "description": "Seats", "price": "seats", "quantity": "2"}]


def contract_terms(contract: dict[str, Any]) -> dict[str, Any]:
    return {name: contract[name] for name in ("items", "discounts", "tax_rates")}


def plain_opening() -> Opening:
    contract = {
        "id": "k",
        "customer": "c",
        "currency": "usd",
        "starts_at": "2025-01-01T00:00:00Z",
        "billing": {"interval": "month", "anchor": "2025-01-01T00:00:00"},
        "items": [{"id": "i-0", "description": "Calls", "price": "usage", "meter": "calls"}],
        "discounts": [{"id": "ten", "percent": "10"}],
        "tax_rates": [{"id": "vat", "percent": "20"}],
    }
    return contract, "graduated", "unit", [Grant("g1", "usd", 700, "before_tax")]
