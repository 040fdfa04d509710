"""Apply a catalogue document: customers, meters, prices, contracts, amendments and grants, as one change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from farthing.app.refusals import CONTRACT_UNKNOWN
from farthing.app.store import Store
from farthing.core.base.currency import parse_currency
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_INVALID
from farthing.core.base.time import Instant, Interval, parse_instant
from farthing.core.base.timeline import BEGINNING, FOREVER, Version, holds
from farthing.core.catalog.fields import Field, Reader
from farthing.core.catalog.price import parse_price
from farthing.core.catalog.terms import Grant, PriceVersion
from farthing.core.contract.amend import amend, amended_contract
from farthing.core.contract.check import check_discounts, check_item
from farthing.core.contract.contract import Agreement, Contract, Item
from farthing.core.contract.parse import parse_contract
from farthing.core.contract.resolve import Shelf
from farthing.core.rating.compile import Compiled, compile_price
from farthing.core.usage.meter import Meter
from farthing.core.usage.parse import parse_meter

KINDS = ("customers", "meters", "prices", "contracts", "amendments", "grants")
APPLIES = ("before_tax", "after_tax")
_DOCUMENT = tuple(Field(kind, "list", "what to write") for kind in KINDS)
CUSTOMER_FIELDS = (
    Field("id", "text", "the customer's id, as events name it", required=True),
    Field("name", "text", "its name"),
    Field("metadata", "any", "yours, kept as it is"),
)
PRICE_FIELDS = (
    Field("lineage", "text", "the price that this is a version of; items of contracts name it", required=True),
    Field("effective_from", "text", "RFC 3339, inclusive", default="always was"),
    Field("effective_until", "text", "RFC 3339, exclusive", default="for ever"),
    Field("price", "any", "the version itself: a price document, whose `id` names the version (absent: the lineage)", required=True),
)
GRANT_FIELDS = (
    Field("id", "text", "the grant's id", required=True),
    Field("customer", "text", "who may use it: the id of a customer", required=True),
    Field("currency", "text", "ISO 4217 code", required=True),
    Field("amount", "whole", "minor units", required=True),
    Field("applies", "choice", "whether it lowers what is taxed, or pays a part of the bill, tax included", required=True, choices=APPLIES),
    Field("priority", "whole", "lower is used first, then by id", default="50"),
)


def apply_catalogue(store: Store, document: Mapping[str, Any]) -> dict[str, int]:
    """Write everything that a catalogue document declares, in one transaction; returns how many of each kind it declared.

    The document has lists under customers, meters, prices, contracts, amendments and grants, each optional, written in this order. What
    contracts and amendments agree is resolved at once: meter and price of every item have to be in the store by then. Errors: the named
    refusal of the first part that is wrong, with its place (`prices[2].price.tiers[0].up_to`); then nothing at all is written.
    """
    reader = Reader.of(document, "", _DOCUMENT)
    counts = dict.fromkeys(KINDS, 0)
    with store.transaction():
        run = _Run(store)
        for kind, place, part in _parts(reader):
            try:
                _WRITERS[kind](run, part)
            except Refusal as refusal:
                raise refusal.within(place) from None
            counts[kind] += 1
    return counts


@dataclass(slots=True)
class _Run:
    """One document being applied: the store, and what its contracts are resolved with, read once all of it is written."""

    store: Store
    meters: Mapping[str, Meter] | None = None
    prices: dict[str, Sequence[Version[PriceVersion]]] = field(default_factory=dict)
    compiled: dict[str, Compiled] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)  # contract → whose it is, once one is asked for

    def contract(self, contract_id: str) -> Contract:
        """A contract as it stands now. Errors: contract_unknown. By its customer, so that many amendments do not each read all contracts."""
        if not self.customers:
            self.customers.update((known.id, known.customer) for known in self.store.contracts())
        known = self.store.contracts(self.customers[contract_id]) if contract_id in self.customers else ()
        found = next((one for one in known if one.id == contract_id), None)
        if found is None:
            raise Refusal(CONTRACT_UNKNOWN, f"there is no contract {contract_id!r}.", "contract")
        return found

    def check(self, contract: Contract, versions: Sequence[Version[Agreement]], part: Any) -> None:
        """Check the items that a contract or an amendment names, and those that its discounts name; the refusal's field is where they
        stand in it."""
        check_discounts(versions, part.get("discounts") is not None)
        places = _places(part)
        for version in versions:
            span = version.effective.overlap(contract.active)
            for item in version.value.items:
                if span is not None and item.id in places:
                    self._check(contract, item, span, *places[item.id])

    def _check(self, contract: Contract, item: Item, span: Interval, place: str, given: Mapping[str, Any]) -> None:
        if self.meters is None:
            self.meters = self.store.meters()
        if item.price not in self.prices:
            self.prices[item.price] = self.store.prices([item.price]).get(item.price, ())
        shelf = Shelf(self.prices, self.meters, lambda price: self._compiled(price).accumulate == "term")
        try:
            check_item(contract, item, span, shelf, self._needs_events, self._by_time_of_day)
        except Refusal as refusal:
            raise Refusal(refusal.kind, refusal.message, f"{place}.{refusal.field}" if refusal.field in given else place) from None

    def _needs_events(self, price: PriceVersion) -> bool:
        return self._compiled(price).program.needs_events

    def _by_time_of_day(self, price: PriceVersion) -> bool:
        return self._compiled(price).program.by_time_of_day

    def _compiled(self, price: PriceVersion) -> Compiled:
        if price.id not in self.compiled:
            self.compiled[price.id] = compile_price(price.document)
        return self.compiled[price.id]


def _places(part: Any) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Where each item stands in a contract or an amendment that has been read, and what is said of it there, by its id."""
    lists = [(name, part[name]) for name in ("items", "add", "change") if part.get(name) is not None]
    return {entry["id"]: (f"{name}[{n}]", entry) for name, entries in lists for n, entry in enumerate(entries)}


