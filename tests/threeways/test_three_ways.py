"""Random meters, prices and facts through all three: core, the kernel, and the naive reference that is written from the docs alone.

Each story is told twice, in two orders of arrival. Compared are what the log answers to each batch, and then for each customer and
group the quantity, the events measured and set aside, exact amount, amount and refusal; between core and kernel the whole trace.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, note, settings
from naive_document import EXCLUDED, Price, read_price
from naive_log import NaiveLog
from naive_meters import aggregation_of
from naive_pricing import ON_CELLS, ON_EVENTS
from naive_values import dumps
from naive_way import Answer, naive_way
from threeways_product import Admitted, Found, Key, admit, core_way, kernel_way
from threeways_stories import CUSTOMERS, Story, stories

from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Interval
from farthing.core.events.exact_json import decode_json
from farthing.core.rating.compile import compile_price
from farthing.core.rating.trace import Rated
from farthing.core.usage.parse import parse_meter
from farthing.kernel import Engine, Job
from farthing.testing.memory import MemoryStore

TOGETHER = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture])
BY_EVENT = [*ON_EVENTS, *ON_CELLS]
BY_QUANTITY = [model for model in EXCLUDED if model not in BY_EVENT]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(threads=1) as opened:
        yield opened


# The three ways


@dataclass
class Told:
    """One order of arrival: the log of the product and the naive one, up to where they are read, and what both came to."""

    log: MemoryStore
    up_to: int
    naive: NaiveLog
    answers: Counter[str]
    wanted: dict[Key, Answer]
    core: Found

    def no_two_at_once(self) -> bool:
        """No two events that count are at the same time, so that their places in the log decide nothing."""
        times = [one["at"] for one in self.naive.counting()]
        return len(set(times)) == len(times)


def batches_of(documents: list[Any], sizes: list[int]) -> list[list[Any]]:
    """The documents in batches of these sizes, and one of the rest."""
    cut, start = [], 0
    for size in sizes:
        cut.append(documents[start : start + size])
        start += size
    return [*cut, documents[start:]]


def admit_both(documents: list[Any], sizes: list[int]) -> tuple[MemoryStore, NaiveLog, Counter[str]]:
    """The product's log and the naive one, which answer alike."""
    log, naive, answers = MemoryStore(), NaiveLog(), Counter[str]()
    for batch in batches_of(documents, sizes):
        wanted = [naive.admit(document) for document in batch]
        found = admit(log, batch)
        answers.update(answer for codes in wanted for answer in codes)
        accepted, duplicates = wanted.count(["accepted"]), wanted.count(["duplicate"])
        refused = {place: codes[0] for place, codes in enumerate(wanted) if codes not in (["accepted"], ["duplicate"])}
        assert found == Admitted(accepted, duplicates, refused)
    assert log.head() == len(naive.taken)
    return log, naive, answers


def naive_answers(story: Story, price: Price, naive: NaiveLog, up_to: int) -> dict[Key, Answer]:
    events = naive.known_at(up_to).counting()
    return {
        (customer, *group): answer
        for customer in CUSTOMERS
        for group, answer in naive_way(story.meter, price, [one for one in events if one["customer"] == customer], story.start, story.end).items()
    }


def summed(lines: tuple[Rated, ...]) -> Answer:
    """Core's lines as the reference counts."""
    usages = [cell.usage for line in lines for cell in line.cells]
    return Answer(
        quantity=sum((line.quantity for line in lines), Fraction(0)),
        events=sum(usage.events for usage in usages),
        set_aside=sum(usage.set_aside for usage in usages),
        unmatched=sum(line.unmatched for line in lines),
        lines={line.label: (line.exact, line.amount) for line in lines if line.exact or line.amount},
    )


def assert_core_is_naive(core: Found, naive: Mapping[Key, Answer]) -> None:
    empty = {key for key, answer in naive.items() if answer == Answer()}
    assert core.rated.keys() | core.refused.keys() | empty == naive.keys()
    for key, answer in naive.items():
        if key in core.refused:
            assert core.refused[key]["code"] in answer.codes
        else:
            assert summed(core.rated.get(key, ())) == answer


def assert_kernel_is_core(kernel: Found, core: Found) -> None:
    assert kernel.rated == {key: lines for key, lines in core.rated.items() if key not in kernel.left}
    assert kernel.refused == {key: refusal for key, refusal in core.refused.items() if key not in kernel.left}


def compiled(story: Story) -> tuple[Job, Price] | None:
    """The price as both read it; None if both refuse it."""
    price, faults = read_price(story.price)
    meter = parse_meter(decode_json(dumps(story.meter)))
    try:
        program = compile_price(decode_json(dumps(story.price))).program
    except Refusal as refusal:
        assert refusal.code in [code for code, _ in faults.found]
        return None
    assert price is not None, faults.found
    return Job(program, meter, Interval(story.start, story.end)), price


