"""Random lives of payments in which every request may be lost after its work and be sent again: the processor, our documents and the
balance always say the same, and nobody is charged or refunded twice."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from payment_desk import Counter, make_desk, rows

from farthing.app.payments.attempts import settle_intent
from farthing.app.payments.balance import balance_document
from farthing.app.payments.intents import cancel_intent, capture_intent, confirm_intent, create_intent
from farthing.app.payments.refunds import cancel_refund, create_refund, settle_refund
from farthing.core.base.refusal import Refusal

CARDS = ["pendingRefund", "visa", "threeDSecure2Required", "chargeDeclined", "threeDSecureRequiredChargeDeclined"]
cards = st.sampled_from([f"pm_card_{name}" for name in CARDS])
which = st.integers(0, 1)
steps = st.one_of(
    st.tuples(st.just("create"), st.integers(1, 500), cards, st.sampled_from(["automatic", "manual"]), st.booleans()),
    st.tuples(st.just("confirm"), which, st.none() | cards),
    st.tuples(st.just("act"), which, st.booleans()),
    st.tuples(st.just("capture"), which, st.none() | st.integers(1, 500)),
    st.tuples(st.just("cancel"), which),
    st.tuples(st.just("refund"), which, st.none() | st.integers(1, 20)),
    st.tuples(st.just("decide"), which, st.booleans()),
    st.tuples(st.just("stop"), which),
)


class Lost(Exception):
    """The transaction is gone, whatever the processor did."""


def one(desk, kind, number):
    found = rows(desk, kind)
    return found[number % len(found)] if found else None


def done(desk, step):
    """Do one step; nothing where there is nothing to do it with."""
    if step[0] == "create":
        form = {"amount": step[1], "currency": "usd", "payment_method": step[2], "capture_method": step[3], "confirm": step[4]}
        create_intent(desk, form)
        return
    row = one(desk, "refund" if step[0] in ("decide", "stop") else "payment_intent", step[1])
    if row is None:
        return
    match step:
        case ("confirm", _, card):
            confirm_intent(desk, row.id, {} if card is None else {"payment_method": card})
        case ("act", _, succeed):
            desk.processor.act(desk, row.hidden.get("reference", "none"), succeed)
        case ("capture", _, amount):
            capture_intent(desk, row.id, {} if amount is None else {"amount_to_capture": amount})
        case ("cancel", _):
            cancel_intent(desk, row.id)
        case ("refund", _, amount):
            create_refund(desk, {"payment_intent": row.id} | ({} if amount is None else {"amount": amount}))
        case ("decide", _, succeed):
            desk.processor.act(desk, row.hidden.get("reference", "none"), succeed)
        case ("stop", _):
            cancel_refund(desk, row.id)


def settle_all(desk):
    for row in rows(desk, "payment_intent"):
        settle_intent(desk, row.id)
    for row in rows(desk, "refund"):
        settle_refund(desk, row.id)


def processors(desk):
    """What the processor took, less what it gave back."""
    total = 0
    for record in desk.processor.memory.records.values():
        outcome = desk.processor._answer(record)
        if record["what"] == "payment_intents" and outcome.result == "succeeded":
            total += (record["captured"] or 0) if record["held"] else record["amount"]
        elif record["what"] == "refunds" and outcome.result in ("succeeded", "processing"):
            total -= record["amount"]
    return total


@given(st.lists(st.tuples(steps, st.integers(0, 2)), min_size=4, max_size=16))
def test_the_processor_the_documents_and_the_balance_say_the_same(path):
    desk = make_desk(Counter())
    for number, (step, lost) in enumerate(path):
        asking = replace(desk, idempotency_key=f"key {number}")
        acts = step[0] in ("act", "decide")  # done outside of us: it is not lost
        for attempt in range(1 if acts else lost + 1):
            try:
                with desk.store.transaction():
                    done(asking, step)
                    if attempt < lost and not acts:
                        raise Lost
            except (Lost, Refusal):
                pass
        settle_all(desk)
        charges = [row.document for row in rows(desk, "charge")]
        received = sum(charge["amount_captured"] - charge["amount_refunded"] for charge in charges)
        assert received == processors(desk)
        assert received == sum(row.document["amount"] for row in rows(desk, "balance_transaction"))
        assert all(0 <= charge["amount_refunded"] <= charge["amount_captured"] <= charge["amount"] for charge in charges)
        for intent in (row.document for row in rows(desk, "payment_intent")):
            paid = [charge for charge in charges if charge["payment_intent"] == intent["id"] and charge["captured"]]
            assert len(paid) <= 1
            assert intent["amount_received"] == sum(charge["amount_captured"] for charge in paid)
    shown = balance_document(desk)
    net = sum(row.document["net"] for row in rows(desk, "balance_transaction"))
    assert sum(part["amount"] for name in ("available", "pending") for part in shown[name]) == net
