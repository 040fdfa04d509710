"""The rounding contract: which modes there are, and how a whole is split so that its parts sum to it. See docs/rounding.md."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction


class RoundingMode(StrEnum):
    """How an exact amount becomes a whole number of units. Half away from zero is the default everywhere."""

    HALF_AWAY = "half_away"
    HALF_EVEN = "half_even"
    UP = "up"  # towards plus infinity
    DOWN = "down"  # towards minus infinity


def round_to_whole(value: Fraction, mode: RoundingMode = RoundingMode.HALF_AWAY) -> int:
    """Round an exact value once, in the declared mode, to a whole number."""
    floor, rest = divmod(value.numerator, value.denominator)
    match mode:
        case RoundingMode.DOWN:
            return floor
        case RoundingMode.UP:
            return floor + (rest > 0)
        case RoundingMode.HALF_AWAY:
            above = 2 * rest > value.denominator or (2 * rest == value.denominator and value > 0)
            return floor + above
        case RoundingMode.HALF_EVEN:
            above = 2 * rest > value.denominator or (2 * rest == value.denominator and floor % 2 == 1)
            return floor + above


def apportion(total: int, shares: Sequence[Fraction | int]) -> tuple[int, ...]:
    """Whole parts for exact `shares` (of either sign) that sum to `total`, which is the rounded sum of the shares.

    Largest remainder: each part is its share cut towards zero; the units that then miss go one each, in the direction that
    they miss, to the shares with the largest remainder in that direction, ties to the earlier. So every part is within one
    unit of its share, a whole share keeps its value, and negating everything negates the parts.
    Errors: ValueError when `total` is not the sum of the shares within less than one unit.
    """
    exact = sum((Fraction(share) for share in shares), Fraction(0))
    if abs(total - exact) >= 1:
        raise ValueError("the total is not the rounded sum of its shares")
    parts = [int(share) for share in shares]  # int() cuts towards zero
    missing = total - sum(parts)
    step = 1 if missing > 0 else -1
    by_remainder = sorted(range(len(parts)), key=lambda i: (step * (parts[i] - shares[i]), i))
    for i in by_remainder[: abs(missing)]:
        parts[i] += step
    return tuple(parts)


def split(total: int, weights: Sequence[Fraction | int]) -> tuple[int, ...]:
    """Split `total` minor units in proportion to `weights` by largest remainder; the parts sum to `total` exactly.

    Each part is the exact share cut towards zero; the units left over go one each to the largest remainders, ties to the
    earlier part. Weights are zero or more; if all are zero the first part gets everything. Nothing to split over: total must be 0.
    Errors: ValueError for a negative weight, or for a non-zero total without weights.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError("weights of a split are zero or more")
    if not weights:
        if total:
            raise ValueError("a non-zero total cannot be split over nothing")
        return ()
    whole = sum((Fraction(weight) for weight in weights), Fraction(0))
    if whole == 0:
        return (total,) + (0,) * (len(weights) - 1)
    return apportion(total, [total * Fraction(weight) / whole for weight in weights])
