"""The fee of a payment is rated by a price like any event; declines are data."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.refusal import Refusal
from farthing.core.base.rounding import round_to_whole
from farthing.core.payment.declines import DECLINES, decline_for
from farthing.core.payment.fee import USUAL_FEE, processing_fee
from farthing.core.payment.refusals import CARD_CODES

EUROPE = {"label": "Europe", "when": [{"property": "country", "in": ["DE", "FR"]}], "fees": [{"percent": "1.5", "fixed_amount": 25}]}
BY_COUNTRY = {"ext": {"rate_card": {"rules": [EUROPE, {"label": "elsewhere", "fees": [{"percent": "3.25", "fixed_amount": 25}]}]}}}
PASSED_THROUGH = {"ext": {"rate_card": {"rules": [{"fees": [{"cost": "interchange"}]}]}}}


@given(st.integers(1, 10**12))
def test_the_usual_fee_is_exact_and_rounded_once(amount):
    assert processing_fee(USUAL_FEE, amount, "usd").amount == round_to_whole(Fraction(amount * 29, 1000) + 30)


def test_the_currency_is_that_of_the_payment_and_the_trace_says_how():
    fee = processing_fee({"currency": "usd", **USUAL_FEE}, 12345, "jpy")
    assert fee.amount == 388  # 358.005 + 30
    (rated,) = fee.rated
    assert rated.exact == Fraction("388.005")


def test_payments_are_told_apart_by_their_card():
    assert processing_fee(BY_COUNTRY, 2000, "eur", {"country": "DE"}).amount == 55
    assert processing_fee(BY_COUNTRY, 2000, "eur", {"country": "US"}).amount == 90


def test_a_payment_that_the_price_has_no_fee_for_is_refused_and_never_free():
    with pytest.raises(Refusal) as refused:
        processing_fee(PASSED_THROUGH, 2000, "usd")
    assert refused.value.code == "event_value_unreadable"


def test_a_price_that_cannot_be_read_is_refused():
    with pytest.raises(Refusal) as refused:
        processing_fee({"ext": {"percentage": {}}}, 100, "usd")
    assert refused.value.code == "field_missing"


def test_each_reason_has_a_code_and_says_whether_to_try_again():
    assert {decline.code for decline in DECLINES.values()} <= set(CARD_CODES)
    assert all(reason == decline.reason and decline.message.endswith(".") for reason, decline in DECLINES.items())
    assert DECLINES["insufficient_funds"].retryable
    assert not DECLINES["stolen_card"].retryable
    assert [reason for reason, decline in DECLINES.items() if not decline.charged] == ["authentication_failure"]


def test_a_reason_that_is_not_known_here_is_a_plain_decline():
    assert decline_for("lost_card") is DECLINES["lost_card"]
    unknown = decline_for("pickup_card")
    assert (unknown.reason, unknown.code, unknown.retryable) == ("pickup_card", "card_declined", True)
