"""What is ours beside the wire contract: lines explained, the events behind them, proof, the price calculator, the ledger."""

from __future__ import annotations

from itertools import islice
from typing import Any

from farthing.app.billing.explained import booked_line, entries_of_invoice, lines_of_invoice
from farthing.app.billing.kinds import INVOICE
from farthing.app.explain import PAGE, events_behind, find_line
from farthing.app.rate import rate
from farthing.app.raters import CoreRater, KernelRater
from farthing.app.refusals import LINE_UNKNOWN, VERIFICATION_TOO_LARGE
from farthing.app.resources import plain as verbs
from farthing.app.store import AsideCount
from farthing.app.verify import verification_document, verify
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import show_instant
from farthing.core.events.parse import event_document
from farthing.core.explain.explanation import as_document, as_text
from farthing.core.explain.line import explain_line
from farthing.core.invoice.document import line_document
from farthing.edges.http.extension import Schema, anything, array, choice, extend, flag, maybe, page_of, record, ref, text, whole
from farthing.edges.http.problem import answered
from farthing.edges.http.routes import Call, Items

MOST_DOCUMENTS = 1_000
"""How many final documents one request verifies."""
_INVOICE_OF = text("The invoice, where the line is named by its id on the invoice (il_…) and not by the one in the books.")
STEP: Schema = record(
    kind=text("A stable name for programs."),
    label=text("What the step is, in words."),
    statement=text('Its arithmetic, "result = expression", or only the result.'),
    note=text(),
    figures=anything("The same numbers, exact and without separators."),
    because=array(ref("step")),
)
LINE: Schema = record(
    object=choice("ext.explained_line"),
    line=maybe(text("Its id on the invoice.")),
    booked=maybe(text("Its id in the books: the document's number, a colon, the line from 1; null on a draft.")),
    amount=whole("Minor units."),
    currency=text(),
    description=text(),
    text=text("The explanation as plain text."),
    explanation=ref("explanation"),
)
SCHEMAS: dict[str, Schema] = {
    "step": STEP,
    "explanation": record(headline=text(), steps=array(ref("step"))),
    "explained_line": LINE,
    "event": record(
        object=choice("ext.event"),
        identifier=text(),
        event_name=text(),
        timestamp=text(),
        payload=anything(),
        position=whole("Its place in the log."),
    ),
    "aside": record(
        object=choice("ext.aside"),
        reason=choice("customer_unknown", "meter_unknown", "contract_missing"),
        event_name=text(),
        customer=text(),
        events=whole(),
        first=text(),
        last=text(),
    ),
    "posting": record(
        account=text(),
        subject=text("The item, tax rate or grant that the account is kept apart by."),
        amount=whole("Minor units; debit is positive, credit negative."),
        currency=text(),
        entry=text(),
        period=text("The accounting period."),
        customer=text(),
        contract=text(),
        memo=text(),
    ),
    "entry": record(
        object=choice("ext.ledger_entry"),
        document=text("The number of the document that it books."),
        entry=choice("invoice", "credit_note", "void"),
        postings=array(ref("posting")),
    ),
    "finding": record(document=text(), line=whole(), field=text(), stored=text(), recomputed=text()),
}
"""Schemas that answers refer to, by name."""


