"""Currencies: the codes and minor units of ISO 4217."""

import pytest

from farthing.core.base.currency import all_currencies, minor_decimals, parse_currency
from farthing.core.base.refusal import Refusal


def test_there_are_as_many_currencies_of_each_minor_unit_as_the_standard_lists():
    decimals = [minor_decimals(code) for code in all_currencies()]
    assert {places: decimals.count(places) for places in set(decimals)} == {2: 139, 0: 17, 3: 7, 4: 2}


@pytest.mark.parametrize(
    ("code", "decimals"), [("usd", 2), ("eur", 2), ("gbp", 2), ("jpy", 0), ("krw", 0), ("isk", 0), ("kwd", 3), ("tnd", 3), ("clf", 4), ("uyw", 4)]
)
def test_minor_units_of_well_known_currencies(code, decimals):
    assert minor_decimals(code) == decimals


def test_codes_are_sorted_and_lower_case_and_unique():
    codes = all_currencies()
    assert list(codes) == sorted(set(codes))
    assert all(len(code) == 3 and code.isascii() and code.islower() for code in codes)


def test_either_case_is_read_and_lower_case_returned():
    assert (parse_currency("USD"), parse_currency("usd"), parse_currency("Usd")) == ("usd", "usd", "usd")


@pytest.mark.parametrize("raw", ["xau", "us", "usdx", "", " usd", "usd\n", "\u212awd", None, 840, ["usd"], "xxx", "dem"])
def test_what_is_no_currency_with_a_minor_unit_is_refused(raw):
    with pytest.raises(Refusal) as caught:
        parse_currency(raw)
    assert (caught.value.code, caught.value.field) == ("currency_unknown", "currency")
