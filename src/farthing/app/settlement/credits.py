"""Credit grants: what a customer is given to pay for metered usage with, and each transaction on it.

The amounts are the core's: a grant of the API is a grant of the core with the same id, which lowers metered lines before tax. Here are its
times and its scope, and the transactions that tell what became of it: granted, applied to a line of a final invoice, given back, expired, void.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from farthing.app.billing.lines import credit_id, line_id
from farthing.app.catalogue.kinds import PRICE
from farthing.app.catalogue.price_documents import lineage_of
from farthing.app.clocks.desks import clock_of
from farthing.app.customers.kinds import CUSTOMER
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Document, PageQuery, Row, Test
from farthing.app.settlement.balances import FARTHEST
from farthing.app.settlement.kinds import CREDIT_GRANT, CREDIT_TRANSACTION
from farthing.app.settlement.refusals import (
    CREDIT_GRANT_AMOUNT,
    CREDIT_GRANT_ENDED,
    CREDIT_GRANT_PRIORITY,
    CREDIT_GRANT_SCOPE,
    CREDIT_GRANT_TIMES,
    CREDIT_GRANT_USED,
)
from farthing.app.settlement.usable import is_over, is_usable
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_MISSING
from farthing.core.base.time import MICROS
from farthing.core.catalog.terms import Grant
from farthing.core.invoice.document import read_document

MOST_PRICES = 20
LOWEST_PRIORITY, USUAL_PRIORITY = 100, 50
_SCOPE = "applicability_config[scope]"


def create_grant(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Grant a customer a monetary credit for metered prices, usable from `effective_at` (by default now) until `expires_at`.

    Errors: field_missing, resource_missing, credit_grant_amount, credit_grant_times, credit_grant_priority, credit_grant_scope.
    """
    if params.get("customer") is None:
        raise Refusal(FIELD_MISSING, "customer is missing.", "customer")
    with desk.store.transaction():
        customer = plain.need(desk, CUSTOMER, params["customer"], "customer", lock=True)
        desk = clock_of(desk, customer)
        currency, value = _amount(params["amount"])
        scope, lineages = _scope(desk, params["applicability_config"]["scope"], currency)
        effective_at = params.get("effective_at") or desk.second
        expires_at = params.get("expires_at")
        _check_times(desk, effective_at, expires_at)
        priority = params.get("priority", USUAL_PRIORITY)
        if not 0 <= priority <= LOWEST_PRIORITY:
            raise Refusal(CREDIT_GRANT_PRIORITY, f"{priority} is not.", "priority")
        document = {
            "amount": monetary(currency, value),
            "applicability_config": {"scope": scope},
            "category": params.get("category", "paid"),
            "customer": customer.id,
            "customer_account": None,
            "effective_at": effective_at,
            "expires_at": expires_at,
            "metadata": plain.merged_metadata({}, params.get("metadata")),
            "name": params.get("name"),
            "priority": priority,
            "test_clock": customer.clock,
            "updated": desk.second,
            "voided_at": None,
        }
        row = plain.create(desk, CREDIT_GRANT, document, due_at=_due(expires_at), hidden={"prices": lineages})
        desk.store.put_grant(customer.id, Grant(row.id, currency, value, "before_tax", priority))
        _record(desk, row, value, "credits_granted", effective_at=effective_at)
        return row


def _amount(amount: Mapping[str, Any]) -> tuple[str, int]:
    sent = amount.get("monetary")
    if sent is None:
        raise Refusal(FIELD_MISSING, "amount[monetary] is missing.", "amount[monetary]")
    if not 0 < sent["value"] <= FARTHEST:
        raise Refusal(CREDIT_GRANT_AMOUNT, f"{sent['value']} is not from 1 to {FARTHEST}.", "amount[monetary][value]")
    return sent["currency"], sent["value"]


