"""Exact numbers. Inside Farthing every quantity, rate and amount is a Fraction; text at the edges is read and written exactly."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import NUMBER_MALFORMED, NUMBER_NEGATIVE, NUMBER_NOT_FINITE, NUMBER_NOT_POSITIVE, NUMBER_NOT_WHOLE, NUMBER_TOO_LARGE

WHOLE_DIGITS = 20
DECIMAL_DIGITS = 18
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(?:nan|snan|inf|infinity)", re.IGNORECASE)


def parse_number(raw: object, field: str | None = None) -> Fraction:
    """Read a decimal number exactly.

    Takes text ("0.25", "1e-6"; at most 200 characters, exponents of at most three digits), int or Decimal; never float or bool.
    The value has at most 20 digits before and 18 after the point, however it is written.
    Errors: number_malformed, number_not_finite, number_too_large.
    """
    if isinstance(raw, bool) or not isinstance(raw, (str, int, Decimal)):
        raise Refusal(NUMBER_MALFORMED, f"{shown(raw)} is not a decimal number.", field)
    if isinstance(raw, int):
        return _bounded(Fraction(raw), raw, field)
    if isinstance(raw, Decimal):
        return _of_decimal(raw, field)
    if len(raw) > 200:
        raise Refusal(NUMBER_TOO_LARGE, f"a number of {len(raw)} characters is too long.", field)
    if _NOT_FINITE.fullmatch(raw):
        raise _not_finite(raw, field)
    if _NUMBER.fullmatch(raw) is None:
        raise Refusal(NUMBER_MALFORMED, f"{shown(raw)} is not a decimal number.", field)
    return _bounded(Fraction(raw), raw, field)


def _of_decimal(raw: Decimal, field: str | None) -> Fraction:
    if not raw.is_finite():
        raise _not_finite(raw, field)
    if not raw:
        return Fraction(0)
    if not -DECIMAL_DIGITS <= raw.adjusted() < WHOLE_DIGITS:  # so that no exponent makes a Fraction of millions of digits
        raise _too_large(raw, field)
    return _bounded(Fraction(raw), raw, field)


def _bounded(value: Fraction, raw: object, field: str | None) -> Fraction:
    if abs(value) >= 10**WHOLE_DIGITS or (value * 10**DECIMAL_DIGITS).denominator != 1:
        raise _too_large(raw, field)
    return value


def _too_large(raw: object, field: str | None) -> Refusal:
    return Refusal(NUMBER_TOO_LARGE, f"{shown(raw)} has more than {WHOLE_DIGITS} digits before or {DECIMAL_DIGITS} after the point.", field)


def _not_finite(raw: object, field: str | None) -> Refusal:
    return Refusal(NUMBER_NOT_FINITE, f"{shown(raw)} is not a finite number.", field)


def not_negative(value: Fraction, field: str | None = None) -> Fraction:
    """`value` itself; refused as number_negative below zero."""
    if value < 0:
        raise Refusal(NUMBER_NEGATIVE, f"{show(value)} is negative.", field)
    return value


def positive(value: Fraction, field: str | None = None) -> Fraction:
    """`value` itself; refused as number_not_positive at zero or below."""
    if value <= 0:
        raise Refusal(NUMBER_NOT_POSITIVE, f"{show(value)} is not above zero.", field)
    return value


def whole(value: Fraction, field: str | None = None) -> int:
    """`value` as an int; refused as number_not_whole when it is none."""
    if value.denominator != 1:
        raise Refusal(NUMBER_NOT_WHOLE, f"{show(value)} is not a whole number.", field)
    return value.numerator


def show(value: Fraction | int) -> str:
    """Write a number exactly: a plain decimal where it terminates ("0.25", "-12"), else the fraction "n/d" in lowest terms."""
    value = Fraction(value)
    places = _decimal_places(value.denominator)
    if places is None:
        return f"{value.numerator}/{value.denominator}"
    if places == 0:
        return str(value.numerator)
    scaled = value.numerator * 10**places // value.denominator
    sign, digits = ("-" if scaled < 0 else ""), str(abs(scaled)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def _decimal_places(denominator: int) -> int | None:
    """How many decimals 1/denominator needs; None if it does not terminate."""
    twos = fives = 0
    while denominator % 2 == 0:
        denominator //= 2
        twos += 1
    while denominator % 5 == 0:
        denominator //= 5
        fives += 1
    return max(twos, fives) if denominator == 1 else None


def read_shown(text: str) -> Fraction:
    """The inverse of `show`, for what Farthing itself wrote (not bounded, not for input from outside)."""
    return Fraction(text)
