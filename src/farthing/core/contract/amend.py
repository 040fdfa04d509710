"""Amendments: a contract and a document → the versions that the document adds to it.

Either the whole agreement, {"contract", "effective_from", "effective_until"?, "items", "discounts"?, "tax_rates"?}, or what changes:
{"contract", "effective_from", "effective_until"?, "add"?: [item], "change"?: [{"id", …}], "remove"?: [id], "discounts"?, "tax_rates"?}.
A change applies to each agreement that holds in the span, so that what was already agreed for later stays agreed. Discounts and tax
rates that are not given stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_MISSING, FIELDS_CONFLICT
from farthing.core.base.timeline import Version, overlay, within
from farthing.core.catalog.fields import Field, Reader
from farthing.core.catalog.terms import TaxRate
from farthing.core.contract.contract import Agreement, Contract, Item
from farthing.core.contract.parse import (
    AGREEMENT_FIELDS,
    ITEM_FIELDS,
    SPAN_FIELDS,
    item_document,
    parse_amendment,
    read_discounts,
    read_item,
    read_span,
    read_tax_rates,
)
from farthing.core.contract.refusals import (
    CONTRACT_ADVANCE_CHANGED,
    CONTRACT_AMENDMENT_OUTSIDE,
    CONTRACT_ITEM_TWICE,
    CONTRACT_ITEM_UNKNOWN,
    CONTRACT_TAX_RATE_CHANGED,
)
from farthing.core.events.fields import read_text

_ITEM_CHANGE = tuple(replace(field, required=field.name == "id") for field in ITEM_FIELDS)
AMENDMENT_FIELDS = (
    *SPAN_FIELDS,
    Field("items", "list", "all that is agreed, in place of add, change and remove; an empty list: nothing is", fields=ITEM_FIELDS),
    Field("add", "list", "items that are agreed as well", fields=ITEM_FIELDS),
    Field("change", "list", "items, each with its `id` and the fields that change", fields=_ITEM_CHANGE),
    Field("remove", "list", "ids of items that are agreed no longer"),
    *(field for field in AGREEMENT_FIELDS if field.name != "items"),
)
_PARTS = ("add", "change", "remove", "discounts", "tax_rates")


def amend(contract: Contract, document: object) -> tuple[Version[Agreement], ...]:
    """The versions that an amendment adds to the contract (revision 0: the store sets it), in order of time.

    Errors: as of `parse_amendment`, fields_conflict for a whole agreement together with changes, field_missing for neither,
    contract_item_unknown, contract_item_twice, contract_amendment_outside, contract_tax_rate_changed.
    """
    reader = Reader.of(document, "", AMENDMENT_FIELDS)
    span = read_span(reader, "effective_from", "effective_until").overlap(contract.active)
    if span is None:
        raise Refusal(CONTRACT_AMENDMENT_OUTSIDE, f"contract {contract.id!r} has not begun by then, or has ended.", "effective_from")
    changes = [name for name in ("add", "change", "remove") if reader.has(name)]
    if reader.has("items"):
        if changes:
            raise Refusal(FIELDS_CONFLICT, f"items is the whole agreement; {changes[0]} changes a part of one.", changes[0])
        return _same_kinds(contract, reader, (parse_amendment(document)[1],))
    if not any(name in reader.values for name in _PARTS):
        raise Refusal(FIELD_MISSING, "an amendment says what is agreed (items) or what changes (add, change, remove, …).", "items")
    known = max(version.revision for version in contract.versions)
    holding = within(overlay(contract.versions, known), span)
    if not holding:
        raise Refusal(CONTRACT_AMENDMENT_OUTSIDE, f"contract {contract.id!r} has no agreement in that span.", "effective_from")
    agreed = {item.id for held in holding for item in held.value.items}
    change = _Change(reader, agreed)
    return _same_kinds(contract, reader, tuple(Version(held.interval, 0, change.of(held.value)) for held in holding))


def _same_kinds(contract: Contract, reader: Reader, versions: tuple[Version[Agreement], ...]) -> tuple[Version[Agreement], ...]:
    check_tax_kinds(contract, versions[0].value.tax_rates if "tax_rates" in reader.values else ())
    for version in versions:
        check_advance(contract, version.value.items)
    return versions


def check_tax_kinds(contract: Contract, rates: Sequence[TaxRate]) -> None:
    """Check that each tax rate is contained or on top as it is everywhere in the contract: under one id both cannot be told apart on a
    key that was billed with the other. Errors: contract_tax_rate_changed."""
    known = {rate.id: rate.inclusive for version in contract.versions for rate in version.value.tax_rates}
    for i, rate in enumerate(rates):
        if known.get(rate.id, rate.inclusive) != rate.inclusive:
            how = "contained in the prices" if known[rate.id] else "on top of the prices"
            raise Refusal(CONTRACT_TAX_RATE_CHANGED, f"{rate.id!r} is {how} at another time.", f"tax_rates[{i}].inclusive")


def check_advance(contract: Contract, items: Sequence[Item]) -> None:
    """Check that each item is billed in advance or in arrears as it is everywhere in the contract: what is billed when would be in doubt
    otherwise. Errors: contract_advance_changed."""
    known = {item.id: item.in_advance for version in contract.versions for item in version.value.items}
    for i, item in enumerate(items):
        if known.get(item.id, item.in_advance) != item.in_advance:
            raise Refusal(CONTRACT_ADVANCE_CHANGED, f"item {item.id!r} is billed otherwise at another time.", f"items[{i}].in_advance")


def amended_contract(document: object) -> str:
    """The id of the contract that an amendment changes. Errors: field_…, text_…"""
    return Reader.of(document, "", AMENDMENT_FIELDS).text("contract")


class _Change:
    """What an amendment makes of one agreement."""

    def __init__(self, reader: Reader, agreed: set[str]) -> None:
        self._reader = reader
        self._removed = set(_removed(reader, agreed))
        self._changed = dict(_changed(reader, agreed))
        self._added = tuple(_added(reader, agreed - self._removed))

    def of(self, agreement: Agreement) -> Agreement:
        kept = (item for item in agreement.items if item.id not in self._removed)
        items = (*(self._changed[item.id](item) if item.id in self._changed else item for item in kept), *self._added)
        return Agreement(
            items,
            read_discounts(self._reader) if "discounts" in self._reader.values else agreement.discounts,
            read_tax_rates(self._reader) if "tax_rates" in self._reader.values else agreement.tax_rates,
        )


def _removed(reader: Reader, agreed: set[str]) -> Iterator[str]:
    for path, entry in reader.entries("remove") if reader.has("remove") else ():
        yield _known(read_text(entry, path, 500), path, agreed)


def _changed(reader: Reader, agreed: set[str]) -> Iterator[tuple[str, Callable[[Item], Item]]]:
    for row in reader.objects("change", _ITEM_CHANGE) if reader.has("change") else ():
        yield _known(row.text("id"), row.at("id"), agreed), _change_of(row)


def _change_of(row: Reader) -> Callable[[Item], Item]:
    """The fields that are given in place of the item's; a meter in place of a quantity, and the other way round."""
    given = {name: value for name, value in row.values.items() if value is not None}
    other = {"meter": "quantity", "quantity": "meter"}

    def change(item: Item) -> Item:
        kept = {name: value for name, value in item_document(item).items() if other.get(name) not in given}
        return read_item(Reader({**kept, **given}, row.path))

    return change


def _added(reader: Reader, agreed: set[str]) -> Iterator[Item]:
    for row in reader.objects("add", ITEM_FIELDS) if reader.has("add") else ():
        item = read_item(row)
        if item.id in agreed:
            raise Refusal(CONTRACT_ITEM_TWICE, f"item {item.id!r} is agreed already; change it, or add another.", row.at("id"))
        agreed = agreed | {item.id}
        yield item


def _known(id_: str, path: str, agreed: set[str]) -> str:
    if id_ not in agreed:
        raise Refusal(CONTRACT_ITEM_UNKNOWN, f"item {id_!r} is not agreed at any time in the span.", path)
    return id_
