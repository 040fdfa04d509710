"""Tax: exclusive, inclusive and mixed rates, rounding once per rate, splitting, and corrections."""

from dataclasses import replace
from fractions import Fraction

import pytest
from bill_builders import amounts, charges, correction, issued_by, line, rate, rate_lists
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.rounding import round_to_whole
from farthing.core.tax.taxes import apply_taxes, exclusive_tax, included_tax

VAT = (rate("vat", "1/5"),)
VAT_INSIDE = (rate("vat", "1/5", inclusive=True),)


def taxes_of(*lines):
    return [done.taxes for done in apply_taxes(tuple(lines))]


def test_exclusive_tax_is_summed_per_rate_rounded_once_and_split():
    lines = (line(1, "api", tax_rates=VAT), line(1, "seats", tax_rates=VAT), line(1, "storage", tax_rates=VAT))
    assert taxes_of(*lines) == [(("vat", 1, 1),), (("vat", 1, 0),), (("vat", 1, 0),)]  # 3 × 0.2 = 0.6 → 1, not 3 × 0


def test_tax_of_exactly_half_a_unit_rounds_away_from_zero():
    assert taxes_of(line(10, tax_rates=(rate("t", "1/20"),))) == [(("t", 10, 1),)]
    assert taxes_of(line(-10, tax_rates=(rate("t", "1/20"),))) == [(("t", -10, -1),)]


def test_several_exclusive_rates_are_charged_on_the_same_net():
    assert taxes_of(line(1000, tax_rates=(rate("state", "3/50"), rate("city", "1/50")))) == [(("state", 1000, 60), ("city", 1000, 20))]


def test_inclusive_tax_is_contained_in_the_net():
    (done,) = apply_taxes((line(1200, tax_rates=VAT_INSIDE),))
    assert done.taxes == (("vat", 1000, 200),)  # 1200 − 1200 ÷ 1.2
    assert done.net == 1200


def test_inclusive_rates_share_what_their_sum_contains():
    (done,) = apply_taxes((line(1300, tax_rates=(rate("a", "1/5", inclusive=True), rate("b", "1/10", inclusive=True))),))
    assert done.taxes == (("a", 1000, 200), ("b", 1000, 100))  # 1300 − 1300 ÷ 1.3 = 300


def test_an_exclusive_rate_beside_an_inclusive_one_is_charged_on_what_the_inclusive_leaves():
    (done,) = apply_taxes((line(1200, tax_rates=(rate("city", "1/100"), *VAT_INSIDE)),))
    assert done.taxes == (("vat", 1000, 200), ("city", 1000, 10))
    assert (included_tax([done]), exclusive_tax([done])) == (200, 10)


def test_tax_is_charged_after_discount_and_credits_before_tax():
    assert taxes_of(line(1000, tax_rates=VAT, discount=300, credit=200)) == [(("vat", 500, 100),)]


def test_a_line_without_rates_carries_no_tax_and_others_are_taxed_by_their_own():
    assert taxes_of(line(1000, "api"), line(1000, "seats", tax_rates=VAT)) == [(), (("vat", 1000, 200),)]


def test_a_line_of_zero_names_its_rate_with_no_tax():
    assert taxes_of(line(0, tax_rates=VAT)) == [(("vat", 0, 0),)]


def test_negative_lines_lower_the_tax_of_the_document():
    assert taxes_of(line(1003, "api", tax_rates=VAT), line(-401, "seats", tax_rates=VAT)) == [(("vat", 1003, 200),), (("vat", -401, -80),)]


def test_a_correction_carries_the_tax_of_the_whole_less_what_was_issued():
    (first,) = apply_taxes((line(7, tax_rates=VAT),))  # 1.4 → 1
    (late,) = apply_taxes((correction(1, first),))  # of 8: 1.6 → 2
    assert (first.taxes, late.taxes) == ((("vat", 7, 1),), (("vat", 1, 1),))


def test_a_correction_that_changes_no_net_changes_no_tax():
    (first,) = apply_taxes((line(2, tax_rates=(rate("t", "1/4"),)),))  # 0.5 → 1
    assert taxes_of(correction(0, first)) == [(("t", 0, 0),)]


