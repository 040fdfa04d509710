"""Refunds, through the official SDK."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from http_payments import declined, pay, told
from http_service import Api, error_of
from http_service import told as refusal_of


def charge_of(api: Api, intent: str) -> Any:
    return api.stripe.v1.payment_intents.retrieve(intent, {"expand": ["latest_charge.refunds"]}).latest_charge


def decide(api: Api, refund: str, outcome: str) -> Any:
    return api.get(f"/ext/simulator/refunds/{refund}", params={"outcome": outcome})


def test_given_back_in_parts(both: Api) -> None:
    paid = pay(both)
    refunds = both.stripe.v1.refunds
    first = refunds.create({"payment_intent": paid.id, "amount": 500, "reason": "requested_by_customer", "metadata": {"a": "b"}})
    assert both.last.body == {
        "id": first.id,
        "object": "refund",
        "amount": 500,
        "balance_transaction": first.balance_transaction,
        "charge": paid.latest_charge,
        "created": both.clock.at // 1_000_000,
        "currency": "usd",
        "customer": None,
        "customer_account": None,
        "destination_details": {"card": {"reference_status": "pending", "type": "refund"}, "type": "card"},
        "metadata": {"a": "b"},
        "payment_intent": paid.id,
        "payment_method": None,
        "reason": "requested_by_customer",
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
    charge = charge_of(both, paid.id)
    assert (charge.amount_refunded, charge.refunded) == (500, False)
    both.clock.forward(1)
    rest = refunds.create({"charge": paid.latest_charge})
    assert rest.amount == 1500
    charge = charge_of(both, paid.id)
    assert (charge.amount_refunded, charge.refunded, [one.id for one in charge.refunds.data]) == (2000, True, [rest.id, first.id])
    assert [one.id for one in refunds.list({"payment_intent": paid.id}).data] == [rest.id, first.id]
    assert [one.id for one in refunds.list({"charge": paid.latest_charge, "limit": 1}).auto_paging_iter()] == [rest.id, first.id]
    changed: Any = refunds.update(first.id, {"metadata": {"c": "d"}})
    assert changed.metadata.to_dict() == {"a": "b", "c": "d"}
    booked: Any = refunds.retrieve(first.id, {"expand": ["balance_transaction"]}).balance_transaction
    assert booked.net == -500
    assert told(both)[3:] == ["charge.refunded", "refund.created", "charge.refunded", "refund.created", "refund.updated"]


def refused(action: Any) -> Any:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        action()
    return refusal_of(caught.value)


def test_no_more_than_was_received_is_given_back(both: Api) -> None:
    refunds = both.stripe.v1.refunds
    paid = pay(both, capture_method="manual")
    assert refused(lambda: refunds.create({"payment_intent": paid.id})) == (400, "charge_not_refundable", "payment_intent")
    both.stripe.v1.payment_intents.capture(paid.id, {"amount_to_capture": 1200})
    assert refused(lambda: refunds.create({"payment_intent": paid.id, "amount": 1201})) == (400, "payment_amount_too_large", "amount")
    refunds.create({"payment_intent": paid.id, "amount": 1199})
    assert refused(lambda: refunds.create({"payment_intent": paid.id, "amount": 2})) == (400, "payment_amount_too_large", "amount")
    refunds.create({"payment_intent": paid.id, "amount": 1})
    assert refused(lambda: refunds.create({"payment_intent": paid.id})) == (400, "charge_already_refunded", "amount")
    assert charge_of(both, paid.id).amount_refunded == 1200


def test_what_cannot_be_given_back_is_refused(api: Api) -> None:
    refunds = api.stripe.v1.refunds
    paid, other = pay(api), pay(api)
    failed = declined(api, "pm_card_chargeDeclined")["charge"]
    for amount in (0, -1):
        assert refused(lambda amount=amount: refunds.create({"payment_intent": paid.id, "amount": amount})) == (400, "amount_too_small", "amount")
    assert refused(lambda: refunds.create({})) == (400, "charge_not_refundable", "payment_intent")
    assert refused(lambda: refunds.create({"charge": failed})) == (400, "charge_not_refundable", "charge")
    assert refused(lambda: refunds.create({"charge": other.latest_charge, "payment_intent": paid.id})) == (400, "charge_not_refundable", "charge")
    assert refused(lambda: refunds.create({"charge": "ch_none"})) == (400, "resource_missing", "charge")
    assert refused(lambda: refunds.create({"payment_intent": "pi_none"})) == (400, "resource_missing", "payment_intent")
    assert refused(lambda: refunds.create({"payment_intent": paid.id, "reverse_transfer": True}))[1:] == ("parameter_unsupported", "reverse_transfer")
    done = refunds.create({"payment_intent": paid.id}).id
    assert refused(lambda: refunds.cancel(done)) == (400, "refund_unexpected_state", None)
    assert error_of(decide(api, done, "succeed")) == (400, "simulator_nothing_waits", None)


def pending(api: Api) -> Any:
    paid = pay(api, "pm_card_pendingRefund")
    made = api.stripe.v1.refunds.create({"payment_intent": paid.id, "amount": 800})
    assert (made.status, api.last.body["pending_reason"]) == ("pending", "processing")
    assert charge_of(api, paid.id).amount_refunded == 800
    return made


def test_a_refund_that_is_pending_succeeds(both: Api) -> None:
    made = pending(both)
    assert decide(both, made.id, "succeed").json()["status"] == "succeeded"
    assert charge_of(both, made.payment_intent).amount_refunded == 800


def test_a_refund_that_is_pending_fails(both: Api) -> None:
    made = pending(both)
    failed = decide(both, made.id, "fail").json()
    assert (failed["status"], failed["failure_reason"]) == ("failed", "unknown")
    assert (charge_of(both, made.payment_intent).amount_refunded, charge_of(both, made.payment_intent).refunded) == (0, False)
    booked = [(one.type, one.net) for one in both.stripe.v1.balance_transactions.list().data]
    assert sorted(booked) == [("charge", 1912), ("refund", -800), ("refund_failure", 800)]
    assert "refund.failed" in told(both)
    assert both.stripe.v1.refunds.create({"payment_intent": made.payment_intent}).amount == 2000


def test_a_refund_that_is_pending_is_cancelled(both: Api) -> None:
    made = pending(both)
    gone = both.stripe.v1.refunds.cancel(made.id)
    assert gone.status == "canceled"
    assert charge_of(both, made.payment_intent).amount_refunded == 0
    assert error_of(decide(both, made.id, "succeed")) == (400, "simulator_nothing_waits", None)
    assert both.stripe.v1.refunds.create({"payment_intent": made.payment_intent}).amount == 2000


def test_a_refund_that_is_sent_again_is_made_once(both: Api) -> None:
    paid = pay(both)
    options: Any = {"idempotency_key": "refund 1"}
    ids = {both.stripe.v1.refunds.create({"payment_intent": paid.id, "amount": 100}, options).id for _ in range(2)}
    assert len(ids) == 1
    assert charge_of(both, paid.id).amount_refunded == 100
