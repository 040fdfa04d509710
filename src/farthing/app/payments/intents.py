"""Payment intents: made, changed, confirmed, captured, cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from farthing.app.payments.attempts import MANUAL, Attempted, attempt, chosen_method, given_up, payment_of, with_payment
from farthing.app.payments.charges import capture_charge, release_charge
from farthing.app.payments.chosen import (
    SUPPORTED,
    method_for,
    need_customer,
    processor_of,
    reference_for,
    shipping_details,
)
from farthing.app.payments.followers import moved
from farthing.app.payments.kinds import PAYMENT_INTENT
from farthing.app.payments.refusals import INTENT_PARAMETER, METHOD_TYPE_UNSUPPORTED
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Document, Row
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELDS_CONFLICT
from farthing.core.payment.payment import canceled, captured, checked_amount, edited
from farthing.core.payment.refusals import PAYMENT_STATE
from farthing.core.payment.states import EDITABLE, Status

WITH_CONFIRM = ("error_on_requires_action", "off_session", "return_url")
"""Parameters that only make sense where an intent is confirmed."""
_AS_SENT = ("description", "receipt_email", "setup_future_usage", "statement_descriptor", "statement_descriptor_suffix")
_OF_PAYMENT = ("amount", "capture_method", "currency", "customer", "payment_method", "setup_future_usage")
"""What cannot change once an attempt is under way."""


def create_intent(
    desk: Desk, params: Mapping[str, Any], *, id_: str | None = None, hidden: Document | None = None, reference: str | None = None
) -> Row | Attempted:
    """Make a payment intent (of the id `id_`, where there is one) and, with `confirm`, try to collect it at once, under `reference` if one
    is named.

    Errors: amount_too_small, payment_amount_too_large, resource_missing (customer, payment method), payment_method_…,
    payment_intent_invalid_parameter, fields_conflict."""
    confirm = params.get("confirm", False)
    for name in WITH_CONFIRM:
        if name in params and not confirm:
            raise Refusal(INTENT_PARAMETER, f"{name} is sent without confirm=true.", name)
    with desk.store.transaction():
        customer = params.get("customer")
        if customer is not None:
            need_customer(desk, customer)
        method = chosen_method(desk, params, customer)
        document = _new_document(desk, params, id_ or desk.new_id(PAYMENT_INTENT.prefix.rstrip("_")), customer, method)
        row = plain.create(desk, PAYMENT_INTENT, document, hidden=hidden)
        if not confirm:
            return row
        return _confirmed(desk, row, params, reference or reference_for(desk, "intent", row.id))


def update_intent(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change an intent. Once an attempt is under way, or was made with success, only what does not concern the payment can change.

    Errors: resource_missing, payment_intent_unexpected_state, and those of `create_intent`."""
    with desk.store.transaction():
        row = plain.need(desk, PAYMENT_INTENT, id_, lock=True)
        return _edited(desk, row, params, "changed")


def confirm_intent(desk: Desk, id_: str, params: Mapping[str, Any]) -> Attempted:
    """Try to collect an intent, and let what it is for go by it. Errors: resource_missing, payment_intent_unexpected_state,
    payment_method_…"""
    with desk.store.transaction():
        made = try_intent(desk, id_, params)
        moved(desk, made.row)
        return made


def try_intent(desk: Desk, id_: str, params: Mapping[str, Any], reference: str | None = None) -> Attempted:
    """Try to collect an intent, under `reference` if one is named. Errors: as of `confirm_intent`."""
    with desk.store.transaction():
        row = plain.need(desk, PAYMENT_INTENT, id_, lock=True)
        changes = {name: value for name, value in params.items() if name not in WITH_CONFIRM}
        row = _edited(desk, row, changes, "confirmed")
        return _confirmed(desk, row, params, reference)


