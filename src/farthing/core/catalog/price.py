"""The price: an immutable document on the wire's terms, from which rating makes an amount.

The wire's own fields are read under their own names; what the wire has nothing for stands in one object, `ext`. Which model a
document names and whether its parameters make sense is decided where it is compiled (core/rating/compile.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from farthing.core.base.currency import parse_currency
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import NOT_AN_OBJECT
from farthing.core.catalog.fields import Field, Reader, canonical
from farthing.core.catalog.refusals import PRICE_FIELD_UNSUPPORTED

_IGNORED = ("object", "active", "created", "livemode", "lookup_key", "metadata", "nickname", "product", "recurring", "tax_behavior", "type")
_UNSUPPORTED = ("currency_options", "custom_unit_amount")

TIER_FIELDS = (
    Field("up_to", "number", 'upper bound of the tier, inclusive; "inf" or null for the last', required=True),
    Field("unit_amount", "amount", "minor units for each unit in the tier", default="0"),
    Field("flat_amount", "amount", "minor units once, when the tier is reached", default="0"),
)
TRANSFORM_FIELDS = (
    Field("divide_by", "whole", "units that make one billed unit, above zero", required=True),
    Field("round", "choice", "towards plus (up) or minus (down) infinity", required=True, choices=("up", "down")),
)
PRICE_FIELDS = (
    Field("id", "text", "names the price version; optional here"),
    Field("currency", "text", "ISO 4217 code", required=True),
    Field("billing_scheme", "choice", "per_unit or tiered; if absent: tiered when `tiers` is given", choices=("per_unit", "tiered")),
    Field("unit_amount", "amount", "minor units for each unit (per_unit)"),
    Field("tiers", "list", "graduated and volume", fields=TIER_FIELDS),
    Field("tiers_mode", "choice", "how tiers apply", choices=("graduated", "volume")),
    Field("transform_quantity", "object", "per_unit only: divide and round the quantity first", fields=TRANSFORM_FIELDS),
    Field("ext", "object", "one model of Farthing's own, or none, and modifiers"),
    *(Field(name, "any", "accepted, and without effect on the amount") for name in _IGNORED),
    *(Field(name, "any", "refused unless null, false or empty") for name in _UNSUPPORTED),
)


@dataclass(frozen=True, slots=True)
class Price:
    """A price document whose top level is sound: every field is known and the currency exists.

    `document` is the document as given, numbers exact: ints as ints, all others as decimal text, so that it has a digest.
    """

    id: str
    currency: str
    document: Mapping[str, Any]

    def reader(self) -> Reader:
        """The document, to be read field by field."""
        return Reader(self.document)


def rated_fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a price document says about amounts: without its id, its names and other fields without effect."""
    return {name: value for name, value in document.items() if name not in ("id", *_IGNORED) and value is not None}


def rated_alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two price documents say the same about amounts, whatever their ids, names and other fields without effect."""
    return rated_fields(one) == rated_fields(other)


def parse_price(document: Mapping[str, Any]) -> Price:
    """Read the top level of a price document.

    Errors: not_an_object, field_unknown, field_missing (currency), currency_unknown, price_field_unsupported, text_* (id),
    and number_* for a number anywhere in it that cannot be kept exactly.
    """
    exact = canonical(document)
    if not isinstance(exact, dict):
        raise Refusal(NOT_AN_OBJECT, "a price is a JSON object.", None)
    reader = Reader.of(exact, "", PRICE_FIELDS)
    for name in _UNSUPPORTED:
        value = reader.get(name)
        if value is not None and value is not False and value not in ("", [], {}):  # 0 is a value
            raise Refusal(PRICE_FIELD_UNSUPPORTED, f"{name} is not rated.", name)
    return Price(reader.text("id", ""), parse_currency(reader.need("currency")), exact)
