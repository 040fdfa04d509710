"""Setup intents: a payment method is made ready for later payments, with the customer's authentication where their bank asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from farthing.app.payments.attempts import Attempted, chosen_method, error_document, next_action
from farthing.app.payments.chosen import method_for, need_customer, processor_of, reference_for
from farthing.app.payments.intents import allowed_types, automatic_methods
from farthing.app.payments.kinds import PAYMENT_METHOD, SETUP_INTENT
from farthing.app.payments.methods import attached
from farthing.app.payments.processor import Outcome, SetUp
from farthing.app.payments.refusals import INTENT_PARAMETER, METHOD_MISSING
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.core.base.refusal import Refusal
from farthing.core.payment.declines import Decline
from farthing.core.payment.setup import setup_begun, setup_canceled, setup_concluded, setup_edited
from farthing.core.payment.states import CONFIRMABLE, UNDECIDED, Status

_EVENTS: Mapping[Status, str | None] = {
    Status.SUCCEEDED: "succeeded",
    Status.REQUIRES_ACTION: "requires_action",
    Status.REQUIRES_PAYMENT_METHOD: "setup_failed",
    Status.PROCESSING: None,
}


def create_setup(desk: Desk, params: Mapping[str, Any]) -> Row | Attempted:
    """Make a setup intent and, with `confirm`, begin at once.

    Errors: resource_missing, payment_method_…, payment_intent_invalid_parameter, fields_conflict."""
    confirm = params.get("confirm", False)
    if "return_url" in params and not confirm:
        raise Refusal(INTENT_PARAMETER, "return_url is sent without confirm=true.", "return_url")
    with desk.store.transaction():
        customer = params.get("customer")
        if customer is not None:
            need_customer(desk, customer)
        method = chosen_method(desk, params, customer)
        id_, types = desk.new_id(SETUP_INTENT.prefix.rstrip("_")), allowed_types(params)
        document = {
            "id": id_,
            **dict.fromkeys(_NOTHING),
            "automatic_payment_methods": automatic_methods(params, types),
            "client_secret": desk.new_id(f"{id_}_secret"),
            "customer": customer,
            "description": params.get("description"),
            "metadata": plain.merged_metadata({}, params.get("metadata")),
            "payment_method": None if method is None else method.id,
            "payment_method_options": {"card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}},
            "payment_method_types": types or ["card"],
            "status": str(Status.REQUIRES_PAYMENT_METHOD if method is None else Status.REQUIRES_CONFIRMATION),
            "usage": params.get("usage", "off_session"),
        }
        row = plain.create(desk, SETUP_INTENT, document)
        return _attempted(desk, row, params.get("return_url"), reference_for(desk, "setup", row.id)) if confirm else row


def update_setup(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change a setup intent. Errors: resource_missing, setup_intent_unexpected_state, payment_method_…"""
    with desk.store.transaction():
        row = plain.need(desk, SETUP_INTENT, id_, lock=True)
        return plain.change(desk, SETUP_INTENT, row, _changed(desk, row, params, again=False), None)


def confirm_setup(desk: Desk, id_: str, params: Mapping[str, Any]) -> Attempted:
    """Begin, or begin anew. Errors: resource_missing, setup_intent_unexpected_state, payment_method_…"""
    with desk.store.transaction():
        row = plain.need(desk, SETUP_INTENT, id_, lock=True)
        changes = {name: value for name, value in params.items() if name != "return_url"}
        row = plain.change(desk, SETUP_INTENT, row, _changed(desk, row, changes, again=True), None)
        return _attempted(desk, row, params.get("return_url"), None)


def cancel_setup(desk: Desk, id_: str, reason: str | None = None) -> Row:
    """Give a setup intent up. Errors: resource_missing, setup_intent_unexpected_state."""
    with desk.store.transaction():
        row = plain.need(desk, SETUP_INTENT, id_, lock=True)
        status = setup_canceled(Status(row.document["status"]))
        if row.hidden.get("reference") is not None:
            processor_of(desk).cancel(desk, row.hidden["reference"])
        changes = {"cancellation_reason": reason, "next_action": None, "status": str(status)}
        return plain.change(desk, SETUP_INTENT, row, {**row.document, **changes}, "canceled")


