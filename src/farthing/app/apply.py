"""Apply a catalogue document: customers, meters, prices, contracts, amendments and grants, as one change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from farthing.app.refusals import CONTRACT_UNKNOWN
from farthing.app.store import Store
from farthing.core.base.currency import parse_currency
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_INVALID
from farthing.core.base.time import Instant, Interval, parse_instant
from farthing.core.base.timeline import BEGINNING, FOREVER, holds
from farthing.core.catalog.fields import Field, Reader
from farthing.core.catalog.price import parse_price
from farthing.core.catalog.terms import Grant, PriceVersion
from farthing.core.contract.amend import amend, amended_contract
from farthing.core.contract.parse import parse_contract
from farthing.core.rating.compile import compile_price
from farthing.core.usage.parse import parse_meter

KINDS = ("customers", "meters", "prices", "contracts", "amendments", "grants")
_DOCUMENT = tuple(Field(kind, "list", "what to write") for kind in KINDS)
_CUSTOMER = (Field("id", "text", "the customer's id"), Field("name", "text", "its name"), Field("metadata", "any", "yours"))
_PRICE = (
    Field("lineage", "text", "the price that this is a version of"),
    Field("effective_from", "text", "RFC 3339; absent: from the beginning"),
    Field("effective_until", "text", "RFC 3339, exclusive; absent: for ever"),
    Field("price", "any", "the price document"),
)
_GRANT = (
    Field("id", "text", "the grant's id"),
    Field("customer", "text", "who may use it"),
    Field("currency", "text", "ISO 4217"),
    Field("amount", "whole", "minor units"),
    Field("applies", "choice", "when it lowers the bill"),
    Field("priority", "whole", "lower is used first"),
)


def apply_catalogue(store: Store, document: Mapping[str, Any]) -> dict[str, int]:
    """Write everything that a catalogue document declares, in one transaction; returns how many of each kind it declared.

    The document has lists under customers, meters, prices, contracts, amendments and grants, each optional. Errors: the named refusal of the
    first part that is wrong, with its place (`prices[2].price.tiers[0].up_to`); then nothing at all is written.
    """
    reader = Reader.of(document, "", _DOCUMENT)
    counts = dict.fromkeys(KINDS, 0)
    with store.transaction():
        for kind, place, part in _parts(reader):
            try:
                _WRITERS[kind](store, part)
            except Refusal as refusal:
                raise refusal.within(place) from None
            counts[kind] += 1
    return counts


def _parts(reader: Reader) -> Iterator[tuple[str, str, Any]]:
    for kind in KINDS:
        if reader.has(kind):
            for place, part in reader.entries(kind):
                yield kind, place, part


def _customer(store: Store, part: Any) -> None:
    reader = Reader.of(part, "", _CUSTOMER)
    store.put_customer(reader.text("id"), dict(part))


def _meter(store: Store, part: Any) -> None:
    store.put_meter(parse_meter(part))


def _price(store: Store, part: Any) -> None:
    reader = Reader.of(part, "", _PRICE)
    try:
        price = parse_price(reader.need("price"))
        compile_price(price)
    except Refusal as refusal:
        raise refusal.within("price") from None
    start = _instant(reader, "effective_from", BEGINNING)
    end = _instant(reader, "effective_until", FOREVER)
    if start >= end:
        raise Refusal(FIELD_INVALID, "the version ends before it starts.", "effective_until")
    store.put_price(PriceVersion(price.id or reader.text("lineage"), reader.text("lineage"), price.document), Interval(start, end))


def _contract(store: Store, part: Any) -> None:
    store.put_contract(parse_contract(part))


def _amendment(store: Store, part: Any) -> None:
    contract_id = amended_contract(part)
    contract = next((known for known in store.contracts() if known.id == contract_id), None)
    if contract is None:
        raise Refusal(CONTRACT_UNKNOWN, f"there is no contract {contract_id!r}.", "contract")
    new = [version for version in amend(contract, part) if not holds(contract.versions, version)]
    store.put_contract(replace(contract, versions=(*contract.versions, *new)))


def _grant(store: Store, part: Any) -> None:
    reader = Reader.of(part, "", _GRANT)
    applies = reader.choice("applies", ("before_tax", "after_tax"))
    grant = Grant(
        id=reader.text("id"),
        currency=parse_currency(reader.need("currency")),
        remaining=reader.whole("amount"),
        applies="before_tax" if applies == "before_tax" else "after_tax",
        priority=reader.whole("priority", 50),
    )
    store.put_grant(reader.text("customer"), grant)


def _instant(reader: Reader, name: str, default: Instant) -> Instant:
    return parse_instant(reader.get(name), name) if reader.has(name) else default


_WRITERS: Mapping[str, Callable[[Store, Any], None]] = {
    "customers": _customer,
    "meters": _meter,
    "prices": _price,
    "contracts": _contract,
    "amendments": _amendment,
    "grants": _grant,
}
