"""Payment methods, payment and set-up intents, refunds, the balance."""

from __future__ import annotations

from farthing.app.payments.attempts import Attempted
from farthing.app.payments.balance import balance_document, transaction_now
from farthing.app.payments.chosen import need_customer
from farthing.app.payments.intents import cancel_intent, capture_intent, confirm_intent, create_intent, update_intent
from farthing.app.payments.kinds import BALANCE_TRANSACTION, PAYMENT_INTENT, PAYMENT_METHOD, REFUND, SETUP_INTENT
from farthing.app.payments.methods import attach_method, create_method, detach_method, update_method
from farthing.app.payments.refunds import cancel_refund, create_refund
from farthing.app.payments.setups import cancel_setup, confirm_setup, create_setup, update_setup
from farthing.app.resources import plain as verbs
from farthing.app.resources.desk import Desk
from farthing.app.resources.kinds import Kind
from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Document, PageQuery, Row, Test
from farthing.core.base.refusal import Refusal
from farthing.core.payment.declines import Decline
from farthing.core.payment.refusals import CARD_CODES
from farthing.edges.http import lists
from farthing.edges.http.expand import shown_as, shown_on_request
from farthing.edges.http.problem import answered
from farthing.edges.http.routes import Answer, Call, Failed, Listed, plain, retrieved, route

_BOTH = (
    *("allowed_payment_method_types", "automatic_payment_methods", "confirm", "customer", "description", "metadata"),
    *("payment_method", "return_url"),
)
_INTENT = (
    *("amount", "capture_method", "confirmation_method", "currency", "error_on_requires_action", "off_session", "receipt_email"),
    *("setup_future_usage", "shipping", "statement_descriptor", "statement_descriptor_suffix"),
)
_CHANGES = (
    *("amount", "capture_method", "currency", "customer", "description", "metadata", "payment_method", "receipt_email", "setup_future_usage"),
    *("shipping", "statement_descriptor", "statement_descriptor_suffix"),
)
_CONFIRMS = (
    *("capture_method", "error_on_requires_action", "off_session", "payment_method", "receipt_email", "return_url", "setup_future_usage"),
    "shipping",
)
_CARD_ERRORS = [kind for code, kind in CARD_CODES.items() if not code.endswith("_authentication_failure")]


def add_routes() -> None:
    """Serve payments."""
    for kind in _CARD_ERRORS:
        answered(kind, 402, "card_error")
    _add_methods()
    _add_intents()
    _add_setups()
    _add_refunds()
    shown_on_request("charge", "refunds", _refunds_of)
    shown_as("balance_transaction", transaction_now)
    route("GET", "/v1/balance", lambda call: balance_document(call.desk))
    plain(BALANCE_TRANSACTION)


def _add_methods() -> None:
    one = f"{PAYMENT_METHOD.collection}/{{payment_method}}"
    shared = ("billing_details", "allow_redisplay", "metadata")
    route("GET", PAYMENT_METHOD.collection, _methods, (*lists.CURSORS, *PAYMENT_METHOD.filters))
    route("GET", one, lambda call: retrieved(call, PAYMENT_METHOD))
    route("POST", PAYMENT_METHOD.collection, lambda call: create_method(call.desk, call.params), ("card", "type", *shared))
    changes = ("card[exp_month]", "card[exp_year]", *shared)
    route("POST", one, lambda call: update_method(call.desk, call.id, call.params), changes)
    route("POST", f"{one}/attach", _attach, ("customer",))
    route("POST", f"{one}/detach", lambda call: detach_method(call.desk, call.id))
    of_customer = "/v1/customers/{customer}/payment_methods"
    route("GET", of_customer, _methods_of_customer, (*lists.CURSORS, "allow_redisplay", "type"))
    route("GET", f"{of_customer}/{{payment_method}}", _method_of_customer)


