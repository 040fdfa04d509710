"""Exact numbers: what is read, what is refused by name, and that nothing is ever cut."""

import sys
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.exact import not_negative, parse_number, positive, read_shown, show, whole
from farthing.core.base.refusal import Refusal

TWENTY_NINES = "9" * 20
EIGHTEEN_NINES = "9" * 18


def refused(code, raw, read=parse_number):
    with pytest.raises(Refusal) as caught:
        read(raw, "amount")
    assert (caught.value.code, caught.value.field) == (code, "amount")
    return caught.value


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("12", Fraction(12)),
        ("0.25", Fraction(1, 4)),
        ("-0.25", Fraction(-1, 4)),
        ("+3", Fraction(3)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("007", Fraction(7)),
        ("-0", Fraction(0)),
        ("0.000000000000000001", Fraction(1, 10**18)),
        ("1e-6", Fraction(1, 10**6)),
        ("2.5E+3", Fraction(2500)),
        ("0e999", Fraction(0)),
        ("1000e-20", Fraction(1, 10**17)),
        ("0" * 150 + "1", Fraction(1)),
        (f"{TWENTY_NINES}.{EIGHTEEN_NINES}", Fraction(10**38 - 1, 10**18)),
        (7, Fraction(7)),
        (-(10**20 - 1), Fraction(-(10**20 - 1))),
        (Decimal("1.10"), Fraction(11, 10)),
        (Decimal("1E-18"), Fraction(1, 10**18)),
        (Decimal("0E+999999999999999999"), Fraction(0)),
        (Decimal("1." + "0" * 300), Fraction(1)),
    ],
)
def test_numbers_are_read_exactly(raw, value):
    assert parse_number(raw) == value


@pytest.mark.parametrize(
    ("code", "raw"),
    [
        ("number_malformed", ""),
        ("number_malformed", "."),
        ("number_malformed", "-"),
        ("number_malformed", "e5"),
        ("number_malformed", "1e"),
        ("number_malformed", "1.2.3"),
        ("number_malformed", "1,5"),
        ("number_malformed", " 1"),
        ("number_malformed", "1\n"),
        ("number_malformed", "1_000"),
        ("number_malformed", "0x10"),
        ("number_malformed", "1/3"),
        ("number_malformed", "１２"),
        ("number_malformed", "--1"),
        ("number_malformed", True),
        ("number_malformed", None),
        ("number_malformed", 0.5),
        ("number_malformed", ["1"]),
        ("number_malformed", Fraction(1, 2)),
        ("number_not_finite", "NaN"),
        ("number_not_finite", "-inf"),
        ("number_not_finite", "Infinity"),
        ("number_not_finite", Decimal("NaN")),
        ("number_not_finite", Decimal("-Infinity")),
        ("number_too_large", "1" + "0" * 20),
        ("number_too_large", 10**20),
        ("number_too_large", -(10**20)),
        ("number_too_large", "0.0000000000000000001"),
        ("number_too_large", "1e-19"),
        ("number_too_large", "1e20"),
        ("number_too_large", "1e999"),
        ("number_too_large", "1e-999"),
        ("number_malformed", "1e1000"),
        ("number_malformed", "0e-0001"),
        ("number_too_large", Decimal("1E+5000")),
        ("number_too_large", Decimal("1E+999999999999999999")),
        ("number_too_large", Decimal("-1E-19")),
        ("number_too_large", Decimal("1." + "0" * 18 + "1")),
        ("number_too_large", "0" * 201),
    ],
)
def test_what_cannot_be_read_exactly_is_refused_by_name(code, raw):
    assert refused(code, raw).message


def test_signs_and_wholes_are_refused_by_name():
    assert refused("number_negative", Fraction(-1, 3), not_negative).message == "-1/3 is negative."
    assert refused("number_not_positive", Fraction(0), positive).message == "0 is not above zero."
    assert refused("number_not_whole", Fraction(1, 2), whole).message == "0.5 is not a whole number."
    assert (not_negative(Fraction(0)), positive(Fraction(1, 3)), whole(Fraction(4, 2))) == (0, Fraction(1, 3), 2)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(1, 4), "0.25"),
        (Fraction(-1, 4), "-0.25"),
        (Fraction(-12), "-12"),
        (0, "0"),
        (Fraction(1, 3), "1/3"),
        (Fraction(-2, 6), "-1/3"),
        (Fraction(1, 10**18), "0.000000000000000001"),
        (Fraction(7, 2**3 * 5), "0.175"),
        (Fraction(100), "100"),
        (Fraction(1, 3 * 10**20), "1/300000000000000000000"),
        (Fraction(10**38 - 1, 10**18), f"{TWENTY_NINES}.{EIGHTEEN_NINES}"),
    ],
)
def test_exact_amounts_are_written_as_a_decimal_or_a_fraction(value, text):
    assert show(value) == text
    assert read_shown(text) == value


def test_products_keep_the_digits_that_a_default_decimal_drops():
    """Decimal rounds products at 28 digits without a word; here is one that it gets wrong."""
    quantity, price = "12345678901234567890.123456789", "0.000000123456789"
    product = parse_number(quantity) * parse_number(price)
    assert show(product) == "1524157875171.467887517146788750190521"
    with localcontext() as context:
        context.prec = 28
        assert Fraction(Decimal(quantity) * Decimal(price)) != product


def test_reading_does_not_depend_on_the_decimal_context():
    with localcontext() as context:
        context.prec = 3
        assert parse_number(Decimal("12345678901234567890.123456789012345678")) == Fraction(12345678901234567890123456789012345678, 10**18)


def test_sums_of_many_small_numbers_are_exact():
    assert sum((parse_number("0.1") for _ in range(1000)), Fraction(0)) == 100


@given(st.fractions(max_denominator=10**12))
def test_what_is_written_reads_back(value):
    assert read_shown(show(value)) == value


@given(st.decimals(min_value=-(10**20) + 1, max_value=10**20 - 1, places=18, allow_nan=False, allow_infinity=False))
def test_every_number_within_the_bounds_is_read_exactly_from_text_and_decimal(number):
    with localcontext() as context:
        context.prec = 60
        assert parse_number(str(number)) == parse_number(number) == Fraction(number)
        assert parse_number(show(Fraction(number))) == Fraction(number)


@given(st.text(alphabet="0123456789.eE+-_/ naif１", max_size=12))
def test_any_text_is_read_as_python_reads_it_or_refused_by_name(text):
    try:
        value = parse_number(text)
    except Refusal as refusal:
        assert refusal.code in {"number_malformed", "number_not_finite", "number_too_large"}
    else:
        assert value == Fraction(Decimal(text))


def test_long_ints_do_not_meet_pythons_limit_on_digits():
    assert sys.get_int_max_str_digits() < 5000
    assert "bits" in refused("number_too_large", 10**5000).message