def told(story: Story, facts: list[Any], job: Job, price: Price) -> Told:
    """One order of arrival, through core and the reference."""
    log, naive, answers = admit_both(facts, story.batches)
    up_to = int(log.head() * story.known)
    wanted = naive_answers(story, price, naive, up_to)
    core = core_way(log, job, CUSTOMERS, up_to)
    assert_core_is_naive(core, wanted)
    return Told(log, up_to, naive, answers, wanted, core)


def agree(engine: Engine, story: Story) -> tuple[Price, Told, list[Found] | None, bool] | None:
    """Assert that all three come to the same in both orders of arrival. Returns what they came to in the first one (None if all refuse the
    price), what the kernel found (None if the whole is outside of its domain), and whether the two orders could be compared."""
    known = compiled(story)
    if known is None:
        return None
    orders = [told(story, facts, *known) for facts in (story.facts, story.shuffled)]
    kernel = kernel_way(engine, [(one.log, one.up_to) for one in orders], known[0], CUSTOMERS)
    for one, found in zip(orders, kernel or [], strict=kernel is not None):
        assert_kernel_is_core(found, one.core)
    return known[1], orders[0], kernel, orders_agree(story, *orders)


def orders_agree(story: Story, first: Told, second: Told) -> bool:
    """Assert that the order of arrival decides nothing, unless a fact was refused for what came before it, or of two events at the same
    time the place in the log decides: then False."""
    if (first.answers.keys() | second.answers.keys()) & {"identifier_conflict", "event_replaced_already", "replacement_circular"}:
        return False
    assert counting(first.naive) == counting(second.naive)
    if story.known < 1 or not first.no_two_at_once():
        return False
    assert first.wanted == second.wanted
    return True


def counting(naive: NaiveLog) -> list[str]:
    return sorted(one["identifier"] for one in naive.counting())


def check_three_ways(engine: Engine, story: Story) -> None:
    """One example: its documents as they were sent are noted, and what it came to, for `--hypothesis-show-statistics`."""
    note(f"price {dumps(story.price)}\nmeter {dumps(story.meter)}\nperiod {story.start} {story.end}, known {story.known}")
    for document in story.facts:
        note(dumps(document))
    found = agree(engine, story)
    event(f"price {'refused' if found is None else 'accepted'}")
    if found is not None:
        report(story, *found)


def report(story: Story, price: Price, told: Told, kernel: list[Found] | None, compared: bool) -> None:
    seen = {f"kernel: {'outside' if kernel is None else 'some left' if any(found.left for found in kernel) else 'all'}"}
    seen |= {f"model: {price.model}", f"aggregation: {aggregation_of(story.meter)}"}
    seen |= {f"admission: {answer}" for answer in told.answers}
    seen |= {f"refused: {code}" for answer in told.wanted.values() for code in answer.codes}
    seen |= {
        f"some {name}" for name in ("events", "set_aside", "unmatched", "lines") if any(getattr(answer, name) for answer in told.wanted.values())
    }
    if compared:
        seen.add("both orders compared")
    if any(on_a_turn(price, answer.quantity) for answer in told.wanted.values()):
        seen.add("quantity on a bound")
    for name in sorted(seen):
        event(name)


def on_a_turn(price: Price, quantity: Fraction) -> bool:
    """Whether the quantity that is priced is the upper bound of a tier, the allowance, or a whole number of blocks."""
    conversion, units = price.modifiers["conversion"], price.modifiers["allowance"]
    paid = quantity * (conversion["factor"] if conversion else 1) - (units or 0)
    if price.body.get("value_in") == "major":
        paid *= 100
    bounds = [tier["up_to"] for tier in price.body.get("tiers") or []]
    if price.body.get("size"):
        blocks = (paid - price.body["free_units"]) / price.body["size"]
        return bool(blocks > 0 and blocks.denominator == 1)
    return any(paid == bound for bound in bounds) or bool(units and paid == 0)


@TOGETHER
@given(stories(BY_QUANTITY))
def test_prices_of_quantities_agree_three_ways(engine: Engine, story: Story) -> None:
    check_three_ways(engine, story)


@TOGETHER
@given(stories(BY_EVENT))
def test_prices_of_events_and_cells_agree_three_ways(engine: Engine, story: Story) -> None:
    check_three_ways(engine, story)


# By hand: what went apart once


def use(name: str, time: str, **properties: Any) -> dict[str, Any]:
    return {"identifier": name, "event_name": "use", "timestamp": time, "payload": {"stripe_customer_id": "c1"} | properties}


