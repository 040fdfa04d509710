"""Published prices and bills that others worked out from them: amounts must come out to the cent."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from farthing.app.rate import rate_line


def answer(price: dict[str, Any], **usage: Any) -> dict[str, Any]:
    result = rate_line(json.dumps({"id": "x", "price": price, **usage}))
    assert "error" not in result, result
    return result


def tiered(*tiers: tuple[Any, str]) -> dict[str, Any]:
    return {
        "currency": "usd",
        "billing_scheme": "tiered",
        "tiers_mode": "graduated",
        "tiers": [{"up_to": up_to, "unit_amount_decimal": unit} for up_to, unit in tiers],
    }


# Amazon API Gateway, us-east-1: 3.50 / 2.80 / 2.38 / 1.51 USD a million requests.
API_GATEWAY = tiered((333_000_000, "0.00035"), (1_000_000_000, "0.00028"), (20_000_000_000, "0.000238"), ("inf", "0.000151"))
# AWS Lambda x86, us-east-1: USD a GB-second.
LAMBDA = tiered((6_000_000_000, "0.00166667"), (15_000_000_000, "0.0015"), ("inf", "0.00133334"))
# Amazon S3 standard storage, eu-west-1, 2018-03: USD a GB-month.
S3 = tiered((51_200, "2.3"), (512_000, "2.2"), ("inf", "2.1"))


@pytest.mark.parametrize(
    ("price", "quantity", "cents"),
    [
        (API_GATEWAY, 21_000_000_000, 4_976_310),
        (API_GATEWAY, 333_000_000, 116_550),
        (API_GATEWAY, 1_000_000_000, 116_550 + 186_760),
        (API_GATEWAY, 20_000_000_000, 116_550 + 186_760 + 4_522_000),
        (LAMBDA, 61_440_000_000, 10_000_020 + 13_500_000 + 61_920_310),
        (LAMBDA, 9_216_000_000, 10_000_020 + 4_824_000),
        (LAMBDA, 3_072_000_000, 5_120_010),
        (LAMBDA, 17_500, 29),
        (S3, 51_200, 117_760),
        (S3, 512_000, 117_760 + 1_013_760),
        (S3, 600_000, 117_760 + 1_013_760 + 184_800),
    ],
)
def test_cloud_tiers(price: dict[str, Any], quantity: int, cents: int) -> None:
    assert answer(price, quantity=quantity)["amount"] == cents


@pytest.mark.parametrize(
    ("name", "tokens_in", "tokens_out", "per_million", "usd"),
    [
        ("gpt-4o, code", 18_059_974, 245_896, ("250", "1000"), "47.608895"),
        ("gpt-4o, chat", 22_361_870, 4_088_665, ("250", "1000"), "96.791325"),
        ("gpt-4, code", 18_059_974, 245_896, ("3000", "6000"), "556.55298"),
        ("gpt-4o-mini, chat", 22_361_870, 4_088_665, ("15", "60"), "5.8074795"),
        ("claude-sonnet-4-5, chat", 22_361_870, 4_088_665, ("300", "1500"), "128.415585"),
    ],
)
def test_llm_tokens(name: str, tokens_in: int, tokens_out: int, per_million: tuple[str, str], usd: str) -> None:
    lines = [
        answer({"currency": "usd", "unit_amount_decimal": cents, "ext": {"conversion": {"divide_by": 1_000_000}}}, quantity=quantity)
        for cents, quantity in zip(per_million, (tokens_in, tokens_out), strict=True)
    ]
    assert sum(Fraction(line["amount_exact"]) for line in lines) == Fraction(usd) * 100


def fee(percent: str, fixed: int, value: int, **bounds: int) -> int:
    component = {"percent": percent, "fixed_amount": fixed, **bounds}
    price = {"currency": "usd", "ext": {"rate_card": {"round_per": "event", "rules": [{"fees": [component]}]}}}
    by_card: int = answer(price, events=[{"value": value}])["amount"]
    assert by_card == answer({"currency": "usd", "ext": {"percentage": {"round_per": "event", **component}}}, events=[{"value": value}])["amount"]
    return by_card


def test_card_fees() -> None:
    assert fee("0.65", 15, 50_000, maximum_amount=200) == 200
    assert fee("0.65", 15, 1_000, maximum_amount=200) == 22
    assert fee("2.9", 30, 10_000) == 320
    assert fee("0.8", 0, 100_000, maximum_amount=500) == 500
    assert fee("0.05", 21, 10_000) == 26


# Ergon tariff 12A of 2017-07-01, cents a kWh: weekdays 15:00 to 21:30 (of the summer months), and all other hours.
TARIFF_12A = {
    "currency": "aud",
    "ext": {
        "time_of_use": {
            "time_zone": "Australia/Brisbane",
            "bands": [
                {
                    "label": "peak",
                    "hours": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "15:00", "to": "21:30"}],
                    "unit_amount_decimal": "67.251",
                }
            ],
            "rest": {"unit_amount_decimal": "23.177"},
            "line_per_cell": True,
        }
    },
}


@pytest.mark.parametrize(
    ("peak", "other", "cents"),
    [("167.244", "3076.501", "82551.389921"), ("72.497", "1846.979", "47682.928030"), ("49.217", "1597.404", "40332.924975")],
)
def test_a_year_of_electricity(peak: str, other: str, cents: str) -> None:
    events = [{"value": peak, "timestamp": "2013-01-07T21:29:59+10:00"}, {"value": other, "timestamp": "2013-01-07T21:30:00+10:00"}]
    assert Fraction(answer(TARIFF_12A, events=events)["amount_exact"]) == Fraction(cents)


def test_bands_of_electricity() -> None:
    events = [
        {"value": "0.512", "timestamp": "2013-01-07T15:00:00+10:00"},
        {"value": "0.25", "timestamp": "2013-01-07T21:00:00+10:00"},
        {"value": "0.3", "timestamp": "2013-01-07T21:30:00+10:00"},
        {"value": "1.1", "timestamp": "2013-01-05T16:00:00+10:00"},
    ]
    result = answer(TARIFF_12A, events=events)
    peak, rest = result["trace"]["lines"]
    assert (peak["label"], peak["cells"][0]["usage"]["quantity"], peak["exact"]) == ("peak", "0.762", "51.245262")
    assert (rest["label"], rest["cells"][0]["usage"]["quantity"], rest["exact"]) == ("rest", "1.4", "32.4478")
    assert (result["amount"], result["amount_exact"]) == (51 + 32, "83.693062")
