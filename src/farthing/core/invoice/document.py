"""Bills as canonical documents: what is stored, compared and digested. Money in minor units, exact numbers as text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from farthing.core.base.canonical import canonical_json, digest
from farthing.core.base.exact import read_shown, show
from farthing.core.base.time import Interval, parse_instant, show_instant
from farthing.core.catalog.terms import ChargeKey, Discount, TaxRate
from farthing.core.invoice.invoice import Cause, Document, Issued, Line

_SUMS = ("subtotal", "discount", "credit_before_tax", "tax", "tax_included", "total", "credit_after_tax", "due")


def key_text(key: ChargeKey) -> str:
    """The key as unambiguous text, for indexes: a JSON array."""
    segment = [key.segment.start, key.segment.end]
    return canonical_json([key.customer, key.contract, key.item, key.price, segment, [list(pair) for pair in key.group], key.currency])


def read_key(text: str) -> ChargeKey:
    """The inverse of `key_text`."""
    customer, contract, item, price, (start, end), group, currency = json.loads(text)
    return ChargeKey(customer, contract, item, price, Interval(start, end), tuple((name, value) for name, value in group), currency)


def line_document(line: Line) -> dict[str, Any]:
    """The canonical document of a line; `read_line` is its inverse, but for `issued`, which is no part of a bill."""
    key = line.key
    return {
        "kind": line.kind,
        "customer": key.customer,
        "contract": key.contract,
        "item": key.item,
        "price": key.price,
        "segment": _interval(key.segment),
        "group": [list(pair) for pair in key.group],
        "currency": key.currency,
        "description": line.description,
        "service": _interval(line.service),
        "quantity": show(line.quantity),
        "exact": show(line.exact),
        "amount": line.amount,
        "derivation": dict(line.derivation),
        "discounts": [_discount(discount) for discount in line.discounts],
        "discount_parts": [list(part) for part in line.discount_parts],
        "discount": line.discount,
        "credit_parts": [list(part) for part in line.credit_parts],
        "credit": line.credit,
        "tax_rates": [_tax_rate(rate) for rate in line.tax_rates],
        "taxes": [list(tax) for tax in line.taxes],
        "previously": line.previously,
        "corrects": line.corrects,
        "causes": [{"kind": cause.kind, "id": cause.id, "at": cause.at} for cause in line.causes],
        "causes_more": line.causes_more,
    }


def read_line(document: Mapping[str, Any]) -> Line:
    """The line of a document that `line_document` wrote."""
    group = tuple((name, value) for name, value in document["group"])
    names = (document["customer"], document["contract"], document["item"], document["price"])
    return Line(
        kind=document["kind"],
        key=ChargeKey(*names, _read_interval(document["segment"]), group, document["currency"]),
        description=document["description"],
        service=_read_interval(document["service"]),
        quantity=read_shown(document["quantity"]),
        exact=read_shown(document["exact"]),
        amount=document["amount"],
        derivation=document["derivation"],
        discounts=tuple(_read_discount(discount) for discount in document["discounts"]),
        tax_rates=tuple(_read_tax_rate(rate) for rate in document["tax_rates"]),
        discount=document["discount"],
        discount_parts=_pairs(document["discount_parts"]),
        credit=document["credit"],
        taxes=tuple((id_, taxable, tax) for id_, taxable, tax in document["taxes"]),
        previously=document["previously"],
        corrects=document["corrects"],
        causes=tuple(Cause(cause["kind"], cause["id"], cause["at"]) for cause in document["causes"]),
        credit_parts=_pairs(document["credit_parts"]),
        causes_more=document["causes_more"],
    )


def document_content(document: Document) -> dict[str, Any]:
    """The canonical document of a bill, without ids given by the store and without clock times; its digest is `content_digest`."""
    return {
        "kind": document.kind,
        "customer": document.customer,
        "contract": document.contract,
        "currency": document.currency,
        "period": _interval(document.period),
        "time_zone": document.zone,
        "lines": [line_document(line) for line in document.lines],
        **{name: getattr(document, name) for name in _SUMS},
        "grants_used": [list(used) for used in document.grants_used],
        "corrects": list(document.corrects),
    }


def read_document(content: Mapping[str, Any]) -> Document:
    """The inverse of `document_content`."""
    return Document(
        kind=content["kind"],
        customer=content["customer"],
        contract=content["contract"],
        currency=content["currency"],
        period=_read_interval(content["period"]),
        zone=content["time_zone"],
        lines=tuple(read_line(line) for line in content["lines"]),
        **{name: content[name] for name in _SUMS},
        grants_used=_pairs(content["grants_used"]),
        corrects=tuple(content["corrects"]),
    )


def content_digest(content: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON of a bill without places in the log: the same facts give the same digest, in whatever
    order and batches they arrived."""
    return digest({**content, "lines": [_without_places(line) for line in content["lines"]]})


