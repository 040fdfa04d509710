"""Invoices that are asked for: of what waits for a customer, or of what a subscription has not billed yet; and their settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farthing.app.billing.agreements import tax_rates
from farthing.app.billing.contracts import account_contract
from farthing.app.billing.drafts import Bill, current_contract, former, items_waiting
from farthing.app.billing.invoices import COLLECTED_AFTER, current, draft, in_time
from farthing.app.billing.items import customers_subscription
from farthing.app.billing.kinds import INVOICE
from farthing.app.billing.refusals import INVOICE_DUE_DATE, INVOICE_NOT_DRAFT
from farthing.app.billing.subscriptions import DAY
from farthing.app.clocks.desks import clock_of
from farthing.app.customers.kinds import CUSTOMER
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import MICROS

_SETTINGS = ("description", "footer", "custom_fields", "statement_descriptor", "default_payment_method", "effective_at")
_ALWAYS = ("metadata", "default_payment_method", "auto_advance")


def create_invoice(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Make a draft: with `pending_invoice_items_behavior` include, of the invoice items that wait; with a subscription, of the changes
    that it has not billed yet. Without `auto_advance` it stays a draft until it is finalized.

    Errors: resource_missing, invoice_due_date_misplaced.
    """
    with desk.store.transaction():
        customer = plain.need(desk, CUSTOMER, params["customer"], "customer", lock=True)
        desk = clock_of(desk, customer)
        subscription = None
        if params.get("subscription") is not None:
            subscription = customers_subscription(desk, customer.id, params["subscription"])
        currency = params.get("currency") or (None if subscription is None else subscription.document["currency"])
        currency = currency or customer.document["currency"] or "usd"
        contract = None if subscription is None else current_contract(subscription)
        if contract is None:
            contract = account_contract(desk, customer.id, currency, customer.document["created"]).id
        include = params.get("pending_invoice_items_behavior", "exclude") == "include" or subscription is not None
        waiting = items_waiting(desk, customer.id, currency, None if subscription is None else subscription.id) if include else []
        settings = {**_settings(desk, params), "auto_advance": params.get("auto_advance", False)}
        bills = [Bill(contract), *([] if subscription is None else former(subscription))]
        return draft(desk, customer, currency, bills, "manual", subscription=subscription, items=waiting, settings=settings)


def update_invoice(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change an invoice's settings: all of a draft's, of one that is final only those that change nothing on it.

    Errors: resource_missing, invoice_not_editable, invoice_due_date_misplaced.
    """
    with desk.store.transaction():
        row = plain.need(desk, INVOICE, id_, lock=True)
        desk = in_time(desk, row)
        if row.document["status"] != "draft":
            for name in params:
                if name not in _ALWAYS:
                    raise Refusal(INVOICE_NOT_DRAFT, f"invoice {id_[:80]!r} is {row.document['status']}.", name)
        document = {**row.document, **_settings(desk, params, row.document)}
        if "auto_advance" in params:
            document["auto_advance"] = params["auto_advance"]
            waits = "automatically_finalizes_at" if row.document["status"] == "draft" else "next_payment_attempt"
            if not params["auto_advance"]:
                document[waits] = None
            elif document[waits] is None:
                document[waits] = desk.second + (COLLECTED_AFTER if row.document["status"] == "draft" else 0)
        return plain.change(desk, INVOICE, row, document, due_at=_due_at(document))


def _due_at(document: Mapping[str, Any]) -> int | None:
    """When something is due on an invoice: a draft becomes final, an open one is charged."""
    waits = {"draft": "automatically_finalizes_at", "open": "next_payment_attempt"}.get(document["status"])
    at = None if waits is None else document[waits]
    return None if at is None else at * MICROS


def _settings(desk: Desk, params: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    found = {name: params[name] for name in _SETTINGS if name in params}
    if "metadata" in params:
        found["metadata"] = plain.merged_metadata((before or {}).get("metadata") or {}, params["metadata"])
    if "default_tax_rates" in params:
        found["default_tax_rates"] = tax_rates(desk, params["default_tax_rates"] or (), "default_tax_rates")
    if "automatically_finalizes_at" in params:
        found["automatically_finalizes_at"] = params["automatically_finalizes_at"]
    if before is None or any(name in params for name in ("collection_method", "days_until_due", "due_date")):
        found |= _due(desk, params, before)
    return found


def _due(desk: Desk, params: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    method = params.get("collection_method", (before or {}).get("collection_method", "charge_automatically"))
    days, date = params.get("days_until_due"), params.get("due_date", (before or {}).get("due_date"))
    if method != "send_invoice":
        if days is not None or params.get("due_date") is not None:
            raise Refusal(INVOICE_DUE_DATE, f"collection_method is {method}.", "days_until_due" if days is not None else "due_date")
        return {"collection_method": method, "due_date": None}
    if (days is None) == (date is None):
        raise Refusal(INVOICE_DUE_DATE, "it needs one of days_until_due and due_date.", "days_until_due")
    return {"collection_method": method, "due_date": date if days is None else desk.second + days * DAY}


def lines_of(desk: Desk, row: Row) -> list[Mapping[str, Any]]:
    """All lines of an invoice, of a draft as things are."""
    found: list[Mapping[str, Any]] = current(desk, row)["lines"]["data"]
    return found
