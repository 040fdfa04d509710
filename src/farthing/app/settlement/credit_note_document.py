"""A credit note as the API shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from farthing.app.billing.lines import credit_id, tax_shown
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Document, Row
from farthing.app.settlement.credit_note_books import Drawn
from farthing.app.settlement.credit_note_lines import Entry
from farthing.core.base.exact import show
from farthing.core.invoice.invoice import Line


def credit_note_document(desk: Desk, invoice: Row, params: Mapping[str, Any], drawn: Drawn) -> dict[str, Any]:
    """The document of a credit note that is drawn up of an invoice; amounts in minor units, positive where they credit."""
    id_ = desk.new_id("cn")
    lines = [_line(desk, entry, drawn.lines[entry.id]) for entry in drawn.entries]
    contents = [stored.content for _, stored in drawn.documents]
    status, open_ = invoice.document["status"], invoice.document["amount_remaining"]
    pre = min(drawn.amount, open_) if status == "open" else 0
    kind = "pre_payment" if pre == drawn.amount else "mixed" if pre else "post_payment"
    subtotal, included = -sum(one["subtotal"] for one in contents), -sum(one["tax_included"] for one in contents)
    before_tax = -sum(one["subtotal"] - one["discount"] - one["credit_before_tax"] - one["tax_included"] for one in contents)
    return {
        "id": id_,
        "amount": drawn.amount,
        "amount_shipping": 0,
        "currency": invoice.document["currency"],
        "customer": invoice.document["customer"],
        "customer_account": None,
        "customer_balance_transaction": None,
        "discount_amount": -sum(one["discount"] for one in contents),
        "discount_amounts": _summed([one for line in lines for one in line["discount_amounts"]], "discount"),
        "effective_at": params.get("effective_at") or desk.second,
        "invoice": invoice.id,
        "lines": {"object": "list", "data": lines, "has_more": False, "url": f"/v1/credit_notes/{id_}/lines"},
        "memo": params.get("memo"),
        "metadata": plain.merged_metadata({}, params.get("metadata")),
        "number": "",
        "out_of_band_amount": params.get("out_of_band_amount"),
        "pdf": "",
        "post_payment_amount": drawn.amount - pre,
        "pre_payment_amount": pre,
        "pretax_credit_amounts": [one for line in lines for one in line["pretax_credit_amounts"]],
        "reason": params.get("reason"),
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - included,
        "total": -sum(one["total"] for one in contents),
        "total_excluding_tax": before_tax,
        "total_taxes": _taxes(lines),
        "type": kind,
        "voided_at": None,
    }


def _line(desk: Desk, entry: Entry, line: Line) -> dict[str, Any]:
    discounts = [{"amount": -units, "discount": id_} for id_, units in line.discount_parts]
    given_back = [
        {"amount": -units, "credit_balance_transaction": credit_id(entry.id, grant), "type": "credit_balance_transaction"}
        for grant, units in line.credit_parts
    ]
    return {
        "id": entry.id,
        "object": "credit_note_line_item",
        "amount": entry.amount,
        "description": entry.description,
        "discount_amount": -line.discount,
        "discount_amounts": discounts,
        **({} if entry.source is None else {"invoice_line_item": entry.source.id}),
        "livemode": desk.live,
        "metadata": dict(entry.metadata),
        "pretax_credit_amounts": [*({**one, "type": "discount"} for one in discounts), *given_back],
        "quantity": entry.quantity,
        "tax_rates": list(entry.tax_rates),
        "taxes": [tax_shown(line, rate, -taxable, -tax) for rate, taxable, tax in line.taxes],
        "type": "custom_line_item" if entry.source is None else "invoice_line_item",
        "unit_amount": None if entry.unit is None or entry.unit.denominator != 1 else int(entry.unit),
        "unit_amount_decimal": None if entry.unit is None else show(entry.unit),
    }


def _summed(parts: Sequence[Document], name: str) -> list[dict[str, Any]]:
    sums: dict[str, int] = {}
    for part in parts:
        sums[part[name]] = sums.get(part[name], 0) + part["amount"]
    return [{"amount": units, name: id_} for id_, units in sums.items()]


def _taxes(lines: Sequence[Document]) -> list[dict[str, Any]]:
    taxes: dict[str, dict[str, Any]] = {}
    for one in (tax for line in lines for tax in line["taxes"]):
        known = taxes.setdefault(one["tax_rate_details"]["tax_rate"], {**one, "amount": 0, "taxable_amount": 0})
        known["amount"] += one["amount"]
        known["taxable_amount"] += one["taxable_amount"]
    return list(taxes.values())
