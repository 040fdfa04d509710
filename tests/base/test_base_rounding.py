"""Rounding and splitting: the modes, largest remainder, and what holds for every number."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.rounding import RoundingMode, apportion, round_to_whole, split

HALVES = [Fraction(n, 2) for n in range(-5, 6)]
TABLE = {
    #                           -2.5 -2 -1.5 -1 -0.5  0 0.5  1 1.5  2 2.5
    RoundingMode.HALF_AWAY: [-3, -2, -2, -1, -1, 0, 1, 1, 2, 2, 3],
    RoundingMode.HALF_EVEN: [-2, -2, -2, -1, 0, 0, 0, 1, 2, 2, 2],
    RoundingMode.UP: [-2, -2, -1, -1, 0, 0, 1, 1, 2, 2, 3],
    RoundingMode.DOWN: [-3, -2, -2, -1, -1, 0, 0, 1, 1, 2, 2],
}
fractions = st.one_of(st.fractions(), st.fractions(-5, 5, max_denominator=8), st.integers(-20, 20).map(lambda n: Fraction(n, 2)))
modes = st.sampled_from(RoundingMode)


@pytest.mark.parametrize("mode", RoundingMode)
def test_each_mode_rounds_halves_as_declared(mode):
    assert [round_to_whole(value, mode) for value in HALVES] == TABLE[mode]


def test_half_away_from_zero_is_the_default():
    assert [round_to_whole(value) for value in HALVES] == TABLE[RoundingMode.HALF_AWAY]


@pytest.mark.parametrize("mode", [RoundingMode.HALF_AWAY, RoundingMode.HALF_EVEN])
def test_the_slightest_bit_beside_a_half_decides(mode):
    bit = Fraction(1, 10**40)
    assert round_to_whole(Fraction(5, 2) + bit, mode) == 3
    assert round_to_whole(Fraction(5, 2) - bit, mode) == 2
    assert round_to_whole(Fraction(-5, 2) - bit, mode) == -3
    assert round_to_whole(Fraction(-5, 2) + bit, mode) == -2


def test_the_modes_are_the_published_ones():
    assert [mode.value for mode in RoundingMode] == ["half_away", "half_even", "up", "down"]


@given(fractions, modes)
def test_rounding_moves_by_less_than_one_and_keeps_wholes(value, mode):
    rounded = round_to_whole(value, mode)
    assert abs(rounded - value) < 1
    assert round_to_whole(Fraction(rounded), mode) == rounded
    if mode in (RoundingMode.HALF_AWAY, RoundingMode.HALF_EVEN):
        assert abs(rounded - value) <= Fraction(1, 2)


@given(fractions)
def test_modes_mirror_each_other_around_zero(value):
    assert round_to_whole(-value) == -round_to_whole(value)
    assert round_to_whole(-value, RoundingMode.HALF_EVEN) == -round_to_whole(value, RoundingMode.HALF_EVEN)
    assert round_to_whole(-value, RoundingMode.UP) == -round_to_whole(value, RoundingMode.DOWN)


@given(fractions, fractions, modes)
def test_rounding_keeps_order(one, other, mode):
    low, high = sorted((one, other))
    assert round_to_whole(low, mode) <= round_to_whole(high, mode)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (1000, [1500, 1000, 500], (500, 333, 167)),
        (100, [1, 1, 1], (34, 33, 33)),
        (-100, [1, 1, 1], (-34, -33, -33)),
        (2, [1, 1, 1], (1, 1, 0)),
        (10, [Fraction(1, 3), Fraction(2, 3)], (3, 7)),
        (5, [0, 3, 0], (0, 5, 0)),
        (7, [0, 0], (7, 0)),
        (0, [1, 2], (0, 0)),
        (0, [], ()),
        (1, [1, 10**30], (0, 1)),
        (3, [Fraction(1, 6), Fraction(1, 6), Fraction(1, 6)], (1, 1, 1)),
    ],
)
def test_a_split_gives_left_over_units_to_the_largest_remainders(total, weights, parts):
    assert split(total, weights) == parts


def test_a_split_over_nothing_or_by_negative_weights_is_an_error():
    with pytest.raises(ValueError, match="cannot be split over nothing"):
        split(1, [])
    with pytest.raises(ValueError, match="zero or more"):
        split(1, [2, -1])


@given(st.integers(-(10**15), 10**15), st.lists(st.one_of(st.integers(0, 10**9), st.fractions(0, 10**6)), min_size=1, max_size=8))
def test_the_parts_of_a_split_sum_to_the_whole_within_a_unit_of_their_shares(total, weights):
    parts = split(total, weights)
    assert sum(parts) == total
    assert all(part == 0 or (part > 0) == (total > 0) for part in parts)
    whole = sum(weights)
    if whole:
        assert all(abs(part - Fraction(total * weight) / whole) < 1 for part, weight in zip(parts, weights, strict=True))
        assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=8))
def test_no_part_of_a_split_exceeds_its_weight_while_the_total_does_not(total, weights):
    total = min(total, sum(weights))
    assert all(part <= weight for part, weight in zip(split(total, weights), weights, strict=True))


@given(st.integers(0, 10**9), st.lists(st.integers(1, 10**6), min_size=1, max_size=8))
def test_larger_weights_get_no_smaller_parts(total, weights):
    parts = split(total, weights)
    ranked = sorted(zip(weights, parts, strict=True))
    assert all(low[1] <= high[1] for low, high in pairwise(ranked) if low[0] < high[0])


@pytest.mark.parametrize(
    ("total", "shares", "parts"),
    [
        (1, [Fraction(1, 5)] * 3, (1, 0, 0)),
        (120, [Fraction(1003, 5), Fraction(-401, 5)], (200, -80)),
        (0, [Fraction(1, 2), Fraction(-1, 2)], (0, 0)),
        (-1, [Fraction(-1, 2), 0], (-1, 0)),
        (1, [Fraction(3, 2), Fraction(-3, 5)], (1, 0)),
        (-1, [Fraction(-3, 2), Fraction(3, 5)], (-1, 0)),
        (2, [Fraction(8, 5), Fraction(3, 5), Fraction(-1, 5)], (2, 0, 0)),
        (5, [5, 0], (5, 0)),
        (0, [], ()),
    ],
)
def test_shares_of_either_sign_are_apportioned_by_largest_remainder(total, shares, parts):
    assert apportion(total, shares) == parts


def test_a_total_that_is_not_the_sum_of_its_shares_is_an_error():
    with pytest.raises(ValueError, match="not the rounded sum"):
        apportion(2, [Fraction(1, 2), Fraction(1, 2)])


@given(st.lists(fractions, max_size=8), modes)
def test_apportioned_parts_sum_to_the_rounded_sum_within_a_unit_of_their_shares(shares, mode):
    total = round_to_whole(sum(shares, Fraction(0)), mode)
    parts = apportion(total, shares)
    assert sum(parts) == total
    assert all(abs(part - share) < 1 for part, share in zip(parts, shares, strict=True))
    assert all(part * share >= 0 for part, share in zip(parts, shares, strict=True))


@given(st.lists(fractions, max_size=8))
def test_apportioning_mirrors_around_zero(shares):
    total = round_to_whole(sum(shares, Fraction(0)))
    assert apportion(-total, [-share for share in shares]) == tuple(-part for part in apportion(total, shares))
