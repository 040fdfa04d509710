"""The balance and its transactions, through the official SDK."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from http_payments import pay
from http_service import Api, told

TWO_DAYS = 2 * 24 * 3600


def test_a_payment_is_pending_then_available(both: Api) -> None:
    paid = pay(both, description="Order 7")
    now = both.clock.at // 1_000_000
    (made,) = both.stripe.v1.balance_transactions.list({"source": paid.latest_charge}).data
    assert both.last.body["data"] == [
        {
            "id": made.id,
            "object": "balance_transaction",
            "amount": 2000,
            "available_on": now + TWO_DAYS,
            "balance_type": "payments",
            "created": now,
            "currency": "usd",
            "description": "Order 7",
            "exchange_rate": None,
            "fee": 88,
            "fee_details": [{"amount": 88, "application": None, "currency": "usd", "description": "Processing fee", "type": "processing_fee"}],
            "net": 1912,
            "reporting_category": "charge",
            "source": paid.latest_charge,
            "status": "pending",
            "type": "charge",
        }
    ]

    def amounts() -> tuple[list[int], list[int]]:
        balance = both.stripe.v1.balance.retrieve()
        return [one.amount for one in balance.available], [one.amount for one in balance.pending]

    assert amounts() == ([0], [1912])
    both.clock.forward(TWO_DAYS)
    assert both.stripe.v1.balance_transactions.retrieve(made.id).status == "available"
    assert amounts() == ([1912], [0])
    both.stripe.v1.refunds.create({"payment_intent": paid.id, "amount": 1000})
    assert amounts() == ([912], [0])


@pytest.mark.parametrize(
    ("amount", "currency", "fee"),
    [(1, "usd", 30), (500, "usd", 45), (50, "usd", 31), (2000, "jpy", 88), (999_999_999_999, "eur", 29_000_000_030)],
)
def test_fees_are_rated_exactly_and_rounded_once(api: Api, amount: int, currency: str, fee: int) -> None:
    """2.9 % + 30 units: 0.029 → 30, 14.5 → 44.5 → 45, 1.45 → 31.45 → 31."""
    pay(api, amount=amount, currency=currency)
    (made,) = api.stripe.v1.balance_transactions.list().data
    assert (made.fee, made.net, made.currency) == (fee, amount - fee, currency)


def test_each_currency_has_its_balance(api: Api) -> None:
    assert api.get("/v1/balance").json() == {"object": "balance", "available": [], "pending": [], "livemode": False}
    pay(api)
    pay(api, "pm_card_bypassPending", currency="eur")
    assert api.get("/v1/balance").json() == {
        "object": "balance",
        "available": [
            {"amount": 1912, "currency": "eur", "source_types": {"card": 1912}},
            {"amount": 0, "currency": "usd", "source_types": {"card": 0}},
        ],
        "pending": [
            {"amount": 0, "currency": "eur", "source_types": {"card": 0}},
            {"amount": 1912, "currency": "usd", "source_types": {"card": 1912}},
        ],
        "livemode": False,
    }


def test_transactions_are_filtered(api: Api) -> None:
    paid = pay(api)
    api.clock.forward(1)
    refund = api.stripe.v1.refunds.create({"payment_intent": paid.id, "amount": 5})
    transactions = api.stripe.v1.balance_transactions
    assert [one.type for one in transactions.list().data] == ["refund", "charge"]
    assert [one.source for one in transactions.list({"type": "refund"}).data] == [refund.id]
    assert [one.type for one in transactions.list({"created": {"lt": api.clock.at // 1_000_000}}).data] == ["charge"]
    assert transactions.list({"currency": "eur"}).data == transactions.list({"payout": "po_1"}).data == []
    shown: Any = transactions.list({"expand": ["data.source"]}).data
    assert [one.source.object for one in shown] == ["refund", "charge"]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        transactions.retrieve("txn_none")
    assert told(caught.value) == (404, "resource_missing", "id")
