"""What payments have in common: the processor, customers, payment methods by id or by a processor's name, references, details of people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farthing.app.payments.kinds import PAYMENT_METHOD
from farthing.app.payments.processor import Described, Processor
from farthing.app.payments.refusals import METHOD_OF_OTHER, METHOD_STATE, PROCESSOR_MISSING
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.kinds import Kind
from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Row
from farthing.core.base.refusal import Refusal

SUPPORTED = ("card",)
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
_BILLING = ("address", "email", "name", "phone", "tax_id")


def processor_of(desk: Desk) -> Processor:
    """The desk's processor. Errors: payment_processor_missing."""
    if desk.processor is None:
        raise Refusal(PROCESSOR_MISSING, "no payment processor is set up.", None)
    return desk.processor


def need_customer(desk: Desk, id_: str, field: str = "customer") -> str:
    """The id of a customer that is there. Errors: resource_missing."""
    row = desk.store.find("customer", id_)
    if row is None or row.deleted:
        raise Refusal(RESOURCE_MISSING, f"there is no customer {id_[:80]!r}.", field)
    return id_


def reference_for(desk: Desk, what: str, owner: str, named: str | None = None) -> str:
    """A reference for what a processor is asked to do for `owner`, the same when the request is repeated after its work was lost.

    It is made of `named`, or of what the request is known by; if another owner has it already (an idempotency key that is used again
    after its answer was forgotten), a number is put behind."""
    base = named or f"{what} {desk.idempotency_key or desk.request or owner}"
    reference, number = base, 1
    while desk.store.claim("processor_reference", reference, owner) is not None:
        number += 1
        reference = f"{base} #{number}"
    return reference


def method_for(desk: Desk, id_: str, customer: str | None, field: str = "payment_method") -> Row:
    """The payment method of an id that may be used for a customer, or a new one from a name that the processor offers.

    Errors: resource_missing, payment_method_of_other_customer, payment_method_unexpected_state (it was detached)."""
    row = desk.store.find(PAYMENT_METHOD.name, id_)
    if row is None:
        offered = processor_of(desk).offered(desk, id_)
        if offered is None:
            raise Refusal(RESOURCE_MISSING, f"there is no payment method {id_[:80]!r}.", field)
        return keep_method(desk, offered, {})
    if row.hidden.get("spent"):
        raise Refusal(METHOD_STATE, f"payment method {id_[:80]!r} was detached and cannot be used again.", field)
    owner = row.document["customer"]
    if owner is not None and owner != customer:
        raise Refusal(METHOD_OF_OTHER, f"payment method {id_[:80]!r} is attached to another customer.", field)
    return row


def keep_method(desk: Desk, described: Described, data: Mapping[str, Any]) -> Row:
    """Add a payment method."""
    document: dict[str, Any] = {
        "allow_redisplay": data.get("allow_redisplay", "unspecified"),
        "billing_details": billing_details({}, data.get("billing_details")),
        described.type: dict(described.details),
        "customer": None,
        "customer_account": None,
        "metadata": plain.merged_metadata({}, data.get("metadata")),
        "type": described.type,
    }
    return plain.create(desk, PAYMENT_METHOD, document, hidden={"token": described.token}, event=None)


def add_without_mode(desk: Desk, kind: Kind, document: Mapping[str, Any], hidden: Mapping[str, Any]) -> Row:
    """Add a resource that the wire shows without its mode. No event tells of it."""
    desk.store.add(kind.name, document["id"], document["created"], document, clock=desk.clock, hidden=hidden)
    return plain.need(desk, kind, document["id"])


def billing_details(before: Mapping[str, Any], sent: Mapping[str, Any] | None) -> dict[str, Any]:
    """Details of who pays, after what was sent of them; None in fields that are not known."""
    after = {name: (sent or {}).get(name, before.get(name)) for name in _BILLING}
    address = after["address"] or {}
    after["address"] = {name: address.get(name) for name in _ADDRESS}
    return after


def shipping_details(sent: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Where something is sent to, with all its fields."""
    if sent is None:
        return None
    made: dict[str, Any] = {name: sent.get(name) for name in ("carrier", "name", "phone", "tracking_number")}
    made["address"] = {name: sent["address"].get(name) for name in _ADDRESS}
    return made
