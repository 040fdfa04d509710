"""Bills are paid once, whatever is lost on the way; a decline is an outcome."""

from __future__ import annotations

from dataclasses import replace

import pytest
from payment_desk import Counter, attached_card, events, make_desk, rows

from farthing.app.payments.attempts import settle_intent
from farthing.app.payments.chosen import reference_for
from farthing.app.payments.followers import followed_by, unfollowed_by
from farthing.app.payments.intents import cancel_intent, capture_intent, confirm_intent, create_intent
from farthing.app.payments.pay import pay
from farthing.app.payments.processor import Outcome
from farthing.app.payments.refunds import create_refund
from farthing.core.base.refusal import Refusal
from farthing.core.payment.declines import DECLINES


class Killed(Exception):
    """The process is gone before the transaction is over."""


def bill(desk, method, reference="in_1 1", **more):
    wanted = {"customer": "cus_1", "amount": 2000, "currency": "usd", "off_session": True, "invoice": "in_1", "metadata": {"n": "1"}}
    return pay(desk, desk.processor, payment_method=method, reference=reference, **{**wanted, **more})


def test_a_bill_is_paid():
    desk = make_desk()
    paid = bill(desk, attached_card(desk))
    assert (paid.paid, paid.decline, paid.outcome.result) == (True, None, "succeeded")
    assert (paid.row.document["amount_received"], paid.row.document["metadata"], paid.row.hidden["invoice"]) == (2000, {"n": "1"}, "in_1")
    assert events(desk)[-3:] == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]


def test_the_same_reference_is_the_same_payment():
    desk = make_desk()
    method = attached_card(desk)
    first, again = bill(desk, method), bill(desk, method)
    assert again.row == first.row
    assert again.paid
    assert desk.processor.asked == 1
    assert len(rows(desk, "payment_intent")) == len(rows(desk, "balance_transaction")) == 1


def test_what_was_lost_after_the_processor_did_its_work_is_not_charged_again():
    desk = make_desk()
    method = attached_card(desk)
    for _ in range(3):
        with pytest.raises(Killed), desk.store.transaction():
            bill(desk, method)
            raise Killed
    assert rows(desk, "payment_intent") == []
    assert desk.processor.memory.taken() == (1, 2000)
    assert bill(desk, method).paid
    assert desk.processor.memory.taken() == (1, 2000)
    assert (desk.processor.asked, len(rows(desk, "payment_intent"))) == (4, 1)