def settle_setup(desk: Desk, id_: str) -> Attempted | None:
    """Ask the processor how a set-up that is under way has ended, and let the intent follow; None where nothing is known.

    Errors: resource_missing."""
    with desk.store.transaction():
        row = plain.need(desk, SETUP_INTENT, id_, lock=True)
        if Status(row.document["status"]) not in UNDECIDED:
            return None
        outcome = processor_of(desk).outcome(desk, row.hidden["reference"])
        if outcome is None:
            return None
        method = plain.need(desk, PAYMENT_METHOD, row.document["payment_method"], lock=True)
        return _concluded(desk, row, method, outcome, dict(row.hidden))


def _changed(desk: Desk, row: Row, params: Mapping[str, Any], again: bool) -> dict[str, Any]:
    document = {**row.document, **{name: params[name] for name in ("description",) if name in params}}
    if "metadata" in params:
        document["metadata"] = plain.merged_metadata(row.document["metadata"], params["metadata"])
    if not {"customer", "payment_method"} & params.keys():
        return document
    status = Status(row.document["status"])
    if "customer" in params:
        document["customer"] = need_customer(desk, params["customer"])
    method = chosen_method(desk, params, document["customer"])
    if method is not None:
        document["payment_method"] = method.id
    elif document["payment_method"] is not None:
        method_for(desk, document["payment_method"], document["customer"])
    if not (again and status in CONFIRMABLE):
        document["status"] = str(setup_edited(status, document["payment_method"] is not None))
    return document


def _attempted(desk: Desk, row: Row, return_url: str | None, reference: str | None) -> Attempted:
    status, processor = Status(row.document["status"]), processor_of(desk)
    if status is Status.REQUIRES_PAYMENT_METHOD:
        raise Refusal(METHOD_MISSING, f"setup intent {row.id} has no payment method.", "payment_method")
    setup_begun(status)
    method = plain.need(desk, PAYMENT_METHOD, row.document["payment_method"], "payment_method", lock=True)
    if status is Status.REQUIRES_ACTION:
        processor.cancel(desk, row.hidden["reference"])
    number = row.hidden.get("attempts", 0) + 1
    order = SetUp(reference or f"{row.id} {number}", row.id, method.hidden["token"], row.document["usage"] == "off_session", return_url)
    outcome = processor.set_up(desk, order)
    return _concluded(desk, row, method, outcome, {"attempts": number, "reference": order.reference, "return_url": return_url})


def _concluded(desk: Desk, row: Row, method: Row, outcome: Outcome, hidden: dict[str, Any]) -> Attempted:
    status = setup_concluded(Status(row.document["status"]), outcome.result)
    document = {**row.document, "next_action": next_action(outcome, hidden.get("return_url")), "status": str(status)}
    if outcome.decline is not None:
        outcome = replace(outcome, decline=_of_setup(outcome.decline))
        assert outcome.decline is not None
        document["last_setup_error"] = error_document(outcome.decline, method.document)
        document["payment_method"] = None
    elif outcome.result == "succeeded":
        document["last_setup_error"] = None
        if row.document["customer"] is not None:
            method = attached(desk, method, row.document["customer"], agreed=row.document["usage"] == "off_session")
        else:
            method = plain.change(desk, PAYMENT_METHOD, method, method.document, None, hidden={**method.hidden, "agreed": True})
    event = _EVENTS[status] if document != dict(row.document) else None
    return Attempted(plain.change(desk, SETUP_INTENT, row, document, event, hidden=hidden), outcome, method)


def _of_setup(decline: Decline) -> Decline:
    return replace(decline, code="setup_intent_authentication_failure") if decline.reason == "authentication_failure" else decline


_NOTHING = (
    *("application", "cancellation_reason", "customer_account", "excluded_payment_method_types", "flow_directions", "last_setup_error"),
    *("latest_attempt", "mandate", "next_action", "on_behalf_of", "payment_method_configuration_details", "single_use_mandate"),
)