def _add_intents() -> None:
    one = f"{PAYMENT_INTENT.collection}/{{intent}}"
    plain(PAYMENT_INTENT, updates=update_intent, changes=_CHANGES)
    route("POST", PAYMENT_INTENT.collection, lambda call: _intent(create_intent(call.desk, call.params)), (*_BOTH, *_INTENT))
    route("POST", f"{one}/confirm", lambda call: _intent(confirm_intent(call.desk, call.id, call.params)), _CONFIRMS)
    capture = ("amount_to_capture", "metadata", "statement_descriptor", "statement_descriptor_suffix")
    route("POST", f"{one}/capture", lambda call: capture_intent(call.desk, call.id, call.params), capture)
    route(
        "POST",
        f"{one}/cancel",
        lambda call: cancel_intent(call.desk, call.id, call.params.get("cancellation_reason")),
        ("cancellation_reason",),
    )


def _add_setups() -> None:
    one = f"{SETUP_INTENT.collection}/{{intent}}"
    changes = ("customer", "description", "metadata", "payment_method")
    plain(SETUP_INTENT, updates=update_setup, changes=changes)
    route("POST", SETUP_INTENT.collection, lambda call: _setup(create_setup(call.desk, call.params)), (*_BOTH, "usage"))
    confirms = ("payment_method", "return_url")
    route("POST", f"{one}/confirm", lambda call: _setup(confirm_setup(call.desk, call.id, call.params)), confirms)
    route(
        "POST",
        f"{one}/cancel",
        lambda call: cancel_setup(call.desk, call.id, call.params.get("cancellation_reason")),
        ("cancellation_reason",),
    )


def _add_refunds() -> None:
    takes = ("amount", "charge", "metadata", "payment_intent", "reason")
    plain(REFUND, creates=create_refund, takes=takes, changes=("metadata",))
    route("POST", f"{REFUND.collection}/{{refund}}/cancel", lambda call: cancel_refund(call.desk, call.id))


def _intent(made: Row | Attempted) -> Answer:
    return _tried(made, PAYMENT_INTENT)


def _setup(made: Row | Attempted) -> Answer:
    return _tried(made, SETUP_INTENT)


def _tried(made: Row | Attempted, kind: Kind) -> Answer:
    """An intent after an attempt; where it was declined, the error that tells of it. The work stays done either way."""
    if isinstance(made, Row):
        return made
    if made.decline is None:
        return made.row
    error = made.row.document["last_payment_error" if kind is PAYMENT_INTENT else "last_setup_error"]
    extra = {name: error[name] for name in ("advice_code", "charge", "decline_code", "payment_method") if name in error}
    return Failed(_declined(made.decline), {**extra, kind.name: made.row.document})


def _declined(decline: Decline) -> Refusal:
    return Refusal(CARD_CODES[decline.code], decline.message, None)


def _attach(call: Call) -> Answer:
    row, outcome = attach_method(call.desk, call.id, call.params)
    if outcome.decline is None:
        return row
    return Failed(_declined(outcome.decline), {"decline_code": outcome.decline.reason, "payment_method": row.document})


def _methods(call: Call) -> Listed:
    return Listed(lists.page(call.desk, PAYMENT_METHOD.name, call.params, lists.tests(call.params)), PAYMENT_METHOD.collection)


def _methods_of_customer(call: Call) -> Listed:
    customer = need_customer(call.desk, call.ids["customer"])
    conditions = (Test("customer", "eq", customer), *lists.tests(call.params))
    return Listed(lists.page(call.desk, PAYMENT_METHOD.name, call.params, conditions), f"/v1/customers/{customer}/payment_methods")


def _method_of_customer(call: Call) -> Document:
    row = verbs.need(call.desk, PAYMENT_METHOD, call.id, "payment_method")
    if row.document["customer"] != need_customer(call.desk, call.ids["customer"]):
        raise Refusal(RESOURCE_MISSING, f"the customer has no payment method {call.id[:80]!r}.", "payment_method")
    return row.document


def _refunds_of(desk: Desk, charge: Document) -> Document:
    page = desk.store.page(PageQuery(REFUND.name, lists.USUAL, tests=(Test("charge", "eq", charge["id"]),)))
    return lists.list_document([row.document for row in page.rows], page.more, f"/v1/charges/{charge['id']}/refunds")