def _scope(desk: Desk, scope: Mapping[str, Any], currency: str) -> tuple[dict[str, Any], list[str] | None]:
    """The scope as the API shows it, and the price lineages of one that names prices."""
    prices = scope.get("prices") or []
    if (scope.get("price_type") is None) == (not prices):
        raise Refusal(CREDIT_GRANT_SCOPE, "it needs one of price_type and prices.", _SCOPE)
    if not prices:
        return {"price_type": "metered"}, None
    if len(prices) > MOST_PRICES:
        raise Refusal(CREDIT_GRANT_SCOPE, f"{len(prices)} prices are more than {MOST_PRICES}.", f"{_SCOPE}[prices]")
    lineages: list[str] = []
    for n, one in enumerate(prices):
        field = f"{_SCOPE}[prices][{n}][id]"
        price = plain.need(desk, PRICE, one["id"], field).document
        lineage = lineage_of(price, currency)
        if (price["recurring"] or {}).get("usage_type") != "metered" or lineage is None:
            raise Refusal(CREDIT_GRANT_SCOPE, f"price {one['id'][:80]!r} is not metered, or not offered in {currency}.", field)
        lineages.append(lineage)
    return {"prices": [{"id": one["id"]} for one in prices]}, lineages


def _check_times(desk: Desk, effective_at: int, expires_at: int | None) -> None:
    earliest = max(effective_at, desk.second)
    if expires_at is not None and expires_at <= earliest:
        raise Refusal(CREDIT_GRANT_TIMES, f"expires_at {expires_at} is not after {earliest}.", "expires_at")


def _due(expires_at: int | None) -> int | None:
    return None if expires_at is None else expires_at * MICROS


def monetary(currency: str, value: int) -> dict[str, Any]:
    """An amount of credits as the API shows it, in minor units."""
    return {"monetary": {"currency": currency, "value": value}, "type": "monetary"}


