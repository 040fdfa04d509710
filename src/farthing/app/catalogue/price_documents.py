"""What a price's parameters say of amounts, two ways: as the API shows it, and as the document of the core, which checks it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from farthing.core.base.exact import parse_number, show
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_MISSING
from farthing.core.catalog.price import parse_price
from farthing.core.catalog.terms import PriceVersion
from farthing.core.rating.compile import Compiled, compile_price

UNIT, FLAT = "unit_amount", "flat_amount"
SHARED = ("billing_scheme", "tiers_mode", "transform_quantity")
"""What a price says once for all its currencies."""
_CORE = (UNIT, f"{UNIT}_decimal", "tiers", "ext", *SHARED)
_NAME = re.compile(r"[^.\[\]]+")


@dataclass(frozen=True, slots=True)
class Amounts:
    """A price's amounts in one currency: `shown` are the fields of the API (`unit_amount`, `unit_amount_decimal`, `tiers` where there are
    some), `version` is what the core keeps, `compiled` what it comes to there."""

    shown: Mapping[str, Any]
    version: PriceVersion
    compiled: Compiled


def lineage_of(price: Mapping[str, Any], currency: str) -> str | None:
    """The lineage under which the core's catalogue has a price (its document) in a currency; None if it has no amount in it."""
    if currency == price["currency"]:
        return str(price["id"])
    return f"{price['id']}/{currency}" if currency in price["currency_options"] else None


def interval_of(price: Mapping[str, Any]) -> tuple[str, int] | None:
    """How often a price (its document) recurs: "day", "week", "month" or "year", and how many of them; None for a price of one time."""
    recurring = price["recurring"]
    return None if recurring is None else (str(recurring["interval"]), int(recurring["interval_count"]))


def read_amounts(lineage: str, currency: str, sent: Mapping[str, Any], within: str = "") -> Amounts:
    """Read the amounts of one currency; `sent` has them with what is shared (and `ext`), `within` is the parameter that they stand in.

    Errors: every refusal of the core's price documents, at the parameter (`tiers[0][up_to]`)."""
    try:
        document: dict[str, Any] = {"id": lineage, "currency": currency, **{name: sent[name] for name in _CORE if sent.get(name) is not None}}
        for n, tier in enumerate(sent.get("tiers") or ()):
            if not any(f"{name}{suffix}" in tier for name in (UNIT, FLAT) for suffix in ("", "_decimal")):
                raise Refusal(FIELD_MISSING, "the tier has neither an amount for each unit nor a flat one.", f"tiers[{n}].{UNIT}")
        price = parse_price(document)
        compiled = compile_price(price)
    except Refusal as refusal:
        raise at_parameter(refusal, within) from refusal
    shown = _pair(sent, UNIT)
    if sent.get("tiers"):
        shown["tiers"] = [_tier(tier) for tier in sent["tiers"]]
    return Amounts(shown, PriceVersion(lineage, lineage, price.document), compiled)


def at_parameter(refusal: Refusal, within: str) -> Refusal:
    """A refusal with its field written as parameters are: `tiers[0].up_to` in `currency_options[eur]` is
    `currency_options[eur][tiers][0][up_to]`."""
    names = _NAME.findall(refusal.field or "")
    first, rest = (within, names) if within else ("".join(names[:1]), names[1:])
    return Refusal(refusal.kind, refusal.message, first + "".join(f"[{name}]" for name in rest) or None)


def _pair(sent: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Both spellings of an amount that may have been sent in either: whole minor units where it is whole, and exact decimal text."""
    raw = sent.get(name, sent.get(f"{name}_decimal"))
    if raw is None:
        return {name: None, f"{name}_decimal": None}
    value = parse_number(raw)
    return {name: value.numerator if value.denominator == 1 else None, f"{name}_decimal": show(value)}


def _tier(tier: Mapping[str, Any]) -> dict[str, Any]:
    return {**_pair(tier, FLAT), **_pair(tier, UNIT), "up_to": None if tier["up_to"] == "inf" else tier["up_to"]}
