"""Contract documents ↔ contracts, and amendments: the wire's names where it has them, everything checked by name.

{"id", "customer", "currency", "starts_at", "ends_at"?, "billing": {"interval", "interval_count", "anchor", "time_zone"},
 "term"?: like billing, "items": [{"id", "description", "price", "meter"? | "quantity"?}], "discounts"?, "tax_rates"?}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from farthing.core.base.currency import parse_currency
from farthing.core.base.exact import show
from farthing.core.base.refusal import Refusal, RefusalKind
from farthing.core.base.refusals import FIELD_INVALID, FIELDS_CONFLICT
from farthing.core.base.time import Instant, Interval, Recurrence, parse_instant, show_instant, time_zone, wall_to_instant
from farthing.core.base.timeline import FOREVER, Version
from farthing.core.catalog.fields import Field, Reader
from farthing.core.catalog.terms import Discount, TaxRate
from farthing.core.contract.contract import Agreement, BelowZero, Contract, Item
from farthing.core.contract.refusals import (
    CONTRACT_ADVANCE_METERED,
    CONTRACT_DISCOUNT_TWICE,
    CONTRACT_ITEM_TWICE,
    CONTRACT_QUANTITY_MISPLACED,
    CONTRACT_SPAN_EMPTY,
    CONTRACT_TAX_RATE_TWICE,
    CONTRACT_TIME_OUT_OF_RANGE,
)
from farthing.core.events.fields import read_flag, read_text
from farthing.core.events.parse import EARLIEST, LATEST

LONGEST = {"day": 3660, "week": 520, "month": 120, "year": 10}
"""The most intervals that a period or term has: ten years, whatever the unit."""
UNITS = tuple(LONGEST)
BELOW_ZERO: tuple[BelowZero, ...] = ("credit_note", "balance")
_RECURRENCE = (
    Field("interval", "choice", "day, week, month or year", required=True, choices=UNITS),
    Field(
        "interval_count", "whole", f"how many of them make a period, at most {', '.join(f'{n} {unit}s' for unit, n in LONGEST.items())}", default="1"
    ),
    Field("anchor", "text", "wall clock in `time_zone`, without an offset, from which periods are counted in both directions", required=True),
    Field("time_zone", "text", "IANA name", default="UTC"),
)
ITEM_FIELDS = (
    Field("id", "text", "the item's id", required=True),
    Field("description", "text", "what the bill calls it", default="`price`"),
    Field("price", "text", "the price, by its lineage (not by the id of a version)", required=True),
    Field("meter", "text", "the id of the meter that measures it; either this or a quantity"),
    Field("quantity", "number", "of a licensed item (seats, a flat fee), which has no meter"),
    Field("in_advance", "boolean", "billed when a period begins, not when it has ended; for licensed items", default="false"),
)
_DISCOUNT = (
    Field("id", "text", "the discount's id", required=True),
    Field("percent", "percent", '"20" is 20 %, at most 100; either this or an amount'),
    Field("amount", "whole", "minor units, once a bill"),
    Field("items", "list", "the ids of the items that it lowers", default="all"),
)
_TAX_RATE = (
    Field("id", "text", "the rate's id", required=True),
    Field("name", "text", "what the bill calls it", default="Tax"),
    Field("percent", "percent", '"20" is 20 %', required=True),
    Field("inclusive", "boolean", "contained in amounts instead of on top", default="false"),
    Field("jurisdiction", "text", "where it is due"),
)
AGREEMENT_FIELDS = (
    Field("items", "list", "what is billed", required=True, fields=ITEM_FIELDS),
    Field("discounts", "list", "what lowers it", fields=_DISCOUNT),
    Field("tax_rates", "list", "what is due on it", fields=_TAX_RATE),
)
CONTRACT_FIELDS = (
    Field("id", "text", "the contract's id", required=True),
    Field("customer", "text", "who is billed: the id of a customer", required=True),
    Field("currency", "text", "ISO 4217 code, which all its prices share", required=True),
    Field("starts_at", "text", "RFC 3339, inclusive; in the years 1970 to 2261 (UTC), as all times of contracts", required=True),
    Field("ends_at", "text", "RFC 3339, exclusive", default="runs on"),
    Field("billing", "object", "how periods repeat", required=True, fields=_RECURRENCE),
    Field(
        "below_zero",
        "choice",
        "what becomes of corrections that pull a bill below zero: a credit note apart, or a negative total, owed to the customer",
        default="credit_note",
        choices=BELOW_ZERO,
    ),
    Field("term", "object", 'what prices with `"accumulate": "term"` run over; fields as of `billing`', fields=_RECURRENCE),
    *AGREEMENT_FIELDS,
)
SPAN_FIELDS = (
    Field("contract", "text", "the contract that it changes", required=True),
    Field("effective_from", "text", "RFC 3339, inclusive", required=True),
    Field("effective_until", "text", "RFC 3339, exclusive", default="from then on"),
)
_AMENDMENT = (*SPAN_FIELDS, *AGREEMENT_FIELDS)


def parse_contract(document: object) -> Contract:
    """The contract that a document declares, with one agreement over its whole span (revision 0: the store sets it).

    Errors: field_…, text_…, number_…, currency_unknown, timestamp_…, time_zone_unknown, and those of this stage.
    """
    reader = Reader.of(document, "", CONTRACT_FIELDS)
    active = read_span(reader, "starts_at", "ends_at")
    return Contract(
        id=reader.text("id"),
        customer=reader.text("customer"),
        currency=parse_currency(reader.need("currency")),
        active=active,
        billing=_recurrence(reader.open("billing", _RECURRENCE)),
        versions=(Version(active, 0, _agreement(reader, empty=False)),),
        term=_recurrence(reader.open("term", _RECURRENCE)) if reader.has("term") else None,
        below_zero=_below_zero(reader),
    )


def parse_amendment(document: object) -> tuple[str, Version[Agreement]]:
    """The contract's id and the version that an amendment with a whole agreement makes, over the span it holds for (`amend` reads
    amendments that change parts of it as well). Without items nothing is agreed there.

    Where it overlaps versions known earlier, it holds in their stead. Errors: as of `parse_contract`.
    """
    reader = Reader.of(document, "", _AMENDMENT)
    return reader.text("contract"), Version(read_span(reader, "effective_from", "effective_until"), 0, _agreement(reader))


def read_span(reader: Reader, first: str, last: str) -> Interval:
    """The span that two fields give; without the last it runs on.

    Errors: contract_span_empty, contract_time_out_of_range, timestamp_…
    """
    start = _in_range(parse_instant(reader.need(first), reader.at(first)), reader.at(first))
    end: Instant = _in_range(parse_instant(reader.get(last), reader.at(last)), reader.at(last)) if reader.has(last) else FOREVER
    if start >= end:
        raise Refusal(CONTRACT_SPAN_EMPTY, f"{reader.get(last)} is not after {reader.get(first)}.", reader.at(last))
    return Interval(start, end)


def _in_range(at: Instant, field: str) -> Instant:
    if not EARLIEST <= at <= LATEST:
        raise Refusal(CONTRACT_TIME_OUT_OF_RANGE, f"{show_instant(at)} is not in the years 1970 to 2261 (UTC).", field)
    return at


def _below_zero(reader: Reader) -> BelowZero:
    given = reader.choice("below_zero", BELOW_ZERO) if reader.has("below_zero") else BELOW_ZERO[0]
    return next(one for one in BELOW_ZERO if one == given)


def _recurrence(reader: Reader) -> Recurrence:
    count, unit = reader.whole("interval_count", 1), reader.choice("interval", UNITS)
    if not 1 <= count <= LONGEST[unit]:
        message = f"a period is 1 to {LONGEST[unit]} {unit}s long, not {count}."
        raise Refusal(FIELD_INVALID, message, reader.at("interval_count"))
    anchor = reader.text("anchor")
    try:
        wall = datetime.fromisoformat(anchor)
    except ValueError:
        raise Refusal(FIELD_INVALID, f"{anchor[:40]!r} is no local date and time.", reader.at("anchor")) from None
    if wall.tzinfo is not None:
        raise Refusal(FIELD_INVALID, "an anchor is wall clock in its time_zone, without an offset.", reader.at("anchor"))
    zone = time_zone(reader.text("time_zone", "UTC"), reader.at("time_zone"))
    _in_range(wall_to_instant(wall, "UTC"), reader.at("anchor"))
    return Recurrence(unit, count, wall, zone.key)


def _agreement(reader: Reader, empty: bool = True) -> Agreement:
    """An agreement; with `empty` it may have no items, so that nothing is billed while it holds."""
    items = () if empty and reader.get("items") == [] else tuple(read_item(row) for row in reader.objects("items", ITEM_FIELDS))
    _refuse_twice(CONTRACT_ITEM_TWICE, reader, "items", [item.id for item in items])
    return Agreement(items, read_discounts(reader), read_tax_rates(reader))


def read_discounts(reader: Reader) -> tuple[Discount, ...]:
    """The discounts of an agreement or amendment; absent or empty: none. Errors: contract_discount_twice."""
    discounts = tuple(_discount(row) for row in reader.objects("discounts", _DISCOUNT)) if reader.get("discounts") else ()
    _refuse_twice(CONTRACT_DISCOUNT_TWICE, reader, "discounts", [one.id for one in discounts])
    return discounts


def read_tax_rates(reader: Reader) -> tuple[TaxRate, ...]:
    """The tax rates of an agreement or amendment; absent or empty: none. Errors: contract_tax_rate_twice."""
    rates = tuple(_tax_rate(row) for row in reader.objects("tax_rates", _TAX_RATE)) if reader.get("tax_rates") else ()
    _refuse_twice(CONTRACT_TAX_RATE_TWICE, reader, "tax_rates", [rate.id for rate in rates])
    return rates


def _refuse_twice(kind: RefusalKind, reader: Reader, name: str, ids: Sequence[str]) -> None:
    for place, id_ in enumerate(ids):
        if id_ in ids[:place]:
            raise Refusal(kind, f"{id_!r} is there twice.", reader.at(f"{name}[{place}].id"))


def read_item(row: Reader) -> Item:
    """An item. Errors: contract_quantity_misplaced, and those of its fields."""
    metered = row.has("meter")
    if metered == row.has("quantity"):
        raise Refusal(CONTRACT_QUANTITY_MISPLACED, "an item has either a meter or a quantity.", row.at("quantity"))
    in_advance = read_flag(row.get("in_advance") or False, row.at("in_advance"))
    if metered and in_advance:
        raise Refusal(CONTRACT_ADVANCE_METERED, f"item {row.text('id')!r} has meter {row.text('meter')!r}.", row.at("in_advance"))
    return Item(
        id=row.text("id"),
        description=row.text("description", row.text("price")),
        price=row.text("price"),
        meter=row.text("meter") if metered else None,
        quantity=None if metered else row.number("quantity"),
        in_advance=in_advance,
    )


def _discount(row: Reader) -> Discount:
    if row.has("percent") == row.has("amount"):
        raise Refusal(FIELDS_CONFLICT, "a discount has either a percent or an amount.", row.at("amount"))
    percent = row.share("percent") if row.has("percent") else None
    if percent is not None and percent > 1:
        raise Refusal(FIELD_INVALID, "a discount takes off 100 % at most.", row.at("percent"))
    amount = row.whole("amount") if row.has("amount") else None
    return Discount(row.text("id"), percent, amount, _texts(row, "items") if row.has("items") else None)


def _texts(row: Reader, name: str) -> tuple[str, ...]:
    return tuple(read_text(entry, path, 500) for path, entry in row.entries(name))


def _tax_rate(row: Reader) -> TaxRate:
    return TaxRate(
        row.text("id"),
        row.text("name", "Tax"),
        row.share("percent"),
        read_flag(row.get("inclusive") or False, row.at("inclusive")),
        row.text("jurisdiction", ""),
    )


def recurrence_document(recurrence: Recurrence) -> dict[str, Any]:
    """The inverse of reading a recurrence."""
    return {
        "interval": recurrence.unit,
        "interval_count": recurrence.count,
        "anchor": recurrence.anchor.isoformat(),
        "time_zone": recurrence.zone,
    }


def agreement_document(agreement: Agreement) -> dict[str, Any]:
    """The inverse of reading an agreement."""
    return {
        "items": [item_document(item) for item in agreement.items],
        "discounts": [discount_document(discount) for discount in agreement.discounts],
        "tax_rates": [tax_rate_document(rate) for rate in agreement.tax_rates],
    }


def item_document(item: Item) -> dict[str, Any]:
    """The inverse of reading an item."""
    document: dict[str, Any] = {"id": item.id, "description": item.description, "price": item.price}
    if item.meter is not None:
        return {**document, "meter": item.meter}
    document["quantity"] = show(item.quantity or Fraction(0))
    return {**document, "in_advance": True} if item.in_advance else document


def discount_document(discount: Discount) -> dict[str, Any]:
    """The inverse of reading a discount."""
    document: dict[str, Any] = {"id": discount.id}
    if discount.percent is not None:
        document["percent"] = show(discount.percent * 100)
    if discount.amount is not None:
        document["amount"] = discount.amount
    return document if discount.items is None else {**document, "items": list(discount.items)}


def tax_rate_document(rate: TaxRate) -> dict[str, Any]:
    """The inverse of reading a tax rate."""
    document: dict[str, Any] = {"id": rate.id, "name": rate.name, "percent": show(rate.percent * 100), "inclusive": rate.inclusive}
    return {**document, "jurisdiction": rate.jurisdiction} if rate.jurisdiction else document


def contract_document(contract: Contract) -> dict[str, Any]:
    """What a contract is beside its versions, as the store keeps it."""
    document: dict[str, Any] = {
        "id": contract.id,
        "customer": contract.customer,
        "currency": contract.currency,
        "starts_at": show_instant(contract.active.start),
        "billing": recurrence_document(contract.billing),
    }
    if contract.active.end != FOREVER:
        document["ends_at"] = show_instant(contract.active.end)
    if contract.below_zero != BELOW_ZERO[0]:
        document["below_zero"] = contract.below_zero
    if contract.billed_by != "run":
        document["billed_by"] = contract.billed_by
    return document if contract.term is None else {**document, "term": recurrence_document(contract.term)}


def read_contract(document: Mapping[str, Any], versions: tuple[Version[Agreement], ...]) -> Contract:
    """The inverse of `contract_document`, with the versions that the store keeps beside it."""
    reader = Reader(document)
    return Contract(
        id=document["id"],
        customer=document["customer"],
        currency=document["currency"],
        active=read_span(reader, "starts_at", "ends_at"),
        billing=_recurrence(reader.open("billing", _RECURRENCE)),
        versions=versions,
        term=_recurrence(reader.open("term", _RECURRENCE)) if reader.has("term") else None,
        below_zero=_below_zero(reader),
        billed_by="subscription" if document.get("billed_by") == "subscription" else "run",
    )


def read_agreement(document: Mapping[str, Any]) -> Agreement:
    """The inverse of `agreement_document`."""
    return _agreement(Reader(document))
