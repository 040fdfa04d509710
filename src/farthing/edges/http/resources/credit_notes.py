"""Credit notes, their previews and their lines."""

from __future__ import annotations

from farthing.app.settlement.credit_notes import create_credit_note, lines_of, preview_credit_note, update_credit_note, void_credit_note
from farthing.app.settlement.kinds import CREDIT_NOTE
from farthing.edges.http import lists
from farthing.edges.http.resources.parts import part_of
from farthing.edges.http.routes import Answer, Call, Items, Undone, plain, route

_LINE = ("amount", "description", "invoice_line_item", "metadata", "quantity", "tax_rates", "type", "unit_amount", "unit_amount_decimal")
_TAKES = (
    *("amount", "credit_amount", "effective_at", "invoice", "memo", "metadata", "out_of_band_amount", "reason", "refund_amount"),
    *(f"lines[][{name}]" for name in _LINE),
)


def add_routes() -> None:
    """Serve credit notes."""
    plain(CREDIT_NOTE, creates=create_credit_note, takes=_TAKES, updates=update_credit_note, changes=("memo", "metadata"))
    route("POST", "/v1/credit_notes/{id}/void", lambda call: void_credit_note(call.desk, call.id))
    route("GET", "/v1/credit_notes/{credit_note}/lines", _lines, lists.CURSORS)
    route("GET", "/v1/credit_notes/preview", lambda call: Undone(preview_credit_note(call.desk, call.params)), _TAKES)
    route("GET", "/v1/credit_notes/preview/lines", _preview_lines, (*lists.CURSORS, *_TAKES))


def _lines(call: Call) -> Answer:
    found, more = part_of(call, lines_of(call.desk, call.id))
    return Items(found, f"/v1/credit_notes/{call.id}/lines", more)


def _preview_lines(call: Call) -> Answer:
    found, more = part_of(call, preview_credit_note(call.desk, call.params)["lines"]["data"])
    return Undone(lists.list_document(found, more, "/v1/credit_notes/preview/lines"))
