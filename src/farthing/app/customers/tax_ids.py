"""Tax ids of customers and of the account. Their form is checked where it is known; whether they are registered is not: nothing here asks
an authority, and the document says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from farthing.app.clocks.desks import clock_of
from farthing.app.customers.kinds import CUSTOMER, TAX_ID
from farthing.app.customers.refusals import ENTRIES_TOO_MANY, TAX_ID_INVALID, TAX_ID_OWNER_INVALID
from farthing.app.customers.tax_id_forms import FORMS, VAT_IN_EUROPE
from farthing.app.resources import plain
from farthing.app.resources.changes import tell
from farthing.app.resources.desk import Desk
from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Document, PageQuery, Row, Test
from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal

MOST, LONGEST = 5, 60
_VERIFIABLE = ("au_abn", "eu_vat", "gb_vat")
_PUNCTUATION = re.compile(r"[ .\-/]")
_ANY = re.compile(r"[A-Z0-9Ñ&+*]+")


def add_tax_id(desk: Desk, customer_id: str, params: Mapping[str, Any], within: str = "") -> Row:
    """Add a tax id to a customer; `within` is the parameter that it stands in. Errors: tax_id_invalid, resource_missing,
    entries_too_many (more than five)."""
    document = _read(params, within)
    with desk.store.transaction():
        desk = clock_of(desk, plain.need(desk, CUSTOMER, customer_id, "customer"))
        plain.need(desk, CUSTOMER, customer_id, "customer", lock=True)
        if len(tax_ids_of(desk, customer_id)) >= MOST:
            raise Refusal(ENTRIES_TOO_MANY, f"{customer_id} has {MOST} tax ids.", within or None)
        owner = {"customer": customer_id, "customer_account": None, "type": "customer"}
        row = plain.create(desk, TAX_ID, {**document, "customer": customer_id, "owner": owner}, event=None)
        tell(desk, "customer.tax_id.created", row.document)
        return row


def create_tax_id(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Add a tax id to its owner: the account itself, or a customer. Errors: as `add_tax_id`, tax_id_owner_invalid."""
    customer = owner_of(params)
    if customer is not None:
        plain.need(desk, CUSTOMER, customer, "owner[customer]")
        return add_tax_id(desk, customer, params)
    document = {**_read(params, ""), "customer": None, "owner": {"customer_account": None, "type": "self"}}
    return plain.create(desk, TAX_ID, document, event=None)


def owner_of(params: Mapping[str, Any]) -> str | None:
    """The customer that `owner` names, None for the account itself. Errors: tax_id_owner_invalid."""
    owner = params.get("owner") or {"type": "self"}
    customer: str | None = owner.get("customer")
    if (owner["type"], customer is None) not in (("self", True), ("customer", False)):
        raise Refusal(TAX_ID_OWNER_INVALID, f"the owner is {shown(owner)}.", "owner[type]")
    return customer


def need_tax_id(desk: Desk, id_: str, customer_id: str | None = None, lock: bool = False) -> Row:
    """A tax id, with a customer only one of that customer's. Errors: resource_missing."""
    if customer_id is not None:
        plain.need(desk, CUSTOMER, customer_id, "customer")
    row = plain.need(desk, TAX_ID, id_, lock=lock)
    if customer_id is not None and row.document["customer"] != customer_id:
        raise Refusal(RESOURCE_MISSING, f"{id_[:80]!r} is no tax id of {customer_id[:80]!r}.", "id")
    return row


def delete_tax_id(desk: Desk, id_: str, customer_id: str | None = None) -> Document:
    """Delete a tax id, with a customer only one of that customer's. Errors: resource_missing."""
    with desk.store.transaction():
        row = need_tax_id(desk, id_, customer_id, lock=True)
        desk.store.put(replace(row, deleted=True))
        if row.document["customer"] is not None:
            tell(desk, "customer.tax_id.deleted", row.document)
        return {"id": row.id, "object": TAX_ID.name, "deleted": True}


def tax_ids_of(desk: Desk, customer_id: str) -> tuple[Row, ...]:
    """The tax ids of a customer, the newest first."""
    return desk.store.page(PageQuery(TAX_ID.name, MOST, tests=(Test("customer", "eq", customer_id),))).rows


def _read(params: Mapping[str, Any], within: str) -> dict[str, Any]:
    """What a tax id's document says of itself. Errors: tax_id_invalid."""
    type_, value = params["type"], params["value"].strip()
    place = f"{within}[value]" if within else "value"
    bare = _PUNCTUATION.sub("", value)
    if len(value) > LONGEST or FORMS.get(type_, _ANY).fullmatch(bare) is None:
        raise Refusal(TAX_ID_INVALID, f"{shown(value)} does not have the form of {type_}.", place)
    country = bare[:2] if type_ == "eu_vat" else None if type_ == "eu_oss_vat" else type_[:2].upper()
    verification = {"status": "unavailable", "verified_address": None, "verified_name": None} if type_ in _VERIFIABLE else None
    return {
        "country": VAT_IN_EUROPE.get(country or "", country),
        "customer_account": None,
        "type": type_,
        "value": value,
        "verification": verification,
    }
