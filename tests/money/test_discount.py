"""Discounts: percentages by line, fixed amounts by document, and what a correction does to both."""

from dataclasses import replace
from fractions import Fraction

import pytest
from bill_builders import ITEMS, amounts, charges, correction, discount_lists, fixed, issued_by, line, percent, positive_amounts
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.rounding import round_to_whole
from farthing.core.invoice.discount import apply_discounts, covering


def discounts_of(*lines):
    return [done.discount for done in apply_discounts(tuple(lines))]


def test_percentages_apply_in_the_order_listed_each_on_what_is_left():
    (done,) = apply_discounts((line(1005, discounts=(percent("a", "1/5"), percent("b", "1/10"))),))
    assert done.discount_parts == (("a", 201), ("b", 80))  # 20 % of 10.05 is 2.01; 10 % of 8.04 is 0.804
    assert (done.discount, done.net) == (281, 724)


def test_a_percentage_rounds_half_away_from_zero_on_each_line():
    half = (percent("a", "1/2"),)
    assert discounts_of(line(1, "api", half), line(1, "seats", half), line(-1, "storage", half), line(3, "support", half)) == [1, 1, -1, 2]


def test_a_percentage_lowers_only_the_items_it_names():
    named = (percent("a", "1/10", items=("seats",)),)
    assert discounts_of(line(1000, "api", named), line(1000, "seats", named)) == [0, 100]


def test_an_empty_list_of_items_covers_nothing():
    assert discounts_of(line(1000, discounts=(fixed("a", 100, items=()), percent("b", "1/2", items=())))) == [0]


def test_a_fixed_amount_is_split_by_largest_remainder():
    off = (fixed("a", 1000),)
    assert discounts_of(line(1500, "api", off), line(1000, "seats", off), line(500, "storage", off)) == [500, 333, 167]


def test_a_fixed_amount_comes_after_percentages_wherever_it_is_listed():
    (done,) = apply_discounts((line(1000, discounts=(fixed("a", 300), percent("b", "1/10"))),))
    assert done.discount_parts == (("b", 100), ("a", 300))


def test_a_fixed_amount_never_takes_more_than_is_left():
    off = (fixed("a", 700), fixed("b", 700))
    done = apply_discounts((line(600, "api", off), line(400, "seats", off)))
    assert [part.discount_parts for part in done] == [(("a", 420), ("b", 180)), (("a", 280), ("b", 120))]
    assert [part.net for part in done] == [0, 0]


def test_a_fixed_amount_is_used_once_a_document_however_many_lines_carry_it():
    off = (fixed("a", 50),)
    assert sum(discounts_of(*(line(1000, item, off) for item in ITEMS))) == 50


def test_a_fixed_amount_of_named_items_leaves_the_others_alone():
    off = (fixed("a", 5000, items=("seats", "support")),)
    assert discounts_of(line(9000, "api", off), line(100, "seats", off), line(300, "support", off)) == [0, 100, 300]


def test_fixed_amounts_apply_in_the_order_listed_whichever_line_they_cover():
    off = (fixed("a", 60, items=("seats",)), fixed("b", 100))
    done = apply_discounts((line(40, "api", off), line(60, "seats", off)))
    assert [part.discount_parts for part in done] == [(("b", 40),), (("a", 60),)]


def test_negative_lines_lower_what_a_fixed_amount_may_take_and_carry_none_of_it():
    off = (fixed("a", 5000),)
    assert discounts_of(line(1000, "api", off), line(-400, "seats", off)) == [600, 0]
    assert discounts_of(line(1000, "api", off), line(-1400, "seats", off)) == [0, 0]


def test_a_percentage_of_a_negative_line_gives_the_discount_back():
    assert discounts_of(line(-1005, discounts=(percent("a", "1/5"),))) == [-201]


def test_a_correction_carries_the_percentage_of_the_whole_less_what_was_issued():
    (first,) = apply_discounts((line(33, discounts=(percent("a", "1/10"),)),))
    (late,) = apply_discounts((correction(2, first),))
    assert (first.discount, late.discount) == (3, 1)  # 10 % of 35 is 3.5, rounded once to 4; of 2 alone it would be 0


def test_a_correction_uses_the_discounts_of_the_first_line_not_todays():
    (first,) = apply_discounts((line(1000, discounts=(percent("a", "1/10"),)),))
    today = replace(correction(500, first), discounts=(percent("b", "1/2"),))
    (late,) = apply_discounts((today,))
    assert (late.discount_parts, late.discounts) == ((("a", 50),), first.discounts)


def test_a_correction_does_not_decide_a_fixed_amount_again():
    (first,) = apply_discounts((line(600, discounts=(fixed("a", 1000),)),))
    (late,) = apply_discounts((correction(500, first),))
    assert (first.discount, late.discount, late.discount_parts) == (600, 0, ())


