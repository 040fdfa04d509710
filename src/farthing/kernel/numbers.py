"""Exact numbers as SQL: integer expressions over a denominator that is known when the query is built.

A `Num` is worth `sql / den`, where `sql` yields BIGINT or HUGEINT. `low` and `high` bound the integer; they choose the width,
and DuckDB raises where a value still leaves it (both widths are checked by the engine), so a bound that does not hold costs a
refusal, never a digit. No operation here yields DOUBLE or DECIMAL.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import gcd, lcm
from typing import Literal

from farthing.core.base.rounding import RoundingMode, round_to_whole
from farthing.kernel.domain import OutsideDomain

Width = Literal["BIGINT", "HUGEINT"]
BIG = 2**63 - 1
HUGE = 2**127 - 1


@dataclass(frozen=True, slots=True)
class Num:
    """`sql / den`, with low ≤ sql ≤ high. `fixed` says that it is the same constant for every row, and never NULL."""

    sql: str
    den: int
    low: int
    high: int
    width: Width
    fixed: bool = False

    @property
    def constant(self) -> Fraction | None:
        """The value, when it is the same for every row."""
        return Fraction(self.low, self.den) if self.fixed else None


def width_of(low: int, high: int) -> Width:
    """The narrowest width that holds the bounds."""
    return "BIGINT" if low >= -BIG and high <= BIG else "HUGEINT"


def literal(value: int, width: Width) -> str:
    """An integer as SQL, of that width."""
    if abs(value) > HUGE:
        raise OutsideDomain("a constant of the price, at the denominator it is computed with, has more than 127 bits")
    return f"CAST({value} AS {width})"


def const(value: Fraction | int) -> Num:
    """The same value for every row."""
    value = Fraction(value)
    width = width_of(value.numerator, value.numerator)
    return Num(literal(value.numerator, width), value.denominator, value.numerator, value.numerator, width, fixed=True)


def widen(num: Num, width: Width) -> str:
    """The integer of `num` as SQL of at least that width."""
    return f"CAST({num.sql} AS HUGEINT)" if width == "HUGEINT" and num.width == "BIGINT" else num.sql


def at_den(num: Num, den: int) -> Num:
    """The same value over another denominator, a multiple of its own."""
    factor, rest = divmod(den, num.den)
    if rest:
        raise ValueError("a denominator can only be widened")
    return _scaled(num, factor, den)


def _scaled(num: Num, factor: int, den: int) -> Num:
    """`num.sql × factor` over `den`."""
    value = num.constant
    if value is not None:
        return _const_at(num.low * factor, den)
    if factor == 1:
        return Num(num.sql, den, num.low, num.high, num.width)
    ends = (num.low * factor, num.high * factor)
    width = _joint(num.width, *ends)
    return _num(f"({widen(num, width)} * {literal(factor, width)})", den, ends, width)


def _const_at(integer: int, den: int) -> Num:
    width = width_of(integer, integer)
    return Num(literal(integer, width), den, integer, integer, width, fixed=True)


def _num(sql: str, den: int, ends: tuple[int, ...], width: Width) -> Num:
    """Bounds beyond the width cannot occur: the engine raises first."""
    limit = BIG if width == "BIGINT" else HUGE
    return Num(sql, den, max(min(ends), -limit - 1), min(max(ends), limit), width)


def _joint(width: Width, *ends: int) -> Width:
    return "HUGEINT" if width == "HUGEINT" else width_of(min(ends), max(ends))


def common(*nums: Num) -> tuple[Num, ...]:
    """The same values over one denominator."""
    den = reduce(lcm, (num.den for num in nums), 1)
    return tuple(at_den(num, den) for num in nums)


def add(*nums: Num) -> Num:
    """Their sum."""
    aligned = common(*nums)
    if not aligned:
        return const(0)
    return reduce(_add, aligned)


def _add(a: Num, b: Num) -> Num:
    if a.constant is not None and b.constant is not None:
        return _const_at(a.low + b.low, a.den)
    if b.constant == 0:
        return a
    if a.constant == 0:
        return b
    ends = (a.low + b.low, a.high + b.high)
    width: Width = "HUGEINT" if "HUGEINT" in (a.width, b.width) else width_of(*ends)
    return _num(f"({widen(a, width)} + {widen(b, width)})", a.den, ends, width)


def minus(num: Num) -> Num:
    """Its negative."""
    return _scaled(num, -1, num.den)


def sub(a: Num, b: Num) -> Num:
    """a − b."""
    a, b = common(a, b)
    if b.constant is not None:
        return _add(a, minus(b))
    ends = (a.low - b.high, a.high - b.low)
    width: Width = "HUGEINT" if "HUGEINT" in (a.width, b.width) else width_of(*ends)
    return _num(f"({widen(a, width)} - {widen(b, width)})", a.den, ends, width)


def times(num: Num, factor: Fraction | int) -> Num:
    """num × an exact constant."""
    factor = Fraction(factor)
    if factor == 0:
        return const(0)
    shared = gcd(factor.numerator, num.den)
    return _scaled(num, factor.numerator // shared, num.den // shared * factor.denominator)


def product(a: Num, b: Num) -> Num:
    """a × b, both varying."""
    ends = tuple(x * y for x in (a.low, a.high) for y in (b.low, b.high))
    width = _joint("HUGEINT" if "HUGEINT" in (a.width, b.width) else "BIGINT", *ends)
    return _num(f"({widen(a, width)} * {widen(b, width)})", a.den * b.den, ends, width)


def least(a: Num, b: Num) -> Num:
    """The smaller of both."""
    return _extreme("LEAST", a, b)


def greatest(a: Num, b: Num) -> Num:
    """The greater of both."""
    return _extreme("GREATEST", a, b)


def _extreme(function: Literal["LEAST", "GREATEST"], a: Num, b: Num) -> Num:
    a, b = common(a, b)
    pick = min if function == "LEAST" else max
    low, high = pick(a.low, b.low), pick(a.high, b.high)
    for one, other in ((a, b), (b, a)):
        wins = one.high <= other.low if function == "LEAST" else one.low >= other.high
        # a constant may not take the place of a column that is NULL for some rows
        if wins and (one.constant is None or other.constant is not None):
            return one
    width: Width = "HUGEINT" if "HUGEINT" in (a.width, b.width) else "BIGINT"
    # LEAST and GREATEST skip NULL, which here means "not for this row" and has to stay NULL
    sign = "<=" if function == "LEAST" else ">="
    x, y = widen(a, width), widen(b, width)
    return Num(f"(CASE WHEN {x} {sign} {y} THEN {x} WHEN {x} IS NOT NULL THEN {y} END)", a.den, low, high, width)


Comparison = Literal["<", "<=", ">", ">=", "=", "<>"]


def compare(a: Num, sign: Comparison, b: Num) -> str:
    """A boolean as SQL (NULL where either is)."""
    a, b = common(a, b)
    width: Width = "HUGEINT" if "HUGEINT" in (a.width, b.width) else "BIGINT"
    return f"({widen(a, width)} {sign} {widen(b, width)})"


def choose(condition: str, then: Num, otherwise: Num | None = None) -> Num:
    """`then` where the condition holds, else `otherwise` (NULL without one)."""
    if otherwise is None:
        return Num(f"(CASE WHEN {condition} THEN {then.sql} END)", then.den, then.low, then.high, then.width)
    then, otherwise = common(then, otherwise)
    width: Width = "HUGEINT" if "HUGEINT" in (then.width, otherwise.width) else "BIGINT"
    sql = f"(CASE WHEN {condition} THEN {widen(then, width)} ELSE {widen(otherwise, width)} END)"
    return Num(sql, then.den, min(then.low, otherwise.low), max(then.high, otherwise.high), width)


def rounded(num: Num, mode: RoundingMode) -> Num:
    """The value rounded to a whole number as `core.base.rounding` does; `num.sql` should be a plain column, it is repeated."""
    if num.den == 1:
        return num
    if num.constant is not None:
        return const(round_to_whole(num.constant, mode))
    ends = tuple(round_to_whole(Fraction(end, num.den), mode) for end in (num.low, num.high))
    width = _joint(num.width, num.low - num.den, num.high + num.den)
    x, d = widen(num, width), literal(num.den, width)
    match mode:
        case RoundingMode.HALF_AWAY:
            sql = _half_away(num, x, d, width)
        case RoundingMode.DOWN:
            sql = f"({x} // {d})" if num.low >= 0 else f"({x} // {d} - CAST(({x} % {d}) < 0 AS {width}))"
        case RoundingMode.UP:
            sql = f"({x} // {d} + CAST(({x} % {d}) > 0 AS {width}))"
        case RoundingMode.HALF_EVEN:
            sql = _half_even(num, x, d, width)
    return _num(sql, 1, ends, width)


def _half_away(num: Num, x: str, d: str, width: Width) -> str:
    """`//` cuts towards zero, so half the denominator is added away from zero first (cut itself when odd: then no half exists)."""
    half = literal(num.den // 2, width)
    above, below = f"(({x} + {half}) // {d})", f"(({x} - {half}) // {d})"
    if num.low >= 0:
        return above
    return f"(CASE WHEN {x} >= 0 THEN {above} WHEN {x} < 0 THEN {below} END)"


def _half_even(num: Num, x: str, d: str, width: Width) -> str:
    cut, rest = f"({x} // {d})", f"abs({x} % {d})"
    away = f"CASE WHEN {x} < 0 THEN {literal(-1, width)} ELSE {literal(1, width)} END"
    half = literal((num.den + 1) // 2, width)  # rest beyond half: rest >= half when odd, rest > half when even
    if num.den % 2:
        goes = f"{rest} >= {half}"
    else:
        goes = f"({rest} > {half} OR ({rest} = {half} AND {cut} % 2 <> 0))"
    return f"(CASE WHEN {goes} THEN {cut} + {away} ELSE {cut} END)"


def retyped(num: Num, width: Width) -> Num:
    """The same value, of exactly that width (HUGEINT for columns that several queries fill)."""
    return Num(widen(num, width), num.den, num.low, num.high, width, num.fixed)
