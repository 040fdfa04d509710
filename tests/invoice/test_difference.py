"""The rule that makes every bill: desired − issued − waived, one line a key, and after it the books agree or the run stops."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.time import Interval
from farthing.core.catalog.terms import ChargeKey, Discount, TaxRate
from farthing.core.invoice.difference import assert_settled, difference, due_in_all
from farthing.core.invoice.document import key_text
from farthing.core.invoice.invoice import Cause, Desired, Issued, Line

JANUARY, FEBRUARY = Interval(100, 200), Interval(200, 300)
TEN, VAT = (Discount("ten", Fraction(1, 10)),), (TaxRate("vat", "VAT", Fraction(1, 5)),)
WHY = (Cause("event", "e", "position 1"),)


def key(item: str = "a", segment: Interval = JANUARY) -> ChargeKey:
    return ChargeKey("c", "k", item, "calls", segment, (), "usd")


def want(amount: int, item: str = "a", segment: Interval = JANUARY, service: Interval | None = None, **more: Any) -> Desired:
    return Desired(
        key(item, segment), f"{item} now", service or segment, Fraction(amount, 10), Fraction(amount), amount, {"exact": str(amount)}, **more
    )


def had(amount: int, item: str = "a", segment: Interval = JANUARY, **more: Any) -> Issued:
    return Issued(key(item, segment), f"{item} then", segment, Fraction(amount, 10), Fraction(amount), amount, 0, TEN, VAT, "INV-1", **more)


def run(
    desired: list[Desired], issued: list[Issued], waived: dict[ChargeKey, int] | None = None, current: Interval | None = FEBRUARY, part: bool = False
) -> list[Line]:
    by_text = {key_text(one): amount for one, amount in (waived or {}).items()}
    services = {one.key: one.service for one in desired}

    def charged(key: ChargeKey) -> bool:
        return current is not None and services[key].overlap(current) is not None

    return list(difference(desired, issued, by_text, charged, lambda _: WHY, current if part else None))


def test_a_first_bill_is_a_charge_of_all_of_it() -> None:
    (line,) = run([want(70, segment=FEBRUARY, discounts=TEN)], [])
    assert (line.kind, line.amount, line.exact, line.quantity, line.previously) == ("charge", 70, 70, 7, 0)
    assert (line.corrects, line.causes, line.issued, line.discounts) == (None, (), None, TEN)


@pytest.mark.parametrize("amount", [90, 50, 0, -10])
def test_a_correction_is_the_difference_bound_as_the_first_line_was(amount: int) -> None:
    (line,) = run([want(amount, discounts=(), tax_rates=())], [had(70)])
    assert (line.kind, line.amount, line.exact, line.quantity) == ("correction", amount - 70, amount - 70, Fraction(amount - 70, 10))
    assert (line.previously, line.corrects, line.causes, line.issued) == (70, "INV-1", WHY, had(70))
    assert (line.discounts, line.tax_rates, line.description) == (TEN, VAT, "a now")


def test_nothing_is_said_of_what_is_right_already() -> None:
    assert run([want(70)], [had(70)]) == []


def test_the_first_bill_of_a_period_says_zero_and_nothing_else_does() -> None:
    assert [line.amount for line in run([want(0, segment=FEBRUARY)], [])] == [0]
    assert run([want(0, segment=FEBRUARY, discounts=TEN, tax_rates=VAT)], [had(0, segment=FEBRUARY)]) == []
    assert run([want(0, segment=FEBRUARY)], [], part=True) == []
    assert run([want(0)], []) == []


def test_a_part_that_was_charged_otherwise_is_charged_anew_even_by_nothing() -> None:
    (line,) = run([want(70, segment=FEBRUARY, discounts=TEN)], [had(70, segment=FEBRUARY)])
    assert (line.kind, line.amount, line.issued, line.tax_rates) == ("charge", 0, had(70, segment=FEBRUARY), ())
    assert run([want(70, segment=FEBRUARY, discounts=TEN)], [had(70, segment=FEBRUARY)], part=True) == []
    assert run([want(70, discounts=TEN)], [had(70)]) == []


def test_what_is_wanted_no_longer_is_reversed() -> None:
    (line,) = run([], [had(70)])
    assert (line.kind, line.amount, line.quantity, line.exact, line.description) == ("correction", -70, -7, -70, "a then")
    assert run([], [had(0)]) == []


def test_a_part_neither_lowers_nor_reverses_what_is_of_its_own_period() -> None:
    assert run([want(50, segment=FEBRUARY)], [had(70, segment=FEBRUARY), had(5, "b", FEBRUARY)], part=True) == []
    assert [line.amount for line in run([want(50, segment=FEBRUARY)], [had(70, segment=FEBRUARY), had(5, "b", FEBRUARY)])] == [-20, -5]


@pytest.mark.parametrize(("amount", "corrects"), [(95, None), (60, "INV-1")])
def test_a_charge_of_a_key_that_was_billed_in_part_knows_what_was_and_says_what_it_takes_back_of(amount: int, corrects: str | None) -> None:
    (line,) = run([want(amount, segment=FEBRUARY)], [had(70, segment=FEBRUARY)])
    assert (line.kind, line.amount, line.exact, line.previously) == ("charge", amount - 70, amount - 70, 70)
    assert (line.issued, line.corrects) == (had(70, segment=FEBRUARY), corrects)


def test_a_new_key_of_a_billed_period_is_bound_as_that_period_was() -> None:
    (line,) = run([want(70, discounts=TEN, tax_rates=VAT)], [])
    assert (line.kind, line.corrects, line.causes, line.discounts, line.tax_rates) == ("correction", None, WHY, TEN, VAT)
    assert line.issued is not None and line.issued.amount == 0 and line.issued.taxes == (("vat", 0, 0),)


WAIVED = [
    # desired, waived, billed, in all
    (240, 210, 0, 30),
    (200, 210, 200, 0),
    (0, 210, 0, 0),
    (-50, 210, 0, -50),
    (240, 0, 7, 240),
    (-240, -210, 0, -30),
    (-200, -210, 0, 0),
    (50, -210, 0, 50),  # nothing was billed that could be kept
    (50, -210, 260, 260),
    (100, -210, 260, 260),  # and what is billed anew is not billed on top of it
    (300, -210, 260, 300),
    (20, -210, 260, 230),
]


@pytest.mark.parametrize(("desired", "waived", "billed", "in_all"), WAIVED)
def test_a_waiver_brings_an_amount_towards_zero_and_not_beyond(desired: int, waived: int, billed: int, in_all: int) -> None:
    assert due_in_all(desired, waived, billed) == in_all
    assert due_in_all(desired, waived, in_all) == in_all, "once it is billed, nothing is left to bill"


def test_a_removed_item_of_which_a_part_was_waived_is_reversed_by_what_was_billed() -> None:
    (line,) = run([], [had(70)], {key(): 30})
    assert line.amount == -70
    assert run([], [], {key(): 30}) == []


def test_a_waiver_of_what_was_billed_comes_back() -> None:
    (line,) = run([want(70)], [had(70)], {key(): 30})
    assert (line.amount, line.exact) == (-30, 0)
    assert run([want(70)], [had(40)], {key(): 30}) == []


amounts = st.integers(-50, 50)


@given(
    st.dictionaries(st.sampled_from("abcd"), amounts),
    st.dictionaries(st.sampled_from("abcd"), amounts),
    st.dictionaries(st.sampled_from("abcd"), amounts),
)
def test_with_its_lines_every_key_comes_to_what_it_should(wanted: dict[str, int], billed: dict[str, int], given_up: dict[str, int]) -> None:
    lines = run(
        [want(n, item) for item, n in wanted.items()],
        [had(n, item) for item, n in billed.items()],
        {key(item): n for item, n in given_up.items()},
        None,
    )
    assert len({line.key for line in lines}) == len(lines) and all(line.amount for line in lines)
    total = dict(billed)
    for line in lines:
        total[line.key.item] = total.get(line.key.item, 0) + line.amount
    for item in wanted.keys() | billed.keys():
        assert total.get(item, 0) == due_in_all(wanted.get(item, 0), given_up.get(item, 0), billed.get(item, 0))


def test_books_that_do_not_agree_stop_the_run() -> None:
    wanted, issued = {key(): 70}, {key(): had(60)}
    with pytest.raises(AssertionError, match="should be billed 70 in all, but 60 is issued and pending"):
        assert_settled(wanted, issued, [], {})
    assert_settled(wanted, issued, [], {}, waiting=[key()])
    assert_settled(wanted, issued, [], {key_text(key()): 10})