def level(**ext: Any) -> dict[str, Any]:
    return {"id": "m", "event_name": "use", "ext": {"aggregation": "time_weighted", "per": "period"} | ext}


OF_FEE = {"value_settings": {"event_payload_key": "fee"}}
EACH_ONE = {"currency": "usd", "unit_amount": 100}
DAYTIME = {"label": "day", "hours": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "06:00", "to": "18:00"}], "unit_amount": 7}
BANDS = {"currency": "usd", "ext": {"time_of_use": {"time_zone": "UTC", "bands": [DAYTIME], "rest": {"unit_amount": 1}}}}
AT_LEAST = {"currency": "usd", "ext": {"percentage": {"percent": 1}, "minimum": {"amount": 5}}}
HOURLY = {"unit": "hour", "inner": "max", "outer": "sum", "time_zone": "Australia/Sydney"}
TOGGLE: dict[str, Any] = {"currency": "usd", "ext": {"matrix": {"dimensions": ["country"], "cells": [{"match": {"country": ""}, "unit_amount": 3}]}}}
MORNING, NOON, EVENING = "2025-03-27T07:00:00Z", "2025-03-27T12:00:00Z", "2025-03-27T20:00:00Z"
BY_HAND: dict[str, tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]], dict[Key, int]]] = {
    "a level is carried past an event without one": (level(), EACH_ONE, [use("a", MORNING, value=3), use("b", NOON)], {("c1",): 300}),
    "a level is carried past one that is no number": (
        level() | OF_FEE,
        EACH_ONE,
        [use("a", MORNING, fee="3"), use("b", NOON, fee="x"), use("c", EVENING, fee="")],
        {("c1",): 300},
    ),
    "a level with an exponent is carried": (level() | OF_FEE, EACH_ONE, [use("a", MORNING, fee="3"), use("b", NOON, fee="1e1")], {("c1",): 1000}),
    "each band has its own level": (level(), BANDS, [use("a", NOON, value=3), use("b", EVENING, value=5)], {("c1",): 3 * 7 + 5}),
    "an absent property is not an empty one": (level(), TOGGLE, [use("a", MORNING, value=3, country=""), use("b", NOON, value=5)], {("c1",): 9}),
    "an hour that the clock shows twice is two buckets": (
        {"id": "m", "event_name": "use", "ext": {"aggregation": "windowed", "windows": HOURLY}},
        EACH_ONE,
        [use("a", "2025-04-05T15:30:00Z", value=5), use("b", "2025-04-05T16:30:00Z", value=7)],
        {("c1",): 1200},
    ),
    "a group of which no cell has the level has its minimum": (
        level(group_by=["country"]),
        TOGGLE | {"ext": TOGGLE["ext"] | {"minimum": {"amount": 5}}},
        [use("a", NOON, value=3, country="US"), use("b", EVENING, value=2, country="")],
        {("c1", "US"): 5, ("c1", ""): 6},
    ),
    "a price of events has no group but of events inside": (level(group_by=["country"]), AT_LEAST, [use("a", NOON, value=3, country="US")], {}),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_story_by_hand_comes_to_what_the_docs_say(engine: Engine, name: str) -> None:
    meter, price, facts, wanted = BY_HAND[name]
    start = 1_743_120_000_000_000  # 2025-03-28
    story = Story(meter, price, start, start + 10 * 86_400_000_000, facts, facts[::-1], [], Fraction(1))
    found = agree(engine, story)
    assert found is not None
    assert found[2] is not None
    answers = found[1].wanted
    assert {key: sum(amount for _, amount in answer.lines.values()) for key, answer in answers.items() if answer.lines} == wanted


def test_most_stories_are_rated_by_the_kernel(engine: Engine) -> None:
    where = Counter[str]()

    @settings(TOGETHER, derandomize=True, max_examples=settings.default.max_examples // 10 + 30)
    @given(stories([*BY_EVENT, *BY_QUANTITY]))
    def one(story: Story) -> None:
        known = compiled(story)
        assert known is not None
        log, _, _ = admit_both(story.facts, story.batches)
        kernel = kernel_way(engine, [(log, log.head())], known[0], CUSTOMERS)
        where["outside" if kernel is None else "some left" if kernel[0].left else "kernel"] += 1
        where["measured"] += kernel is not None and any(
            cell.usage.events for lines in kernel[0].rated.values() for line in lines for cell in line.cells
        )

    one()
    stories_told = where["outside"] + where["some left"] + where["kernel"]
    assert where["kernel"] >= stories_told * 8 // 10
    assert where["measured"] >= stories_told // 2