def _without_places(line: Mapping[str, Any]) -> dict[str, Any]:
    """The line without the places that log and catalogue gave to facts: a property or a group may well have such a name."""
    derivation = line["derivation"]
    causes = [{name: value for name, value in cause.items() if name != "at"} for cause in line["causes"]]
    if "rated" not in derivation:
        return {**line, "causes": causes}
    rated = {name: _rated_without_places(derivation[name]) for name in ("rated", "before") if derivation.get(name) is not None}
    return {**line, "causes": causes, "derivation": {**derivation, **rated, "position": None}}


def _rated_without_places(rated: Mapping[str, Any]) -> dict[str, Any]:
    return {**rated, "cells": [{**cell, "usage": {**cell["usage"], "first": 0, "last": 0}} for cell in rated["cells"]]}


def issued_from(lines: list[tuple[str, Line]]) -> Issued:
    """What the finalised lines of one key, each with the number of its document, come to; in order of finalisation, at least one."""
    number, first = lines[0]
    every = [line for _, line in lines]
    discounts = _summed(line.discount_parts for line in every)
    bound = next((line for line in reversed(every) if line.kind == "charge"), first)
    return Issued(
        key=first.key,
        description=first.description,
        service=Interval(first.service.start, max(line.service.end for line in every)),
        quantity=sum((line.quantity for line in every[1:]), first.quantity),
        exact=read_shown(every[-1].derivation["exact"]),
        amount=sum(line.amount for line in every),
        discount=sum(part for _, part in discounts),
        discounts=bound.discounts,
        tax_rates=bound.tax_rates,
        document=number,
        discount_parts=discounts,
        credit_parts=_summed(line.credit_parts for line in every),
        taxes=_summed_taxes(every),
    )


def _summed(parts: Iterable[tuple[tuple[str, int], ...]]) -> tuple[tuple[str, int], ...]:
    sums: dict[str, int] = {}
    for id_, units in (pair for pairs in parts for pair in pairs):
        sums[id_] = sums.get(id_, 0) + units
    return tuple(sums.items())


def _summed_taxes(lines: list[Line]) -> tuple[tuple[str, int, int], ...]:
    sums: dict[str, tuple[int, int]] = {}
    for id_, taxable, tax in (tax for line in lines for tax in line.taxes):
        before = sums.get(id_, (0, 0))
        sums[id_] = (before[0] + taxable, before[1] + tax)
    return tuple((id_, *both) for id_, both in sums.items())


def _interval(interval: Interval) -> list[str]:
    return [show_instant(interval.start), show_instant(interval.end)]


def _read_interval(pair: list[str]) -> Interval:
    return Interval(parse_instant(pair[0]), parse_instant(pair[1]))


def _pairs(pairs: list[list[Any]]) -> tuple[tuple[str, int], ...]:
    return tuple((id_, units) for id_, units in pairs)


def _discount(discount: Discount) -> dict[str, Any]:
    percent, items = discount.percent, discount.items
    return {
        "id": discount.id,
        "percent": None if percent is None else show(percent),
        "amount": discount.amount,
        "items": None if items is None else list(items),
    }


def _read_discount(document: Mapping[str, Any]) -> Discount:
    percent, items = document["percent"], document["items"]
    return Discount(document["id"], None if percent is None else read_shown(percent), document["amount"], None if items is None else tuple(items))


def _tax_rate(rate: TaxRate) -> dict[str, Any]:
    return {"id": rate.id, "name": rate.name, "percent": show(rate.percent), "inclusive": rate.inclusive, "jurisdiction": rate.jurisdiction}


def _read_tax_rate(document: Mapping[str, Any]) -> TaxRate:
    return TaxRate(document["id"], document["name"], read_shown(document["percent"]), document["inclusive"], document["jurisdiction"])
