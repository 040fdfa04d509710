"""The states of a payment: whatever steps are taken, amounts stay within each other and nothing moves twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.refusal import Refusal
from farthing.core.payment.payment import (
    LARGEST,
    Payment,
    acted,
    begun,
    came_back,
    canceled,
    captured,
    checked_amount,
    concluded,
    edited,
    given_back,
)
from farthing.core.payment.setup import setup_begun, setup_canceled, setup_concluded, setup_edited
from farthing.core.payment.states import ENDED, TRANSITIONS, Status, allowed

RESULTS = ("succeeded", "declined", "requires_action", "processing")
READY = Payment(1000, Status.REQUIRES_CONFIRMATION)
HELD = concluded(Payment(1000, Status.REQUIRES_CONFIRMATION, capture_later=True), "succeeded")
PAID = concluded(READY, "succeeded")


def test_every_state_has_its_transitions_and_ends_have_none():
    assert set(TRANSITIONS) == set(Status)
    assert {one for one, following in TRANSITIONS.items() if not following} == ENDED


@pytest.mark.parametrize(
    ("result", "status", "received"),
    [
        ("succeeded", "succeeded", 1000),
        ("declined", "requires_payment_method", 0),
        ("requires_action", "requires_action", 0),
        ("processing", "processing", 0),
    ],
)
def test_an_attempt_concludes(result, status, received):
    after = concluded(begun(READY), result)
    assert (after.status, after.received, after.held) == (status, received, 0)


def test_money_is_held_then_captured_in_part_and_the_rest_let_go():
    assert (HELD.status, HELD.held, HELD.received) == ("requires_capture", 1000, 0)
    taken = captured(HELD, 600)
    assert (taken.status, taken.held, taken.received, taken.refundable) == ("succeeded", 0, 600, 600)
    assert canceled(HELD).held == 0


def test_it_is_given_back_in_parts_and_comes_back_where_that_fails():
    half = given_back(PAID, 400)
    assert (half.refundable, given_back(half).reversed) == (600, 1000)
    assert came_back(half, 400) == PAID
    with pytest.raises(ValueError, match="401 of 400"):
        came_back(half, 401)


def at(status):
    return Payment(1000, Status(status))


@pytest.mark.parametrize(
    ("step", "code", "field"),
    [
        (lambda: checked_amount(0), "amount_too_small", "amount"),
        (lambda: checked_amount(LARGEST + 1), "payment_amount_too_large", "amount"),
        (lambda: edited(READY, 0, True), "amount_too_small", "amount"),
        (lambda: captured(HELD, 1001), "payment_amount_too_large", "amount_to_capture"),
        (lambda: captured(HELD, 0), "amount_too_small", "amount_to_capture"),
        (lambda: given_back(PAID, 1001), "payment_amount_too_large", "amount"),
        (lambda: given_back(given_back(PAID, 400), 601), "payment_amount_too_large", "amount"),
        (lambda: given_back(PAID, 0), "amount_too_small", "amount"),
        (lambda: given_back(given_back(PAID)), "charge_already_refunded", "amount"),
        (lambda: given_back(HELD), "payment_intent_unexpected_state", None),
        (lambda: acted(READY), "payment_intent_unexpected_state", None),
        *((lambda status=status: begun(at(status)), "payment_intent_unexpected_state", None) for status in ("succeeded", "canceled", "processing")),
        *((lambda status=status: concluded(at(status), "succeeded"), "payment_intent_unexpected_state", None) for status in ENDED),
        *((lambda status=status: canceled(at(status)), "payment_intent_unexpected_state", None) for status in (*ENDED, "processing")),
        *((lambda status=status: edited(at(status), 5, True), "payment_intent_unexpected_state", None) for status in (*ENDED, "requires_action")),
        *((lambda status=status: setup_begun(Status(status)), "setup_intent_unexpected_state", None) for status in ENDED),
        *((lambda status=status: setup_canceled(Status(status)), "setup_intent_unexpected_state", None) for status in ENDED),
        *((lambda status=status: setup_edited(Status(status), True), "setup_intent_unexpected_state", None) for status in ENDED),
        *((lambda status=status: setup_concluded(Status(status), "declined"), "setup_intent_unexpected_state", None) for status in ENDED),
    ],
)
def test_steps_that_cannot_be_taken_are_refused(step, code, field):
    with pytest.raises(Refusal) as refused:
        step()
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_set_up_goes_through_its_states():
    ready = setup_begun(setup_edited(Status.REQUIRES_PAYMENT_METHOD, True))
    assert [setup_concluded(ready, result) for result in RESULTS] == ["succeeded", "requires_payment_method", "requires_action", "processing"]
    assert setup_concluded(Status.REQUIRES_ACTION, "succeeded") is Status.SUCCEEDED
    assert setup_edited(ready, False) is Status.REQUIRES_PAYMENT_METHOD
    assert setup_canceled(Status.REQUIRES_ACTION) is Status.CANCELED


amounts = st.integers(-2, 1200)
steps = st.one_of(
    st.tuples(st.just("edit"), amounts, st.booleans()),
    st.tuples(st.just("attempt"), st.sampled_from(RESULTS)),
    st.tuples(st.just("settle"), st.sampled_from(RESULTS)),
    st.tuples(st.just("act")),
    st.tuples(st.just("capture"), st.none() | amounts),
    st.tuples(st.just("cancel")),
    st.tuples(st.just("refund"), st.none() | amounts),
    st.tuples(st.just("fail"), amounts),
)


def taken(payment, step):
    match step:
        case ("edit", amount, has_method):
            return edited(payment, amount, has_method)
        case ("attempt", result):
            return concluded(begun(payment), result)
        case ("settle", result):
            return concluded(payment, result)
        case ("act",):
            return acted(payment)
        case ("capture", amount):
            return captured(payment, amount)
        case ("cancel",):
            return canceled(payment)
        case ("refund", amount):
            return given_back(payment, amount)
    return came_back(payment, step[1])


@given(st.integers(1, 1000), st.booleans(), st.lists(steps, max_size=25))
def test_reversals_never_exceed_what_was_received_whatever_happens(amount, later, path):
    payment = Payment(amount, capture_later=later)
    received = 0
    for step in path:
        try:
            after = taken(payment, step)
        except (Refusal, ValueError):
            continue
        assert allowed(payment.status, after.status)
        assert 0 <= after.reversed <= after.received <= after.amount
        assert 0 <= after.held <= after.amount
        assert (after.held > 0) == (after.status is Status.REQUIRES_CAPTURE)
        assert (after.received > 0) == (after.status is Status.SUCCEEDED)
        if received:  # once received, it is neither received again nor changed
            assert after.received == received
        received, payment = after.received, after


@given(st.integers(1, 1000), st.lists(st.tuples(st.booleans(), st.integers(1, 600)), max_size=30))
def test_any_refunds_and_failures_of_refunds_leave_between_nothing_and_all(amount, path):
    payment = concluded(Payment(amount, Status.REQUIRES_CONFIRMATION), "succeeded")
    pending = []
    for fails, units in path:
        if fails and pending:
            payment = came_back(payment, pending.pop())
            continue
        try:
            payment = given_back(payment, units)
            pending.append(units)
        except Refusal:
            assert units > amount - sum(pending)
        assert payment.reversed == sum(pending)
        assert 0 <= payment.reversed <= payment.received == amount