def add_routes() -> None:
    """Serve all of it."""
    answered(LINE_UNKNOWN, 404)
    explained = record(object=choice("ext.explanation"), invoice=text(), status=text(), lines=array(ref("explained_line")))
    extend("GET", "/ext/invoices/{invoice}/explanation", _invoice, "Every line of an invoice, explained; of a draft as it comes to now.", explained)
    line = "/ext/lines/{line}"
    of_invoice = {"invoice": _INVOICE_OF}
    extend("GET", f"{line}/explanation", _line, "One line of a final invoice, explained.", ref("explained_line"), of_invoice)
    paged = {**of_invoice, "page": whole(f"Which page, from 1; {PAGE} events are on each.")}
    extend(
        "GET", f"{line}/events", _events, "The events behind a line, in log order, as they were known when it was made.", page_of(ref("event")), paged
    )
    extend("GET", "/ext/events/aside", _aside, "What is kept aside: accepted, and not billable as things stand.", page_of(ref("aside")))
    of_ledger = {"invoice": text("The invoice.")}
    extend("GET", "/ext/ledger/entries", _entries, "What an invoice booked.", page_of(ref("entry")), of_ledger, ("invoice",))
    proven = record(
        object=choice("ext.verification"),
        verified=flag("Nothing differs, and nothing is unproven."),
        documents=whole(),
        lines=whole(),
        recomputed_by=array(text()),
        events_altered=array(text()),
        findings=array(ref("finding")),
        unproven=array(record(document=text(), reason=text())),
    )
    purpose = f"Compute every final document again by the path that did not make it, and compare; up to {MOST_DOCUMENTS:,} documents."
    extend("POST", "/ext/verifications", _verification, purpose, proven, writes=False)
    asked = {
        "price": anything("The price document, as docs/pricing.md has it."),
        "quantity": {"anyOf": [{"type": "string", "format": "decimal"}, {"type": "number"}], "description": "What was used."},
        "events": {**array(anything()), "description": "Payloads of single events, instead of a quantity."},
    }
    rated = record(object=choice("ext.simulation"), amount=whole("Minor units."), amount_exact=text(), trace=anything())
    extend("POST", "/ext/prices/simulate", _simulated, "What a price comes to.", rated, asked, ("price",), writes=False)


def _shown(content: Any, line: str | None, booked: str | None) -> dict[str, Any]:
    explanation = explain_line(content)
    return {
        "object": "ext.explained_line",
        "line": line,
        "booked": booked,
        "amount": content["amount"],
        "currency": content["currency"],
        "description": content["description"],
        "text": as_text(explanation),
        "explanation": as_document(explanation),
    }


def _invoice(call: Call) -> dict[str, Any]:
    row = verbs.need(call.desk, INVOICE, call.id, "invoice")
    lines = [_shown(one.content, one.id, one.booked) for one in lines_of_invoice(call.desk, row)]
    return {"object": "ext.explanation", "invoice": row.id, "status": row.document["status"], "lines": lines}


def _booked(call: Call) -> str:
    return booked_line(call.desk, call.id, call.params.get("invoice"))


def _line(call: Call) -> dict[str, Any]:
    booked = _booked(call)
    _, line = find_line(call.desk.store, booked)
    return _shown(line_document(line), None if booked == call.id else call.id, booked)


def _events(call: Call) -> dict[str, Any]:
    found = events_behind(call.desk.store, _booked(call), call.params.get("page", 1))
    data = [{"object": "ext.event", **event_document(event), "position": event.position} for event in found.events]
    return {"object": "list", "url": f"/ext/lines/{call.id}/events", "has_more": found.more, "data": data}


def _aside(call: Call) -> Items:
    return Items([_kept_aside(one) for one in call.desk.store.aside()], "/ext/events/aside")


def _kept_aside(one: AsideCount) -> dict[str, Any]:
    counted = {"reason": one.reason, "event_name": one.event_name, "customer": one.customer, "events": one.events}
    return {"object": "ext.aside", **counted, "first": show_instant(one.first_at), "last": show_instant(one.last_at)}


def _entries(call: Call) -> Items:
    row = verbs.need(call.desk, INVOICE, call.params["invoice"], "invoice")
    found = [
        {"object": "ext.ledger_entry", "document": stored.number, "entry": entry, "postings": postings}
        for stored, entry, postings in entries_of_invoice(call.desk.store, row)
    ]
    return Items(found, f"/ext/ledger/entries?invoice={row.id}")


def _verification(call: Call) -> dict[str, Any]:
    store = call.desk.store
    if sum(1 for _ in islice(store.documents(bare=True), MOST_DOCUMENTS + 1)) > MOST_DOCUMENTS:
        raise Refusal(VERIFICATION_TOO_LARGE, f"there are more than {MOST_DOCUMENTS:,}.", None)
    result = verify(store, {"core": CoreRater(store), "kernel": KernelRater(store)}, lambda _: None)
    return {"object": "ext.verification", **verification_document(result)}


def _simulated(call: Call) -> dict[str, Any]:
    return {"object": "ext.simulation", **rate(call.params)}
