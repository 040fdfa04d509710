"""Both raters give the same outcome for the same terms, however many are asked at once and however their spans and positions differ."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from app_books import CARD, SEATS, TIERS, Books, call, catalogue
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farthing.app.raters import Asked, CoreRater, KernelRater, Outcome
from farthing.core.base.time import Interval
from farthing.core.catalog.terms import PriceVersion, Terms
from farthing.core.events.event import Event
from farthing.core.usage.meter import Aggregation, Meter, Windows
from farthing.testing import strategies as make
from farthing.testing.memory import MemoryStore

NIGHT = {"label": "night", "unit_amount": 1, "hours": [{"days": ["sun", "mon"], "from": "00:00", "to": "02:00"}]}
HOURS = {"id": "hours", "currency": "usd", "ext": {"time_of_use": {"time_zone": "Europe/London", "bands": [NIGHT], "rest": {"unit_amount": 100}}}}
BOUNDED = {**TIERS, "id": "bounded", "ext": {"minimum": {"amount": 50}, "maximum": {"amount": 5000}}}
PRICES = [PriceVersion(str(document["id"]), "p", document) for document in (TIERS, SEATS, BOUNDED, CARD, HOURS)]
EVENTS_ONLY = PRICES[3:]
CUSTOMERS = ("a", "b", "c")


@st.composite
def events(draw: st.DrawFn, spans: list[Interval]) -> list[Event]:
    found = []
    for n in range(draw(st.integers(0, 14))):
        at = draw(make.instants(draw(st.sampled_from(spans))))
        found.append(Event(f"e{n}", "used", draw(st.sampled_from(CUSTOMERS)), at, draw(make.properties(make.values()))))
    return found


@st.composite
def asked(draw: st.DrawFn) -> tuple[list[Event], list[Asked]]:
    """Events, and terms over them: few prices, meters and spans, so that many have some of these in common."""
    spans = draw(st.lists(make.intervals(), min_size=1, max_size=3))
    prices = draw(st.lists(st.sampled_from(PRICES), min_size=1, max_size=2))
    meters = draw(st.lists(make.meters(), min_size=1, max_size=2))
    log = draw(events(spans))

    def one(price: PriceVersion, meter: Meter | None, span: Interval, customer: str, quantity: int, up_to: int) -> Asked:
        meter = meters[0] if meter is None and price in EVENTS_ONLY else meter
        amount = None if meter else Fraction(quantity)
        terms = Terms(customer, "k", "i", "Item", "usd", price, meter, amount, span, span, span, Fraction(1))
        return Asked(terms, up_to)

    some = st.builds(
        one,
        st.sampled_from(prices),
        st.sampled_from([*meters, None]),
        st.sampled_from(spans),
        st.sampled_from(CUSTOMERS),
        st.integers(0, 30),
        st.integers(0, len(log)),
    )
    return log, draw(st.lists(some, max_size=8))


def shown(outcome: Outcome) -> tuple[Any, ...]:
    return {group: lines for group, lines in outcome.groups.items() if lines}, outcome.refusal and outcome.refusal.document()


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(asked())
def test_both_raters_agree_on_many_terms_at_once(case: tuple[list[Event], list[Asked]]) -> None:
    log, terms = case
    store = MemoryStore()
    store.append(log)
    core, kernel = CoreRater(store).rate(terms), KernelRater(store).rate(terms)
    assert [shown(outcome) for outcome in kernel] == [shown(outcome) for outcome in core]
    assert all(outcome.outside is None for outcome in kernel)


WINDOWS = Windows("day", 1, Aggregation.SUM, Aggregation.MIN, "Europe/London", True)
LEVEL = Meter("level", "used", Aggregation.TIME_WEIGHTED)
SUM = Meter("sum", "used", Aggregation.SUM)


@pytest.mark.parametrize(
    ("meter", "price"),
    [
        (LEVEL, TIERS),
        (Meter("windowed", "used", Aggregation.WINDOWED, windows=WINDOWS), TIERS),
        (Meter("latest", "used", Aggregation.LATEST), TIERS),
        (Meter("middle", "used", Aggregation.PERCENTILE, percentile=Fraction(50)), TIERS),
        (SUM, BOUNDED),
        (SUM, CARD),
        (SUM, HOURS),
    ],
)
def test_spans_and_positions_that_differ_are_kept_apart(meter: Meter, price: dict[str, Any]) -> None:
    """The same price and meter over two months and over both in one, before and after a late event, all asked at once."""
    store = MemoryStore()
    start, day = 1_735_689_600_000_000, 86_400_000_000
    spans = [Interval(start, start + 31 * day), Interval(start + 31 * day, start + 59 * day), Interval(start, start + 59 * day)]
    store.append([Event(f"e{n}", "used", "a", start + n * day + 5, {"value": str(1 + n % 7)}) for n in range(60)])
    store.append([Event("late", "used", "a", start + 3 * day, {"value": "50"})])
    version = PriceVersion("p", "p", price)
    terms = [Terms("a", "k", "i", "Item", "usd", version, meter, None, span, span, span, Fraction(1)) for span in spans]
    asked = [Asked(one, up_to) for one in terms for up_to in (60, 61)]
    core, kernel = CoreRater(store).rate(asked), KernelRater(store).rate(asked)
    assert [shown(outcome) for outcome in kernel] == [shown(outcome) for outcome in core] == [shown(CoreRater(store).rate([one])[0]) for one in asked]
    assert len({str(outcome.groups) for outcome in core}) > 2


def test_numbers_that_only_core_can_carry_are_left_to_it_for_their_customer_alone(books: Books) -> None:
    """Sevenths of units at 10⁻¹² of a cent, of a quantity of 38 digits, are beyond 127 bits: of the job in which many customers are rated
    at once only the one with such a number is left to core."""
    document = catalogue()
    fine = [{"up_to": 10, "unit_amount_decimal": "0.000000000007"}, {"up_to": "inf", "unit_amount_decimal": "1.000000000001"}]
    document["prices"][0]["price"] = {**TIERS, "tiers": fine, "ext": {"conversion": {"divide_by": 7}, "maximum": {"amount": 5000}}}
    document["customers"] = [{"id": f"c{n}"} for n in range(5)]
    document["contracts"] = [{**document["contracts"][0], "id": f"k{n}", "customer": f"c{n}"} for n in range(5)]
    books.apply(document)
    values = ["7", "9", "9" * 20 + "." + "9" * 18, "3", "5"]
    books.log(*(call(f"e{n}", "2025-01-05T00:00:00Z", value, customer=f"c{n}") for n, value in enumerate(values)))
    assert len(books.bill("2025-02-01T00:00:00Z")) == 5
    result = books.verify()
    assert result.findings == []
    if books.rater.engine == "core":
        assert [reason[:12] for _, reason in result.unproven] == ["calls of c2:"]
