"""Products: what is sold, whatever its prices are."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from farthing.app.catalogue.chosen import chosen_id
from farthing.app.catalogue.kinds import PRODUCT
from farthing.app.catalogue.refusals import (
    PRICE_OF_OTHER_PRODUCT,
    PRODUCT_HAS_PRICES,
    STATEMENT_DESCRIPTOR_INVALID,
    TAX_CODE_UNKNOWN,
    TEXTS_TOO_MANY,
    URL_INVALID,
)
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Document, PageQuery, Row, Test
from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELDS_CONFLICT, NUMBER_NOT_POSITIVE, TEXT_TOO_LONG

MOST_IMAGES, MOST_FEATURES, LONGEST_FEATURE = 8, 15, 80
_URL = re.compile(r"https?://[^\s/?#]+\S*")


def create_product(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Make a product. Errors: those of its fields, id_unusable, resource_already_exists."""
    document: dict[str, Any] = {
        "active": params.get("active", True),
        "created": desk.second,
        "default_price": None,
        **{name: read(params.get(name), name) for name, read in _FIELDS.items()},
        "tax_details": None,
        "metadata": plain.merged_metadata({}, params.get("metadata")),
        "name": params["name"],
        "shippable": params.get("shippable"),
        "type": params.get("type", "service"),
        "updated": desk.second,
        **_taxed(params),
    }
    if (id_ := chosen_id(params)) is not None:
        document["id"] = id_
    return plain.create(desk, PRODUCT, document)


def update_product(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change a product. Errors: those of its fields, resource_missing (also of its default price), price_of_other_product."""
    with desk.store.transaction():
        row = plain.need(desk, PRODUCT, id_, lock=True)
        changes = {name: _FIELDS[name](value, name) if name in _FIELDS else value for name, value in params.items()} | _taxed(params)
        if changes.get("default_price") is not None:
            _check_price(desk, id_, changes["default_price"])
        if "metadata" in changes:
            changes["metadata"] = plain.merged_metadata(row.document["metadata"], changes["metadata"])
        document = {**row.document, **changes}
        if document != dict(row.document):
            document["updated"] = desk.second
        return plain.change(desk, PRODUCT, row, document)


def delete_product(desk: Desk, id_: str) -> Document:
    """Delete a product that has no prices. Errors: resource_missing, product_has_prices."""
    with desk.store.transaction():
        plain.need(desk, PRODUCT, id_, lock=True)
        if desk.store.page(PageQuery("price", 1, tests=(Test("product", "eq", id_),))).rows:
            raise Refusal(PRODUCT_HAS_PRICES, f"product {id_[:80]!r} has prices.", "id")
        return plain.delete(desk, PRODUCT, id_)


def _check_price(desk: Desk, id_: str, price: str) -> None:
    row = desk.store.find("price", price)
    if row is None or row.deleted:
        raise Refusal(RESOURCE_MISSING, f"there is no price {price[:80]!r}.", "default_price")
    if row.document["product"] != id_:
        raise Refusal(PRICE_OF_OTHER_PRODUCT, f"price {price[:80]!r} is of {row.document['product']!r}.", "default_price")


def _as_sent(value: Any, _: str) -> Any:
    return value


def _url(value: str | None, place: str) -> str | None:
    if value is not None and _URL.fullmatch(value) is None:
        raise Refusal(URL_INVALID, f"{shown(value)} is no address.", place)
    return value


def _images(value: list[str] | None, place: str) -> list[str]:
    images = _few(value, MOST_IMAGES, place)
    for n, image in enumerate(images):
        _url(image, f"{place}[{n}]")
    return images


def _features(value: list[Mapping[str, Any]] | None, place: str) -> list[dict[str, Any]]:
    features = _few(value, MOST_FEATURES, place)
    for n, feature in enumerate(features):
        if len(feature["name"]) > LONGEST_FEATURE:
            raise Refusal(TEXT_TOO_LONG, f"a feature has {len(feature['name'])} characters, more than {LONGEST_FEATURE}.", f"{place}[{n}][name]")
    return [dict(feature) for feature in features]


def _few(value: list[Any] | None, most: int, place: str) -> list[Any]:
    if value is not None and len(value) > most:
        raise Refusal(TEXTS_TOO_MANY, f"there are {len(value)}, more than {most}.", place)
    return value or []


def _descriptor(value: str | None, place: str) -> str | None:
    if value is not None and (re.search(r"[<>\\\"'*]", value) or not any(character.isalpha() for character in value)):
        raise Refusal(STATEMENT_DESCRIPTOR_INVALID, f"{shown(value)} cannot stand on a statement.", place)
    return value


def _tax_code(value: str | None, place: str) -> str | None:
    if value is not None and re.fullmatch(r"txcd_[0-9]{8}", value, re.ASCII) is None:
        raise Refusal(TAX_CODE_UNKNOWN, f"{shown(value)} is no tax code.", place)
    return value


def _taxed(params: Mapping[str, Any]) -> dict[str, Any]:
    """What becomes of a product's tax code where it is sent, by either of its two names."""
    sent = [(name, code) for name, code in _codes(params) if code is not None or name in params]
    if len({code for _, code in sent}) > 1:
        raise Refusal(FIELDS_CONFLICT, f"tax_code and tax_details say {sent[0][1]!r} and {sent[1][1]!r}.", "tax_details[tax_code]")
    if not sent:
        return {}
    code = _tax_code(sent[0][1], "tax_code" if sent[0][0] == "tax_code" else "tax_details[tax_code]")
    return {"tax_code": code, "tax_details": None if code is None else {"performance_location": None, "tax_code": code}}


def _codes(params: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    return [("tax_code", params.get("tax_code")), ("tax_details", (params.get("tax_details") or {}).get("tax_code"))]


def _dimensions(value: Mapping[str, Any] | None, place: str) -> dict[str, Any] | None:
    for name, size in (value or {}).items():
        if size <= 0:
            raise Refusal(NUMBER_NOT_POSITIVE, f"{size} is not above zero.", f"{place}[{name}]")
    return None if value is None else dict(value)


_FIELDS: Mapping[str, Callable[[Any, str], Any]] = {
    "description": _as_sent,
    "images": _images,
    "marketing_features": _features,
    "package_dimensions": _dimensions,
    "statement_descriptor": _descriptor,
    "tax_code": _as_sent,
    "unit_label": _as_sent,
    "url": _url,
}
"""Fields that may be unset, and how each is read."""
