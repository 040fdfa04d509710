"""The balance: what was received and given back, less fees, as balance transactions that are added and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farthing.app.payments.chosen import add_without_mode
from farthing.app.payments.kinds import BALANCE_TRANSACTION
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Document, PageQuery, Row
from farthing.core.payment.fee import USUAL_FEE, processing_fee
from farthing.core.rating.trace_json import rated_document

PENDING_SECONDS = 2 * 24 * 3600
"""How long received money is pending, where the processor does not say that it is there at once."""
_PAGE = 1_000


def book_receipt(desk: Desk, charge: Document, amount: int, at_once: bool, price: Mapping[str, Any] = USUAL_FEE) -> Row:
    """Book what a charge brought, less the fee that `price` makes of it."""
    details = charge["payment_method_details"]
    shown = {"type": details["type"], **{name: value for name, value in details[details["type"]].items() if isinstance(value, str)}}
    fee = processing_fee(price, amount, charge["currency"], shown)
    entry = {
        "amount": amount,
        "available_on": desk.second + (0 if at_once else PENDING_SECONDS),
        "fee": fee.amount,
        "fee_details": [
            {"amount": fee.amount, "application": None, "currency": charge["currency"], "description": "Processing fee", "type": "processing_fee"}
        ]
        if fee.amount
        else [],
        "type": "charge",
    }
    return _book(desk, entry, charge["currency"], charge["id"], charge["description"], [rated_document(rated) for rated in fee.rated])


def book_reversal(desk: Desk, refund: Document, failed: bool = False) -> Row:
    """Book what a refund gives back, or, where it `failed`, that the money is here again. Fees stay."""
    amount = refund["amount"] if failed else -refund["amount"]
    entry = {"amount": amount, "available_on": desk.second, "fee": 0, "fee_details": [], "type": "refund_failure" if failed else "refund"}
    return _book(desk, entry, refund["currency"], refund["id"], None, [])


def _book(desk: Desk, entry: dict[str, Any], currency: str, source: str, description: str | None, rated: list[dict[str, Any]]) -> Row:
    document = {
        **entry,
        "id": desk.new_id(BALANCE_TRANSACTION.prefix.rstrip("_")),
        "object": BALANCE_TRANSACTION.name,
        "balance_type": "payments",
        "created": desk.second,
        "currency": currency,
        "description": description,
        "exchange_rate": None,
        "net": entry["amount"] - entry["fee"],
        "reporting_category": entry["type"],
        "source": source,
        "status": _status(entry["available_on"], desk.second),
    }
    return add_without_mode(desk, BALANCE_TRANSACTION, document, {"rated": rated})


def transaction_now(desk: Desk, document: Document) -> dict[str, Any]:
    """A balance transaction as it stands now: pending money becomes available by itself."""
    return {**document, "status": _status(document["available_on"], desk.second)}


def balance_document(desk: Desk) -> dict[str, Any]:
    """What is available and what is pending, in each currency that anything was booked in."""
    sums: dict[str, dict[str, int]] = {"available": {}, "pending": {}}
    after: str | None = None
    while True:
        page = desk.store.page(PageQuery(BALANCE_TRANSACTION.name, _PAGE, after))
        for row in page.rows:
            currency = row.document["currency"]
            part = sums[_status(row.document["available_on"], desk.second)]
            part[currency] = part.get(currency, 0) + row.document["net"]
        if not page.more:
            break
        after = page.rows[-1].id
    currencies = sorted(sums["available"].keys() | sums["pending"].keys())
    shown = {
        name: [{"amount": part.get(currency, 0), "currency": currency, "source_types": {"card": part.get(currency, 0)}} for currency in currencies]
        for name, part in sums.items()
    }
    return {"object": "balance", **shown, "livemode": desk.live}


def _status(available_on: int, second: int) -> str:
    return "available" if available_on <= second else "pending"