def capture_intent(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Take what is held for an intent, all or `amount_to_capture`; the rest is let go.

    Errors: resource_missing, payment_intent_unexpected_state, amount_too_small, payment_amount_too_large."""
    with desk.store.transaction():
        row = plain.need(desk, PAYMENT_INTENT, id_, lock=True)
        payment = captured(payment_of(row), params.get("amount_to_capture"))
        outcome = processor_of(desk).capture(desk, row.hidden["reference"], payment.received)
        if outcome.result != "succeeded":
            raise Refusal(PAYMENT_STATE, f"the processor does not capture payment intent {row.id} any more.", None)
        capture_charge(desk, row.document["latest_charge"], payment.received, outcome.at_once)
        document = with_payment(row.document, payment)
        for name in ("statement_descriptor", "statement_descriptor_suffix"):
            document[name] = params.get(name, document[name])
        if "metadata" in params:
            document["metadata"] = plain.merged_metadata(document["metadata"], params["metadata"])
        row = plain.change(desk, PAYMENT_INTENT, row, document, "succeeded")
        moved(desk, row)
        return row


def cancel_intent(desk: Desk, id_: str, reason: str | None = None) -> Row:
    """Give an intent up; what is held is let go. Errors: resource_missing, payment_intent_unexpected_state."""
    with desk.store.transaction():
        row = plain.need(desk, PAYMENT_INTENT, id_, lock=True)
        before = payment_of(row)
        payment = canceled(before)
        if row.hidden.get("reference") is not None:
            processor_of(desk).cancel(desk, row.hidden["reference"])
        if before.status is Status.REQUIRES_CAPTURE:
            release_charge(desk, row.document["latest_charge"])
        document = {**with_payment(row.document, payment), "canceled_at": desk.second, "cancellation_reason": reason, "next_action": None}
        row = plain.change(desk, PAYMENT_INTENT, row, document, "canceled")
        moved(desk, row)
        return row


def _confirmed(desk: Desk, row: Row, params: Mapping[str, Any], reference: str | None) -> Attempted:
    return attempt(
        desk,
        row,
        off_session=params.get("off_session", False) is not False,
        return_url=params.get("return_url"),
        waits=not params.get("error_on_requires_action", False),
        reference=reference,
    )


def _edited(desk: Desk, row: Row, params: Mapping[str, Any], done: Literal["changed", "confirmed"]) -> Row:
    """The row after changes, of which no event tells. What concerns the payment cannot change once it is over, nor while an attempt is
    under way, unless the intent is confirmed anew."""
    if not params:
        return row
    changes: dict[str, Any] = {name: params[name] for name in (*_AS_SENT, "currency", "capture_method") if name in params}
    if "metadata" in params:
        changes["metadata"] = plain.merged_metadata(row.document["metadata"], params["metadata"])
    if "shipping" in params:
        changes["shipping"] = shipping_details(params["shipping"])
    document = {**row.document, **changes}
    touched = [name for name in _OF_PAYMENT if name in params]
    if touched:
        before = payment_of(row).status
        if (before is Status.REQUIRES_ACTION and done == "confirmed") or row.hidden.get("acted"):
            row = given_up(desk, row)
            document = {**row.document, **changes}
        elif before not in EDITABLE:
            raise Refusal(PAYMENT_STATE, f"a payment that is {before} cannot be {done} with {touched[0]}.", touched[0])
        document = _repaid(desk, row, params, document)
    return plain.change(desk, PAYMENT_INTENT, row, document, None)


def _repaid(desk: Desk, row: Row, params: Mapping[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """The document where the payment itself changes: amount, customer, payment method."""
    if "customer" in params:
        document["customer"] = need_customer(desk, params["customer"])
    method = chosen_method(desk, params, document["customer"])
    if method is not None:
        document["payment_method"] = method.id
    elif document["payment_method"] is not None and "customer" in params:
        method_for(desk, document["payment_method"], document["customer"])
    payment = replace(payment_of(row), capture_later=document["capture_method"] == MANUAL)
    return with_payment(document, edited(payment, params.get("amount", payment.amount), document["payment_method"] is not None))


def _new_document(desk: Desk, params: Mapping[str, Any], id_: str, customer: str | None, method: Row | None) -> dict[str, Any]:
    types = allowed_types(params)
    return {
        "id": id_,
        **dict.fromkeys(_NOTHING),
        **{name: params.get(name) for name in _AS_SENT},
        "amount": checked_amount(params["amount"]),
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "automatic_payment_methods": automatic_methods(params, types),
        "capture_method": params.get("capture_method", "automatic_async"),
        "client_secret": desk.new_id(f"{id_}_secret"),
        "confirmation_method": params.get("confirmation_method", "automatic"),
        "currency": params["currency"],
        "customer": customer,
        "metadata": plain.merged_metadata({}, params.get("metadata")),
        "payment_method": None if method is None else method.id,
        "payment_method_options": {"card": {"installments": None, "mandate_options": None, "network": None, "request_three_d_secure": "automatic"}},
        "payment_method_types": types or list(SUPPORTED),
        "shipping": shipping_details(params.get("shipping")),
        "status": str(Status.REQUIRES_PAYMENT_METHOD if method is None else Status.REQUIRES_CONFIRMATION),
    }


def allowed_types(params: Mapping[str, Any]) -> list[str] | None:
    """The types of payment methods that an intent is limited to, None where it is not. Errors: payment_method_unsupported_type."""
    types: list[str] | None = params.get("allowed_payment_method_types")
    for n, type_ in enumerate(types or ()):
        if type_ not in SUPPORTED:
            raise Refusal(METHOD_TYPE_UNSUPPORTED, f"{type_} is not supported.", f"allowed_payment_method_types[{n}]")
    return types


def automatic_methods(params: Mapping[str, Any], types: list[str] | None) -> dict[str, Any] | None:
    """Whether the types of payment methods are chosen here, as an intent shows it: yes, unless types are named."""
    sent: Mapping[str, Any] | None = params.get("automatic_payment_methods")
    if sent is None:
        return None if types else {"allow_redirects": "always", "enabled": True}
    if types and sent["enabled"]:
        raise Refusal(FIELDS_CONFLICT, "payment method types are named and are to be chosen.", "allowed_payment_method_types")
    return {"allow_redirects": sent.get("allow_redirects", "always"), "enabled": sent["enabled"]}


_NOTHING = (
    *("application", "application_fee_amount", "canceled_at", "cancellation_reason", "customer_account", "excluded_payment_method_types"),
    *("last_payment_error", "latest_charge", "next_action", "on_behalf_of", "payment_method_configuration_details", "processing", "review"),
    *("source", "transfer_data", "transfer_group"),
)