def test_a_correction_takes_back_the_fixed_amount_that_has_nothing_left_to_lower():
    (first,) = apply_discounts((line(1000, discounts=(fixed("a", 300), fixed("b", 100))),))
    (less,) = apply_discounts((correction(-650, first),))
    assert less.discount_parts == (("b", -50),)  # 3.50 left: 3.00 of a stay, 0.50 of b
    (nothing,) = apply_discounts((correction(-350, first, less),))
    assert (nothing.discount_parts, nothing.net) == ((("a", -300), ("b", -50)), 0)


def test_fixed_amounts_are_not_spread_over_corrections():
    (first,) = apply_discounts((line(100, discounts=(fixed("a", 50),)),))
    done = apply_discounts((correction(900, first), line(100, "seats", (fixed("b", 60),))))
    assert [part.discount for part in done] == [0, 60]


def test_a_correction_without_what_was_issued_is_an_error():
    with pytest.raises(ValueError, match="does not carry what was issued"):
        apply_discounts((replace(line(5), kind="correction"),))


def test_issued_discounts_that_do_not_add_up_are_an_error():
    (first,) = apply_discounts((line(1000, discounts=(percent("a", "1/10"),)),))
    broken = replace(correction(5, first), issued=replace(issued_by(first), discount=99))
    with pytest.raises(ValueError, match="do not add up to 99"):
        apply_discounts((broken,))


@given(charges())
def test_parts_sum_to_the_discount_of_the_line(lines):
    for done in apply_discounts(lines):
        assert sum(part for _, part in done.discount_parts) == done.discount
        assert {id_ for id_, _ in done.discount_parts} <= {discount.id for discount in covering(done)}


@given(charges())
def test_no_discount_takes_a_line_across_zero(lines):
    for done in apply_discounts(lines):
        assert 0 <= done.discount <= done.amount or done.amount <= done.discount <= 0


@given(charges())
def test_a_fixed_amount_takes_exactly_the_smaller_of_itself_and_what_is_left(lines):
    done = apply_discounts(lines)
    left = [part.amount - sum(units for id_, units in part.discount_parts if _is_percent(part, id_)) for part in done]
    for discount in (bound for bound in (lines[0].discounts if lines else ()) if bound.amount is not None):
        covered = [i for i, part in enumerate(done) if discount in covering(part)]
        taken = {i: dict(done[i].discount_parts).get(discount.id, 0) for i in covered}
        assert sum(taken.values()) == min(discount.amount, max(0, sum(left[i] for i in covered)))
        for i in covered:
            left[i] -= taken[i]


def _is_percent(done, id_):
    return next(discount for discount in done.discounts if discount.id == id_).percent is not None


@given(charges())
def test_applying_discounts_twice_changes_nothing(lines):
    once = apply_discounts(lines)
    assert apply_discounts(once) == once


@given(charges(), st.randoms(use_true_random=False))
def test_percentages_do_not_depend_on_the_order_of_lines(lines, random):
    kept = [replace(part, discounts=tuple(d for d in part.discounts if d.percent is not None)) for part in lines]
    mixed = random.sample(kept, len(kept))
    assert {part.key: part for part in apply_discounts(tuple(mixed))} == {part.key: part for part in apply_discounts(tuple(kept))}


@given(discount_lists(), st.lists(amounts, min_size=1, max_size=5))
def test_percentages_of_a_key_are_the_same_by_whatever_corrections_it_came_about(discounts, steps):
    only = tuple(discount for discount in discounts if discount.percent is not None)
    earlier = [apply_discounts((line(steps[0], discounts=only),))[0]]
    for step in steps[1:]:
        earlier.append(apply_discounts((correction(step, *earlier),))[0])
    (at_once,) = apply_discounts((line(sum(steps), discounts=only),))
    assert sum(part.discount for part in earlier) == at_once.discount
    assert issued_by(*earlier).discount == at_once.discount


@given(discount_lists(), positive_amounts, st.lists(amounts, max_size=4))
def test_corrections_never_leave_a_key_below_zero_nor_keep_a_discount_on_nothing(discounts, first, steps):
    earlier = [apply_discounts((line(first, discounts=discounts),))[0]]
    for step in [*steps, -first - sum(steps)]:
        earlier.append(apply_discounts((correction(step, *earlier),))[0])
        billed, discount = sum(part.amount for part in earlier), sum(part.discount for part in earlier)
        assert 0 <= discount <= billed or billed <= discount <= 0
    assert sum(part.net for part in earlier) == 0


@given(st.integers(-(10**15), 10**15), st.fractions(0, 1, max_denominator=10**6))
def test_a_percentage_is_within_half_a_unit_of_the_exact_share(amount, share):
    (done,) = apply_discounts((line(amount, discounts=(percent("a", share),)),))
    assert abs(done.discount - amount * share) <= Fraction(1, 2)
    assert done.discount == round_to_whole(amount * share)
