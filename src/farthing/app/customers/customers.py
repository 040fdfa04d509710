"""Customers: who is billed, what is known of them, and how their bills are to look."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from farthing.app.catalogue.accounts import DEFAULT_CURRENCY
from farthing.app.clocks.desks import clock_desk, clock_of
from farthing.app.customers.fields import FIELDS, MOST_CUSTOM_FIELDS, NAMES, few
from farthing.app.customers.kinds import CUSTOMER
from farthing.app.customers.refusals import (
    INVOICE_PREFIX_INVALID,
    INVOICE_PREFIX_TAKEN,
    INVOICE_SEQUENCE_TOO_LOW,
    PAYMENT_METHOD_NOT_ATTACHED,
)
from farthing.app.customers.tax_ids import add_tax_id, delete_tax_id, tax_ids_of
from farthing.app.payments.methods import attach_method, detach_method
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Document, PageQuery, Row, Test
from farthing.app.settlement.balances import moved, record
from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal
from farthing.core.payment.refusals import CARD_CODES

Ending = Callable[[Desk, str], None]
PREFIX_SCOPE = "customer.invoice_prefix"
_PREFIX = re.compile(r"[A-Z0-9]{3,12}", re.ASCII)
_ENDINGS: list[Ending] = []


def ends_with_customer(ending: Ending) -> Ending:
    """Declare what else ends when a customer is deleted: it is called with the desk and the customer's id, in the same transaction,
    before the customer is gone. Returns it."""
    if ending not in _ENDINGS:
        _ENDINGS.append(ending)
    return ending


def create_customer(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Make a customer, who is a customer of the core's catalogue as well, so that usage events of the id are billed. A payment method
    that is sent is attached, and may be named as the default one; if it is declined, there is no customer.

    Errors: those of the fields, resource_missing and test_clock_advancing (a test clock), invoice_prefix_…, tax_id_invalid, those of
    attaching a payment method, card_declined and the like."""
    clock = params.get("test_clock")
    with desk.store.transaction():
        desk = desk if clock is None else clock_desk(desk, clock)
        id_ = desk.new_id("cus")
        document: dict[str, Any] = {
            "id": id_,
            "balance": 0,
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "discount": None,
            "invoice_credit_balance": {},
            **{name: read(params.get(name), name) for name, read in FIELDS.items()},
            **{name: params[name] for name in NAMES if params.get(name) is not None},
            "invoice_prefix": _prefix(desk, id_, params),
            "invoice_settings": _settings(desk, id_, params, _NO_SETTINGS, params.get("payment_method")),
            "metadata": plain.merged_metadata({}, params.get("metadata")),
            "next_invoice_sequence": _sequence(params, 1),
            "test_clock": clock,
        }
        if balance := params.get("balance", 0):
            document = moved(document, balance, DEFAULT_CURRENCY, "balance")
        plain.create(desk, CUSTOMER, document)
        if balance:
            record(desk, document, balance, DEFAULT_CURRENCY, "initial")
        for n, tax_id in enumerate(params.get("tax_id_data") or ()):
            add_tax_id(desk, id_, tax_id, f"tax_id_data[{n}]")
        if "payment_method" in params:
            _attach(desk, id_, params)
        desk.store.put_customer(id_, {"id": id_})  # last: it locks the catalogue of the account
        return plain.need(desk, CUSTOMER, id_)


