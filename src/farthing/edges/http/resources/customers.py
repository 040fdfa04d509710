"""Customers, their balances, tax ids and discounts."""

from __future__ import annotations

from typing import Any

from farthing.app.catalogue.discounts import customers_discount, delete_customers_discount
from farthing.app.customers.customers import create_customer, delete_customer, update_customer
from farthing.app.customers.kinds import CUSTOMER, TAX_ID
from farthing.app.customers.tax_ids import add_tax_id, create_tax_id, delete_tax_id, need_tax_id, owner_of, tax_ids_of
from farthing.app.resources import plain as verbs
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Document, Test
from farthing.app.settlement.balances import change_balance, need_transaction, update_transaction
from farthing.app.settlement.kinds import BALANCE_TRANSACTION
from farthing.edges.http import lists
from farthing.edges.http.expand import shown_on_request
from farthing.edges.http.routes import Answer, Call, Listed, plain, route

_ONE = "/v1/customers/{customer}"
_BALANCES, _TAX_IDS = f"{_ONE}/balance_transactions", f"{_ONE}/tax_ids"
_FIELDS = (
    *("address", "balance", "business_name", "description", "email", "individual_name", "invoice_prefix", "metadata", "name"),
    *("next_invoice_sequence", "phone", "preferred_locales", "shipping", "tax_exempt"),
    *("invoice_settings[custom_fields]", "invoice_settings[default_payment_method]", "invoice_settings[footer]"),
    "invoice_settings[rendering_options][amount_tax_display]",
)


def add_routes() -> None:
    """Serve customers and what belongs to them."""
    plain(
        CUSTOMER,
        creates=create_customer,
        takes=(*_FIELDS, "payment_method", "tax_id_data", "test_clock"),
        updates=update_customer,
        changes=_FIELDS,
        shows_deleted=True,
        lists=_customers,
    )
    route("DELETE", _ONE, lambda call: delete_customer(call.desk, call.id))
    shown_on_request("customer", "tax_ids", _tax_ids_inside)
    route("GET", _ONE + "/discount", lambda call: customers_discount(call.desk, call.ids["customer"]))
    route("DELETE", _ONE + "/discount", lambda call: delete_customers_discount(call.desk, call.ids["customer"]))
    _add_balances()
    _add_tax_ids()


def _customers(call: Call) -> Listed:
    """Customers who live by a test clock are listed only where it is named."""
    conditions = lists.tests(call.params)
    if "test_clock" not in call.params:
        conditions = (*conditions, Test("test_clock", "eq", None))
    return Listed(lists.page(call.desk, CUSTOMER.name, call.params, conditions), CUSTOMER.collection)


def _tax_ids_inside(desk: Desk, customer: Document) -> dict[str, Any]:
    rows = tax_ids_of(desk, customer["id"])
    return lists.list_document([row.document for row in rows], False, f"/v1/customers/{customer['id']}/tax_ids")


def _add_balances() -> None:
    route("GET", _BALANCES, _transactions, (*lists.PARAMETERS, "invoice"))
    route("POST", _BALANCES, _change_balance, ("amount", "currency", "description", "metadata"))
    one = _BALANCES + "/{transaction}"
    route("GET", one, lambda call: need_transaction(call.desk, call.ids["customer"], call.id))
    route("POST", one, lambda call: update_transaction(call.desk, call.ids["customer"], call.id, call.params), ("description", "metadata"))


def _transactions(call: Call) -> Listed:
    return _owned(call, BALANCE_TRANSACTION.name, "balance_transactions")


def _owned(call: Call, kind: str, name: str) -> Listed:
    """A page of what a customer has of a kind."""
    customer = verbs.need(call.desk, CUSTOMER, call.ids["customer"], "customer").id
    conditions = (Test("customer", "eq", customer), *lists.tests(call.params))
    return Listed(lists.page(call.desk, kind, call.params, conditions), f"/v1/customers/{customer}/{name}")


def _change_balance(call: Call) -> Answer:
    sent = call.params
    return change_balance(
        call.desk,
        call.ids["customer"],
        sent["amount"],
        sent["currency"],
        "adjustment",
        description=sent.get("description"),
        metadata=sent.get("metadata"),
    )


def _add_tax_ids() -> None:
    route("GET", _TAX_IDS, lambda call: _owned(call, TAX_ID.name, "tax_ids"), lists.CURSORS)
    route("POST", _TAX_IDS, lambda call: add_tax_id(call.desk, call.ids["customer"], call.params), ("type", "value"))
    route("GET", _TAX_IDS + "/{id}", lambda call: need_tax_id(call.desk, call.id, call.ids["customer"]))
    route("DELETE", _TAX_IDS + "/{id}", lambda call: delete_tax_id(call.desk, call.id, call.ids["customer"]))
    owner = ("owner[type]", "owner[customer]")
    route("GET", TAX_ID.collection, _tax_ids, (*lists.CURSORS, *owner))
    route("POST", TAX_ID.collection, lambda call: create_tax_id(call.desk, call.params), ("type", "value", *owner))
    route("GET", TAX_ID.collection + "/{id}", lambda call: need_tax_id(call.desk, call.id))
    route("DELETE", TAX_ID.collection + "/{id}", lambda call: delete_tax_id(call.desk, call.id))


def _tax_ids(call: Call) -> Listed:
    """The tax ids of one owner, by default the account's own."""
    conditions = (Test("customer", "eq", owner_of(call.params)),)
    return Listed(lists.page(call.desk, TAX_ID.name, call.params, conditions), TAX_ID.collection)