def test_a_correction_uses_the_rates_of_the_first_line_not_todays():
    (first,) = apply_taxes((line(1000, tax_rates=VAT),))
    (late,) = apply_taxes((replace(correction(100, first), tax_rates=(rate("new", "1/2"),)),))
    assert (late.taxes, late.tax_rates) == ((("vat", 100, 20),), first.tax_rates)


def test_taking_back_lines_one_by_one_takes_back_exactly_their_tax():
    half = (rate("t", "1/2"),)
    first, second = apply_taxes((line(1, "api", tax_rates=half), line(1, "seats", tax_rates=half)))
    assert (first.taxes, second.taxes) == ((("t", 1, 1),), (("t", 1, 0),))
    assert taxes_of(correction(-1, first)) == [(("t", -1, -1),)]
    assert taxes_of(correction(-1, second)) == [(("t", -1, 0),)]


def test_a_correction_without_what_was_issued_is_an_error():
    with pytest.raises(ValueError, match="does not carry what was issued"):
        apply_taxes((replace(line(5, tax_rates=VAT), kind="correction"),))


def test_issued_taxes_that_lack_a_rate_are_an_error():
    (first,) = apply_taxes((line(1000, tax_rates=VAT),))
    broken = replace(correction(5, first), issued=replace(issued_by(first), taxes=()))
    with pytest.raises(ValueError, match="lack the rate 'vat'"):
        apply_taxes((broken,))


@given(charges())
def test_each_rate_sums_to_its_exact_tax_rounded_once(lines):
    done = apply_taxes(lines)
    for one in lines[0].tax_rates if lines else ():
        shares = []
        for part in done:
            inside = 1 + sum(other.percent for other in part.tax_rates if other.inclusive)
            taxable = next(base for id_, base, _ in part.taxes if id_ == one.id)
            shares.append(part.net * one.percent / inside if one.inclusive else taxable * one.percent)
        parts = [tax for part in done for id_, _, tax in part.taxes if id_ == one.id]
        assert sum(parts) == round_to_whole(sum(shares, Fraction(0)))
        assert all(abs(part - share) < 1 for part, share in zip(parts, shares, strict=True))


@given(charges())
def test_taxable_amount_and_contained_tax_make_up_the_net(lines):
    for done in apply_taxes(lines):
        assert all(taxable + included_tax([done]) == done.net for _, taxable, _ in done.taxes)


@given(charges(values=st.integers(0, 10**9)))
def test_no_tax_is_negative_on_positive_lines(lines):
    one_inside = tuple(replace(part, tax_rates=_at_most_one_inclusive(part.tax_rates)) for part in lines)
    for done in apply_taxes(one_inside):
        assert all(tax >= 0 and taxable >= 0 for _, taxable, tax in done.taxes)


def _at_most_one_inclusive(rates):
    inclusive = [one for one in rates if one.inclusive]
    return (*inclusive[:1], *(one for one in rates if not one.inclusive))


@given(charges())
def test_applying_taxes_twice_changes_nothing(lines):
    once = apply_taxes(lines)
    assert apply_taxes(once) == once


@given(charges())
def test_the_reversed_document_carries_the_reversed_taxes(lines):
    mirrored = tuple(replace(part, amount=-part.amount) for part in lines)
    assert [[tax for _, _, tax in part.taxes] for part in apply_taxes(mirrored)] == [
        [-tax for _, _, tax in part.taxes] for part in apply_taxes(lines)
    ]


@given(rate_lists(), st.lists(amounts, min_size=1, max_size=5))
def test_the_tax_of_a_key_is_that_of_its_whole_net_by_whatever_corrections_it_came_about(rates, steps):
    earlier = [apply_taxes((line(steps[0], tax_rates=rates),))[0]]
    for step in steps[1:]:
        earlier.append(apply_taxes((correction(step, *earlier),))[0])
    (at_once,) = apply_taxes((line(sum(steps), tax_rates=rates),))
    assert issued_by(*earlier).taxes == at_once.taxes


@given(charges(min_size=1), st.randoms(use_true_random=False))
def test_taking_everything_back_in_any_order_leaves_no_tax(lines, random):
    first = apply_taxes(lines)
    back = [apply_taxes((correction(-part.amount, part),))[0] for part in random.sample(first, len(first))]
    left = issued_by(*first, *back).taxes
    assert all(tax == 0 and taxable == 0 for _, taxable, tax in left)