def update_grant(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change when a grant expires (None: never), or its metadata. Errors: resource_missing, credit_grant_ended, credit_grant_times."""
    with desk.store.transaction():
        desk, row = _locked(desk, id_)
        document = {**row.document, "updated": desk.second}
        if "expires_at" in params:
            _check_not_over(desk, row)
            _check_times(desk, document["effective_at"], params["expires_at"])
            document["expires_at"] = params["expires_at"]
        if "metadata" in params:
            document["metadata"] = plain.merged_metadata(document["metadata"], params["metadata"])
        due_at = _due(document["expires_at"]) if "expires_at" in params else row.due_at
        return plain.change(desk, CREDIT_GRANT, row, document, due_at=due_at)


def expire_grant(desk: Desk, id_: str) -> Row:
    """A grant expires now: what remains of it is not used any more. Errors: resource_missing, credit_grant_ended."""
    with desk.store.transaction():
        desk, row = _locked(desk, id_)
        _check_not_over(desk, row)
        _record_rest(desk, row, "credits_expired")
        document = {**row.document, "expires_at": desk.second, "updated": desk.second}
        return plain.change(desk, CREDIT_GRANT, row, document, due_at=None)


def void_grant(desk: Desk, id_: str) -> Row:
    """A grant of which nothing is used becomes void. Errors: resource_missing, credit_grant_ended, credit_grant_used."""
    with desk.store.transaction():
        desk, row = _locked(desk, id_)
        _check_not_over(desk, row)
        value = row.document["amount"]["monetary"]["value"]
        if remaining(desk, row) != value:
            raise Refusal(CREDIT_GRANT_USED, f"{value - remaining(desk, row)} of grant {id_[:80]!r} are used.", "id")
        _record_rest(desk, row, "credits_voided")
        return plain.change(desk, CREDIT_GRANT, row, {**row.document, "voided_at": desk.second, "updated": desk.second}, due_at=None)


def expire_due(desk: Desk, row: Row) -> None:
    """The due work on a grant: it has expired."""
    desk.store.find(CUSTOMER.name, row.document["customer"], lock=True)  # so that no bill uses it meanwhile
    if row.document["voided_at"] is None:
        _record_rest(desk, row, "credits_expired")
    plain.change(desk, CREDIT_GRANT, row, row.document, event=None, due_at=None)


def _locked(desk: Desk, id_: str) -> tuple[Desk, Row]:
    """A grant and its customer, both locked, so that no bill uses it meanwhile; and the customer's time."""
    found = plain.need(desk, CREDIT_GRANT, id_)
    customer = plain.need(desk, CUSTOMER, found.document["customer"], "customer", lock=True)
    return clock_of(desk, customer), plain.need(desk, CREDIT_GRANT, id_, lock=True)


def _check_not_over(desk: Desk, row: Row) -> None:
    if is_over(row.document, desk.second):
        what = "is void" if row.document["voided_at"] is not None else f"expired at {row.document['expires_at']}"
        raise Refusal(CREDIT_GRANT_ENDED, f"credit grant {row.id!r} {what}.", "id")


def remaining(desk: Desk, row: Row) -> int:
    """What bills have left of a grant, in minor units, whether or not it may still be used."""
    return next((one.remaining for one in desk.store.grants(row.document["customer"]) if one.id == row.id), 0)


def _record_rest(desk: Desk, row: Row, type_: str) -> None:
    if rest := remaining(desk, row):
        _record(desk, row, rest, type_)


def _record(
    desk: Desk, grant: Row, value: int, type_: str, *, id_: str | None = None, invoice: str = "", line: str = "", effective_at: int | None = None
) -> None:
    """Keep a transaction on a grant, of `value` minor units, and tell of it."""
    currency = grant.document["amount"]["monetary"]["currency"]
    moved: dict[str, Any] = {"amount": monetary(currency, value), "type": type_}
    credited = type_ in ("credits_granted", "credits_application_invoice_voided")
    used = {"invoice": invoice, "invoice_line_item": line} if line else None
    moved["credits_application_invoice_voided" if credited else "credits_applied"] = used
    document = {
        **({} if id_ is None else {"id": id_}),
        "credit": moved if credited else None,
        "credit_grant": grant.id,
        "debit": None if credited else moved,
        "effective_at": desk.second if effective_at is None else effective_at,
        "test_clock": grant.document["test_clock"],
        "type": "credit" if credited else "debit",
    }
    plain.create(desk, CREDIT_TRANSACTION, document, clock=grant.clock)


@dataclass(frozen=True, slots=True)
class Paid:
    """What a grant pays for a line of an invoice, or gets back from it (`units` below zero): the transaction's id, the line, the grant."""

    id: str
    line: str
    grant: str
    units: int


def paid_on(invoice: str, contents: Iterable[Document]) -> Iterator[Paid]:
    """What grants pay on the documents that an invoice consists of."""
    for line in (line for content in contents for line in read_document(content).lines):
        shown = line_id(line, invoice)
        for grant, units in line.credit_parts:
            yield Paid(credit_id(shown, grant), shown, grant, units)


def note_credits(desk: Desk, invoice: str, paid: Iterable[Paid]) -> None:
    """Keep a transaction for each part of a final invoice (or of a credit note on it) that a grant pays, or gets back."""
    for one in paid:
        grant = desk.store.find(CREDIT_GRANT.name, one.grant)
        if grant is not None:
            _move(desk, grant, one.units, one.id, invoice, one.line)


def return_credits(desk: Desk, ids: Iterable[str]) -> None:
    """Undo the transactions of these ids, as what they are for became void. What goes back to a grant that is over expires at once."""
    for id_ in ids:
        made = desk.store.find(CREDIT_TRANSACTION.name, id_)
        if made is not None:
            debit, credit = made.document["debit"], made.document["credit"]
            moved = debit or credit
            used = moved["credits_applied"] if debit else moved["credits_application_invoice_voided"]
            value = moved["amount"]["monetary"]["value"]
            grant = plain.need(desk, CREDIT_GRANT, made.document["credit_grant"])
            _move(desk, grant, -value if debit else value, None, used["invoice"], used["invoice_line_item"])


def credits_on(document: Document) -> Iterator[str]:
    """The ids of the transactions that the lines of an invoice name."""
    parts = (part for line in document["lines"]["data"] for part in line["pretax_credit_amounts"])
    return (part["credit_balance_transaction"] for part in parts if part["type"] == "credit_balance_transaction")


def _move(desk: Desk, grant: Row, units: int, id_: str | None, invoice: str, line: str) -> None:
    type_ = "credits_applied" if units > 0 else "credits_application_invoice_voided"
    _record(desk, grant, abs(units), type_, id_=id_, invoice=invoice, line=line)
    if units < 0 and is_over(grant.document, desk.second):
        _record(desk, grant, -units, "credits_expired")


def balance_summary(desk: Desk, params: Mapping[str, Any]) -> dict[str, Any]:
    """What a customer has left of credits, by currency: `ledger_balance` of all grants that are not over, `available_balance` of those that
    are effective. The filter names one grant, or a scope: of all metered prices, or of certain prices.

    Errors: resource_missing, field_missing.
    """
    if params.get("customer") is None:
        raise Refusal(FIELD_MISSING, "customer is missing.", "customer")
    customer = plain.need(desk, CUSTOMER, params["customer"], "customer")
    second = clock_of(desk, customer, wakes=False).second
    left = {grant.id: grant.remaining for grant in desk.store.grants(customer.id)}
    sums: dict[str, list[int]] = {}
    for row in _filtered(desk, customer.id, params["filter"]):
        currency, found = row.document["amount"]["monetary"]["currency"], 0 if is_over(row.document, second) else left.get(row.id, 0)
        both = sums.setdefault(currency, [0, 0])
        both[0] += found if is_usable(row.document, second) else 0
        both[1] += found
    return {
        "object": "billing.credit_balance_summary",
        "balances": [
            {"available_balance": monetary(currency, available), "ledger_balance": monetary(currency, ledger)}
            for currency, (available, ledger) in sorted(sums.items())
        ],
        "customer": customer.id,
        "customer_account": None,
        "livemode": desk.live,
    }


def _filtered(desk: Desk, customer: str, filter_: Mapping[str, Any]) -> list[Row]:
    name = filter_["type"]
    if filter_.get(name) is None:
        raise Refusal(FIELD_MISSING, f"filter[{name}] is missing.", f"filter[{name}]")
    every = grants_of(desk, customer)
    if name == "credit_grant":
        found = [row for row in every if row.id == filter_[name]]
        if not found:
            raise Refusal(RESOURCE_MISSING, f"the customer has no credit grant {filter_[name][:80]!r}.", "filter[credit_grant]")
        return found
    wanted = filter_[name]
    if (wanted.get("price_type") is None) == (not wanted.get("prices")):
        raise Refusal(CREDIT_GRANT_SCOPE, "it needs one of price_type and prices.", "filter[applicability_scope]")
    scopes = [(row, row.document["applicability_config"]["scope"]) for row in every]
    if wanted.get("price_type") is not None:
        return [row for row, scope in scopes if "price_type" in scope]
    asked = {one["id"] for one in wanted["prices"]}
    return [row for row, scope in scopes if asked <= {one["id"] for one in scope.get("prices", ())}]


def grants_of(desk: Desk, customer: str) -> list[Row]:
    """All grants of a customer, newest first."""
    ids = (grant.id for grant in desk.store.grants(customer))
    rows = [row for id_ in ids if (row := desk.store.find(CREDIT_GRANT.name, id_)) is not None]
    return sorted(rows, key=lambda row: (row.created, row.place), reverse=True)


def transactions_query(desk: Desk, params: Mapping[str, Any], query: PageQuery) -> PageQuery | None:
    """The page of transactions that a list asks for, by `credit_grant` or by all grants of a `customer`; None where there can be none.
    Errors: resource_missing (a grant that is not the customer's)."""
    grant, customer = params.get("credit_grant"), params.get("customer")
    if customer is not None:
        plain.need(desk, CUSTOMER, customer, "customer")
    if grant is not None:
        row = plain.need(desk, CREDIT_GRANT, grant, "credit_grant")
        if customer is not None and row.document["customer"] != customer:
            raise Refusal(RESOURCE_MISSING, f"credit grant {grant[:80]!r} is not the customer's.", "credit_grant")
        ids = [grant]
    elif customer is not None:
        ids = [row.id for row in grants_of(desk, customer)]
    else:
        return query
    if not ids:
        return None
    tests = tuple(Test("credit_grant", "eq", id_) for id_ in ids)
    return PageQuery(query.kind, query.limit, query.after, query.before, tests, any_of=True)
