"""Payment methods: taken in, attached to customers, detached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farthing.app.payments.chosen import SUPPORTED, billing_details, keep_method, need_customer, processor_of, reference_for
from farthing.app.payments.kinds import PAYMENT_METHOD
from farthing.app.payments.processor import Outcome
from farthing.app.payments.refusals import METHOD_DETAILS, METHOD_STATE, METHOD_TYPE_UNSUPPORTED
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.core.base.refusal import Refusal
from farthing.core.payment.refusals import CARD_CODES


def create_method(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Take a payment method in: its `type`, and an object of that name. It belongs to nobody yet. Errors:
    payment_method_unsupported_type, payment_method_invalid_parameter, those of the processor."""
    type_ = params.get("type")
    if type_ is None:
        raise Refusal(METHOD_DETAILS, "the type is missing.", "type")
    if type_ not in SUPPORTED:
        raise Refusal(METHOD_TYPE_UNSUPPORTED, f"{type_} is not supported.", "type")
    if params.get(type_) is None:
        raise Refusal(METHOD_DETAILS, f"{type_} is missing.", type_)
    try:
        described = processor_of(desk).describe(desk, type_, params[type_])
    except Refusal as refusal:
        if refusal.field is None:
            raise
        raise refusal.within(type_) from None
    return keep_method(desk, described, params)


def attach_method(desk: Desk, id_: str, params: Mapping[str, Any]) -> tuple[Row, Outcome]:
    """Attach a payment method to a customer, if the processor finds it can be kept; if not, it stays as it was. One that is attached
    to this customer already stays so. `id_` may be a name that the processor offers.

    Errors: resource_missing, payment_method_invalid_parameter, payment_method_unexpected_state (attached to another customer, or detached
    before)."""
    with desk.store.transaction():
        if "customer" not in params:
            raise Refusal(METHOD_DETAILS, "the customer is missing.", "customer")
        customer = need_customer(desk, params["customer"])
        row = _found(desk, id_)
        if row.hidden.get("spent"):
            raise Refusal(METHOD_STATE, f"payment method {id_[:80]!r} was detached and cannot be attached again.", "payment_method")
        if row.document["customer"] == customer:
            return row, Outcome("succeeded")
        if row.document["customer"] is not None:
            raise Refusal(METHOD_STATE, f"payment method {id_[:80]!r} is attached to another customer.", "payment_method")
        outcome = processor_of(desk).check(desk, row.hidden["token"], reference_for(desk, "attach", row.id))
        return (attached(desk, row, customer), outcome) if outcome.result == "succeeded" else (row, outcome)


def attached(desk: Desk, row: Row, customer: str, agreed: bool = False) -> Row:
    """A payment method that is a customer's from now on. `agreed`: the customer has authenticated for later payments without them."""
    hidden = {**row.hidden, "agreed": True} if agreed else row.hidden
    if row.document["customer"] == customer:
        return plain.change(desk, PAYMENT_METHOD, row, row.document, hidden=hidden)
    return plain.change(desk, PAYMENT_METHOD, row, {**row.document, "customer": customer}, "attached", hidden=hidden)


def detach_method(desk: Desk, id_: str) -> Row:
    """Take a payment method from its customer; it cannot be used again. Errors: resource_missing, payment_method_unexpected_state."""
    with desk.store.transaction():
        row = plain.need(desk, PAYMENT_METHOD, id_, "payment_method", lock=True)
        if row.document["customer"] is None:
            raise Refusal(METHOD_STATE, f"payment method {id_[:80]!r} is not attached.", "payment_method")
        return plain.change(desk, PAYMENT_METHOD, row, {**row.document, "customer": None}, "detached", hidden={**row.hidden, "spent": True})


def update_method(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change what is known of a payment method that is attached. Errors: resource_missing, payment_method_unexpected_state,
    invalid_expiry_month, invalid_expiry_year."""
    with desk.store.transaction():
        row = plain.need(desk, PAYMENT_METHOD, id_, "payment_method", lock=True)
        if row.document["customer"] is None:
            raise Refusal(METHOD_STATE, f"payment method {id_[:80]!r} is not attached to a customer.", "payment_method")
        changes = {name: params[name] for name in ("allow_redisplay", "metadata") if name in params}
        if "billing_details" in params:
            changes["billing_details"] = billing_details(row.document["billing_details"], params["billing_details"])
        if "card" in params:
            changes["card"] = {**row.document["card"], **_checked_expiry(params["card"])}
        return plain.update(desk, PAYMENT_METHOD, id_, changes)


def _checked_expiry(card: Mapping[str, Any]) -> Mapping[str, Any]:
    """A card's new month and year of expiry; whether they are past, the card's bank knows."""
    for name, first, last in (("exp_month", 1, 12), ("exp_year", 2000, 2100)):
        if name in card and not first <= card[name] <= last:
            raise Refusal(CARD_CODES[f"invalid_expiry_{name[4:]}"], f"{card[name]} is not from {first} to {last}.", f"card[{name}]")
    return card


def _found(desk: Desk, id_: str) -> Row:
    if desk.store.find(PAYMENT_METHOD.name, id_) is None:
        offered = processor_of(desk).offered(desk, id_)
        if offered is not None:
            return keep_method(desk, offered, {})
    return plain.need(desk, PAYMENT_METHOD, id_, "payment_method", lock=True)