def _parts(reader: Reader) -> Iterator[tuple[str, str, Any]]:
    for kind in KINDS:
        if reader.has(kind):
            for place, part in reader.entries(kind):
                yield kind, place, part


def _customer(run: _Run, part: Any) -> None:
    reader = Reader.of(part, "", CUSTOMER_FIELDS)
    if reader.has("name"):
        reader.text("name")
    run.store.put_customer(reader.text("id"), dict(part))


def _meter(run: _Run, part: Any) -> None:
    run.store.put_meter(parse_meter(part))


def _price(run: _Run, part: Any) -> None:
    reader = Reader.of(part, "", PRICE_FIELDS)
    try:
        price = parse_price(reader.need("price"))
        compile_price(price)
    except Refusal as refusal:
        raise refusal.within("price") from None
    start = _instant(reader, "effective_from", BEGINNING)
    end = _instant(reader, "effective_until", FOREVER)
    if start >= end:
        raise Refusal(FIELD_INVALID, "the version ends before it starts.", "effective_until")
    run.store.put_price(PriceVersion(price.id or reader.text("lineage"), reader.text("lineage"), price.document), Interval(start, end))


def _contract(run: _Run, part: Any) -> None:
    contract = parse_contract(part)
    run.store.put_contract(contract)
    run.check(contract, contract.versions, part)


def _amendment(run: _Run, part: Any) -> None:
    contract = run.contract(amended_contract(part))
    versions = amend(contract, part)
    new = [version for version in versions if not holds(contract.versions, version)]
    run.store.put_contract(replace(contract, versions=(*contract.versions, *new)))
    run.check(contract, versions, part)


def _grant(run: _Run, part: Any) -> None:
    reader = Reader.of(part, "", GRANT_FIELDS)
    applies = reader.choice("applies", APPLIES)
    grant = Grant(
        id=reader.text("id"),
        currency=parse_currency(reader.need("currency")),
        remaining=reader.whole("amount"),
        applies="before_tax" if applies == "before_tax" else "after_tax",
        priority=reader.whole("priority", 50),
    )
    run.store.put_grant(reader.text("customer"), grant)


def _instant(reader: Reader, name: str, default: Instant) -> Instant:
    return parse_instant(reader.get(name), name) if reader.has(name) else default


_WRITERS: Mapping[str, Callable[[_Run, Any], None]] = {
    "customers": _customer,
    "meters": _meter,
    "prices": _price,
    "contracts": _contract,
    "amendments": _amendment,
    "grants": _grant,
}