def test_a_request_that_was_lost_is_not_charged_again():
    desk = replace(make_desk(), idempotency_key="order 7")
    form = {"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    with pytest.raises(Killed), desk.store.transaction():
        create_intent(desk, form)
        raise Killed
    create_intent(desk, form)
    assert desk.processor.memory.taken() == (1, 2000)
    create_intent(desk, form)  # the answer was forgotten, and the key is used for something new
    assert desk.processor.memory.taken() == (2, 4000)


def test_a_refund_that_was_lost_is_not_made_again():
    desk = replace(make_desk(), idempotency_key="refund 7")
    paid = bill(desk, attached_card(desk)).row.id
    with pytest.raises(Killed), desk.store.transaction():
        create_refund(desk, {"payment_intent": paid, "amount": 1500})
        raise Killed
    assert create_refund(desk, {"payment_intent": paid, "amount": 1500}).document["status"] == "succeeded"
    refunds = [record["amount"] for record in desk.processor.memory.records.values() if record["what"] == "refunds"]
    assert refunds == [1500]


def test_references_of_lost_work_are_the_same_and_those_of_kept_work_are_not():
    desk = replace(make_desk(), idempotency_key="k")
    assert reference_for(desk, "refund", "re_1") == reference_for(desk, "refund", "re_1") == "refund k"
    assert reference_for(desk, "refund", "re_2") == "refund k #2"
    assert reference_for(desk, "intent", "pi_1") == "intent k"
    assert reference_for(replace(desk, idempotency_key=None, request="req_1"), "refund", "re_3") == "refund req_1"


def test_a_declined_bill_is_tried_again_on_the_same_intent():
    desk = make_desk()
    bad, good = attached_card(desk, "pm_card_chargeCustomerFail"), attached_card(desk)
    failed = bill(desk, bad)
    assert (failed.paid, failed.decline) == (False, DECLINES["generic_decline"])
    repeated = bill(desk, bad)
    assert (repeated.decline, desk.processor.asked) == (failed.decline, 1)
    paid = bill(desk, good, "in_1 2", amount=2500)
    assert (paid.paid, paid.row.id, paid.row.document["amount_received"]) == (True, failed.row.id, 2500)
    assert bill(desk, good, "in_1 2", amount=2500).row == paid.row
    assert bill(desk, bad).row == paid.row  # the first attempt's reference still names what it was part of
    assert (len(rows(desk, "charge")), desk.processor.asked) == (2, 2)


def test_a_bill_that_was_paid_is_not_paid_by_another_attempt():
    desk = make_desk()
    method = attached_card(desk)
    paid = bill(desk, method)
    again = bill(desk, method, "in_1 2")
    assert (again.paid, again.row, desk.processor.asked) == (True, paid.row, 1)
    with pytest.raises(Refusal) as refused:
        bill(desk, method, "in_1 3", intent=paid.row.id)
    assert refused.value.code == "payment_intent_unexpected_state"
    rest = bill(desk, method, "in_1 4", amount=300)  # more became due, and is another payment
    assert (rest.paid, rest.row.document["amount_received"], desk.processor.memory.taken()) == (True, 300, (2, 2300))
    assert bill(desk, method, "in_1 5", amount=300).row == rest.row


def test_another_attempt_gives_up_what_waited_for_the_customer():
    desk = make_desk()
    waiting = bill(desk, attached_card(desk, "pm_card_threeDSecure2Required"), off_session=False).row
    paid = bill(desk, attached_card(desk), "in_1 2")
    assert (paid.paid, paid.row.id) == (True, waiting.id)
    with pytest.raises(Refusal) as refused:
        desk.processor.act(desk, waiting.hidden["reference"], True)
    assert refused.value.code == "simulator_nothing_waits"
    assert desk.processor.memory.taken() == (1, 2000)


def test_a_bill_whose_intent_was_cancelled_gets_another():
    desk = make_desk()
    first = bill(desk, attached_card(desk, "pm_card_chargeCustomerFail")).row
    cancel_intent(desk, first.id)
    second = bill(desk, attached_card(desk), "in_1 2")
    assert (second.paid, second.row.id != first.id, second.row.hidden["invoice"]) == (True, True, "in_1")
    assert bill(desk, attached_card(desk), "in_1 3").row == second.row
    assert bill(desk, attached_card(desk)).row.id == first.id


def test_a_refusal_that_the_caller_lives_with_leaves_nothing_behind():
    desk = make_desk()
    with desk.store.transaction():
        for reference in ("in_1 1", "in_1 2"):
            with pytest.raises(Refusal) as refused:
                bill(desk, "pm_none", reference)
            assert refused.value.field == "payment_method"
        paid = bill(desk, attached_card(desk), "in_1 2")
    assert paid.paid
    assert len(rows(desk, "payment_intent")) == 1


def test_an_intent_that_was_made_elsewhere_can_be_tried():
    desk = make_desk()
    made = create_intent(desk, {"amount": 2000, "currency": "usd", "customer": "cus_1"})
    paid = bill(desk, attached_card(desk), intent=made.id)
    assert (paid.paid, paid.row.id) == (True, made.id)
    assert bill(desk, attached_card(desk), intent=made.id).row == paid.row


def test_a_customer_who_must_act_is_waited_for_only_if_they_are_there():
    desk = make_desk()
    method = attached_card(desk, "pm_card_authenticationRequired")
    absent = bill(desk, method)
    assert absent.decline == DECLINES["authentication_required"]
    there = bill(desk, method, "in_1 2", off_session=False)
    assert (there.outcome.result, there.row.document["status"]) == ("requires_action", "requires_action")
    desk.processor.act(desk, there.row.hidden["reference"], True)
    settled = settle_intent(desk, there.row.id)
    assert settled is not None
    assert settled.row.document["status"] == "succeeded"
    assert settle_intent(desk, there.row.id) is None


def test_an_attempt_that_waited_is_given_up_at_the_processor_too():
    desk = make_desk()
    form = {"amount": 5, "currency": "usd", "payment_method": "pm_card_threeDSecure2Required"}
    intent = create_intent(desk, form)
    confirm_intent(desk, intent.id, {})
    confirm_intent(desk, intent.id, {})
    with pytest.raises(Refusal) as refused:
        desk.processor.act(desk, f"{intent.id} 1", True)
    assert refused.value.code == "simulator_nothing_waits"
    desk.processor.act(desk, f"{intent.id} 2", True)
    assert desk.processor.memory.taken() == (1, 5)


class Slow(Counter):
    """A processor that decides later, as those of bank debits do."""

    answer = Outcome("processing")

    def authorise(self, desk, order):
        return self.answer

    def outcome(self, desk, reference):
        return self.answer


@pytest.mark.parametrize(
    ("answer", "status", "event"),
    [
        (Outcome("succeeded"), "succeeded", "payment_intent.succeeded"),
        (Outcome("declined", DECLINES["insufficient_funds"]), "requires_payment_method", "payment_intent.payment_failed"),
        (Outcome("processing"), "processing", "payment_intent.processing"),
    ],
)
def test_what_is_processing_is_settled_later(answer, status, event):
    desk = make_desk(Slow())
    begun = bill(desk, attached_card(desk))
    assert (begun.paid, begun.row.document["status"], begun.row.document["processing"]) == (False, "processing", {"type": "card"})
    with pytest.raises(Refusal) as refused:
        cancel_intent(desk, begun.row.id)
    assert refused.value.code == "payment_intent_unexpected_state"
    desk.processor.answer = answer
    settled = settle_intent(desk, begun.row.id)
    assert settled is not None
    assert settled.row.document["status"] == status
    assert events(desk)[-1] == event
    assert events(desk).count(event) == 1


def test_what_the_processor_never_heard_of_stays_undecided():
    desk = make_desk(Slow())
    begun = bill(desk, attached_card(desk))
    desk.processor.answer = None
    assert settle_intent(desk, begun.row.id) is None
    again = bill(desk, attached_card(desk), "in_1 2")
    assert (again.row.id, again.outcome.result) == (begun.row.id, "processing")


def test_without_a_processor_nothing_is_paid():
    desk = replace(make_desk(), processor=None)
    with pytest.raises(Refusal) as refused:
        create_intent(desk, {"amount": 5, "currency": "usd", "payment_method": "pm_card_visa"})
    assert refused.value.code == "payment_processor_missing"


class Broke(Counter):
    """A processor that cannot give money back."""

    def refund(self, desk, reference, payment, amount):
        return Outcome("declined", DECLINES["processing_error"])


def test_a_refund_that_fails_at_once_leaves_the_money_here():
    desk = make_desk(Broke())
    paid = bill(desk, attached_card(desk)).row.id
    failed = create_refund(desk, {"payment_intent": paid}).document
    assert (failed["status"], failed["failure_reason"], failed["balance_transaction"]) == ("failed", "unknown", None)
    assert rows(desk, "charge")[0].document["amount_refunded"] == 0
    assert events(desk)[-2:] == ["refund.created", "refund.failed"]


def test_what_an_intent_is_for_follows_it_but_for_pay_itself():
    desk, seen = make_desk(), []
    follower = followed_by(lambda _, intent: seen.append((intent.hidden.get("invoice"), intent.document["status"])))
    try:
        assert followed_by(follower) is follower
        method = attached_card(desk, "pm_card_threeDSecure2Required")
        waiting = bill(desk, method, off_session=False).row
        assert seen == []
        desk.processor.act(desk, waiting.hidden["reference"], True)
        settle_intent(desk, waiting.id)
        other = create_intent(desk, {"amount": 5, "currency": "usd", "payment_method": "pm_card_visa", "capture_method": "manual"})
        confirm_intent(desk, other.id, {})
        capture_intent(desk, other.id, {})
        cancel_intent(desk, bill(desk, method, "in_2 1", invoice="in_2", off_session=False).row.id, "void_invoice")
        assert seen == [("in_1", "succeeded"), (None, "requires_capture"), (None, "succeeded"), ("in_2", "canceled")]
    finally:
        unfollowed_by(follower)
