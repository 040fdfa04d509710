"""Pay: collect an amount from a customer's payment method, as bills need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from farthing.app.payments.attempts import Attempted
from farthing.app.payments.intents import create_intent, try_intent
from farthing.app.payments.kinds import PAYMENT_INTENT
from farthing.app.payments.processor import Outcome, Processor
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.core.payment.declines import Decline
from farthing.core.payment.states import Status

_REFERENCES, _INVOICES = "payment_reference", "invoice_payment"


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment intent and what became of the attempt: succeeded, declined (why), waiting for the customer, or undecided."""

    row: Row
    outcome: Outcome

    @property
    def paid(self) -> bool:
        """Whether the money was received."""
        return bool(self.row.document["status"] == Status.SUCCEEDED)

    @property
    def decline(self) -> Decline | None:
        """Why it was declined, None where it was not."""
        return self.outcome.decline


def pay(
    desk: Desk,
    processor: Processor,
    *,
    customer: str,
    amount: int,
    currency: str,
    payment_method: str,
    off_session: bool,
    invoice: str,
    metadata: Mapping[str, str] | None = None,
    reference: str,
    intent: str | None = None,
) -> Payment:
    """Collect `amount` minor units for an invoice. Declines are not raised: they are the outcome.

    `reference` names this attempt (such as the invoice's id and a count of its attempts) and is the same when it is repeated: once it was
    kept, the same payment is returned and nobody is asked again; if it was lost after the processor did its work, the processor is asked
    under the same reference and does nothing twice.

    An invoice has one payment intent at a time, which later attempts try again; what it still waited for is given up. One that was paid
    meanwhile is returned as it is where that was this amount (else another is made), and so is one that is processing. `intent` names one
    that was made elsewhere.

    Errors: resource_missing (customer, payment method, intent), payment_method_…, amount_too_small, payment_amount_too_large,
    payment_intent_unexpected_state (of an `intent` that is over), payment_processor_missing.
    """
    desk = replace(desk, processor=processor)
    known = f"pay {reference}"
    with desk.store.transaction():
        fresh = desk.new_id(PAYMENT_INTENT.prefix.rstrip("_"))
        row = _of_invoice(desk, invoice, fresh) if intent is None else plain.need(desk, PAYMENT_INTENT, intent, "intent", lock=True)
        holder = desk.store.claim(_REFERENCES, reference, fresh if row is None else row.id)
        kept = row if holder is None else plain.find(desk, PAYMENT_INTENT, holder, lock=True)
        if kept is not None and known in kept.hidden.get("references", ()):
            return Payment(kept, processor.outcome(desk, known) or _standing(kept))
        if row is not None and intent is None and _stands(row, amount):
            return Payment(row, _standing(row))
        params: dict[str, Any] = {"amount": amount, "payment_method": payment_method, "off_session": off_session}
        if row is not None and (intent is not None or row.document["status"] != Status.SUCCEEDED):
            made = try_intent(desk, row.id, params, known)
        else:
            made = _anew(desk, {**params, "currency": currency, "customer": customer, "metadata": metadata or {}}, fresh, invoice, known)
        return Payment(made.row, made.outcome)


def _of_invoice(desk: Desk, invoice: str, fresh: str) -> Row | None:
    """The intent that an invoice has, locked; None if it has none or a cancelled one: then it is to have `fresh`."""
    holder = desk.store.claim(_INVOICES, invoice, fresh)
    row = None if holder is None else plain.find(desk, PAYMENT_INTENT, holder, lock=True)  # none if its making was refused
    return None if row is None or row.document["status"] == Status.CANCELED else row


def _anew(desk: Desk, params: Mapping[str, Any], id_: str, invoice: str, known: str) -> Attempted:
    """A new intent, which is the invoice's from now on."""
    holder = desk.store.claim(_INVOICES, invoice, id_)
    if holder is not None:
        desk.store.release(_INVOICES, invoice, holder)
        desk.store.claim(_INVOICES, invoice, id_)
    made = create_intent(desk, {**params, "confirm": True}, id_=id_, hidden={"invoice": invoice}, reference=known)
    assert isinstance(made, Attempted)
    return made


def _stands(row: Row, amount: int) -> bool:
    """Whether an intent is not to be tried again: it was paid, or nobody knows yet."""
    status = row.document["status"]
    return bool(status == Status.PROCESSING or (status == Status.SUCCEEDED and row.document["amount_received"] == amount))


def _standing(row: Row) -> Outcome:
    return Outcome("succeeded" if row.document["status"] == Status.SUCCEEDED else "processing")