def update_customer(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change a customer: metadata and invoice settings are merged, other objects replaced. Another balance is an adjustment, in the
    customer's currency.

    Errors: those of the fields, resource_missing, invoice_prefix_…, invoice_sequence_too_low, payment_method_not_attached."""
    with desk.store.transaction():
        desk = clock_of(desk, plain.need(desk, CUSTOMER, id_))
        row = plain.need(desk, CUSTOMER, id_, lock=True)
        before = row.document
        document: dict[str, Any] = {**before, **{name: read(params[name], name) for name, read in FIELDS.items() if name in params}}
        for name in NAMES:
            if name in params:
                document[name] = params[name]
        document = {name: value for name, value in document.items() if name not in NAMES or value is not None}
        if "invoice_prefix" in params:
            document["invoice_prefix"] = _prefix(desk, id_, params)
        document["invoice_settings"] = _settings(desk, id_, params, before["invoice_settings"])
        document["next_invoice_sequence"] = _sequence(params, before["next_invoice_sequence"])
        if "metadata" in params:
            document["metadata"] = plain.merged_metadata(before["metadata"], params["metadata"])
        amount = params.get("balance", before["balance"]) - before["balance"]
        currency = before["currency"] or DEFAULT_CURRENCY
        if amount:
            document = moved(document, amount, currency, "balance")
            record(desk, document, amount, currency, "adjustment")
        return plain.change(desk, CUSTOMER, row, document)


def delete_customer(desk: Desk, id_: str) -> Document:
    """Delete a customer, with what ends then (`ends_with_customer`), tax ids and payment methods. Bills and what was paid stay. Errors:
    resource_missing, test_clock_advancing."""
    with desk.store.transaction():
        desk = clock_of(desk, plain.need(desk, CUSTOMER, id_))
        plain.need(desk, CUSTOMER, id_, lock=True)
        for ending in _ENDINGS:
            ending(desk, id_)
        for tax_id in tax_ids_of(desk, id_):
            delete_tax_id(desk, tax_id.id)
        of_customer = PageQuery("payment_method", 100, tests=(Test("customer", "eq", id_),))
        while methods := desk.store.page(of_customer).rows:
            for method in methods:
                detach_method(desk, method.id)
        return plain.delete(desk, CUSTOMER, id_)


_NO_SETTINGS: Mapping[str, Any] = {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None}


def _attach(desk: Desk, id_: str, params: Mapping[str, Any]) -> None:
    """Attach the payment method that a new customer comes with, and make it the default one where it is named as such."""
    sent = params["payment_method"]
    method, outcome = attach_method(desk, sent, {"customer": id_})
    if outcome.decline is not None:
        raise Refusal(CARD_CODES[outcome.decline.code], outcome.decline.message, "payment_method")
    if method.document["customer"] != id_:
        raise Refusal(PAYMENT_METHOD_NOT_ATTACHED, f"payment method {method.id} asks for more than being attached.", "payment_method")
    if (params.get("invoice_settings") or {}).get("default_payment_method") == sent:
        row = plain.need(desk, CUSTOMER, id_)
        settings = {**row.document["invoice_settings"], "default_payment_method": method.id}
        plain.change(desk, CUSTOMER, row, {**row.document, "invoice_settings": settings})


def _settings(desk: Desk, id_: str, params: Mapping[str, Any], before: Mapping[str, Any], coming: str | None = None) -> dict[str, Any]:
    """The settings of a customer's invoices: those that are sent replace those before, others stay. A payment method that is `coming`
    is not attached yet, and not set."""
    sent = dict(params.get("invoice_settings") or {})
    if "custom_fields" in sent:
        fields = few(sent["custom_fields"], MOST_CUSTOM_FIELDS, "invoice_settings[custom_fields]")
        sent["custom_fields"] = [dict(field) for field in fields] or None
    if coming is not None and sent.get("default_payment_method") == coming:
        del sent["default_payment_method"]
    if "default_payment_method" in sent:
        _check_payment_method(desk, id_, sent["default_payment_method"], "invoice_settings[default_payment_method]")
    if sent.get("rendering_options") is not None:
        sent["rendering_options"] = {"amount_tax_display": sent["rendering_options"].get("amount_tax_display"), "template": None}
    return {**before, **sent}


def _check_payment_method(desk: Desk, id_: str, method: str, field: str) -> None:
    row = desk.store.find("payment_method", method)
    if row is None or row.deleted:
        raise Refusal(RESOURCE_MISSING, f"there is no payment_method {method[:80]!r}.", field)
    if row.document.get("customer") != id_:
        raise Refusal(PAYMENT_METHOD_NOT_ATTACHED, f"payment method {method[:80]!r} is not attached to {id_}.", field)


def _prefix(desk: Desk, id_: str, params: Mapping[str, Any]) -> str:
    """What numbers of the customer's invoices begin with: as sent, or eight letters and digits that no other has. One that a customer
    has had stays that customer's, so that no two invoices ever have one number."""
    prefix: str | None = params.get("invoice_prefix")
    if prefix is not None:
        if _PREFIX.fullmatch(prefix) is None:
            raise Refusal(INVOICE_PREFIX_INVALID, f"{shown(prefix)} is not 3 to 12 capital letters and digits.", "invoice_prefix")
        if desk.store.claim(PREFIX_SCOPE, prefix, id_) is not None:
            raise Refusal(INVOICE_PREFIX_TAKEN, f"{prefix} is another customer's.", "invoice_prefix")
        return prefix
    while True:
        prefix = desk.new_id("")[-8:].upper()
        if desk.store.claim(PREFIX_SCOPE, prefix, id_) is None:
            return prefix


def _sequence(params: Mapping[str, Any], next_: int) -> int:
    sequence: int = params.get("next_invoice_sequence", next_)
    if sequence < next_:
        raise Refusal(INVOICE_SEQUENCE_TOO_LOW, f"{sequence} is below {next_}.", "next_invoice_sequence")
    return sequence
