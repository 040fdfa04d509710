"""The fields of a customer: how each is read, and how it stands in the document."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from farthing.app.catalogue.refusals import COUNTRY_UNKNOWN
from farthing.app.customers.refusals import EMAIL_INVALID, ENTRIES_TOO_MANY, LOCALE_INVALID
from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal

MOST_CUSTOM_FIELDS, MOST_LOCALES = 4, 20
ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", re.ASCII)


def as_sent(value: Any, _: str) -> Any:
    """The value itself."""
    return value


def email(value: str | None, place: str) -> str | None:
    """An address of electronic mail, as it was sent. Errors: email_invalid."""
    if value is not None and _EMAIL.fullmatch(value) is None:
        raise Refusal(EMAIL_INVALID, f"{shown(value)} is no address.", place)
    return value


def country(value: str | None, place: str) -> str | None:
    """A country as two capital letters. Errors: country_unknown."""
    if value is not None and re.fullmatch(r"[A-Za-z]{2}", value, re.ASCII) is None:
        raise Refusal(COUNTRY_UNKNOWN, f"{shown(value)} is not a country.", place)
    return None if value is None else value.upper()


def address(value: Mapping[str, Any] | None, place: str) -> dict[str, Any] | None:
    """An address, all of its fields, null for what was not sent. Errors: country_unknown."""
    if value is None:
        return None
    return {**{name: value.get(name) for name in ADDRESS}, "country": country(value.get("country"), f"{place}[country]")}


def shipping(value: Mapping[str, Any] | None, place: str) -> dict[str, Any] | None:
    """Where things are sent. Errors: country_unknown."""
    if value is None:
        return None
    to = address(value["address"], f"{place}[address]")
    return {"address": to, "carrier": None, "name": value["name"], "phone": value.get("phone"), "tracking_number": None}


def locales(value: list[str] | None, place: str) -> list[str]:
    """Languages in order of preference. Errors: entries_too_many, locale_invalid."""
    tags = few(value, MOST_LOCALES, place)
    for n, tag in enumerate(tags):
        if _LOCALE.fullmatch(tag) is None:
            raise Refusal(LOCALE_INVALID, f"{shown(tag)} is no language tag.", f"{place}[{n}]")
    return tags


def tax_exempt(value: str | None, _: str) -> str:
    """Whether taxes are due: "none" (they are), "exempt", or "reverse" (the customer owes them)."""
    return value or "none"


def few(value: list[Any] | None, most: int, place: str) -> list[Any]:
    """A list of so many entries at most. Errors: entries_too_many."""
    if value is not None and len(value) > most:
        raise Refusal(ENTRIES_TOO_MANY, f"there are {len(value)}, more than {most}.", place)
    return value or []


FIELDS: Mapping[str, Callable[[Any, str], Any]] = {
    "address": address,
    "description": as_sent,
    "email": email,
    "name": as_sent,
    "phone": as_sent,
    "preferred_locales": locales,
    "shipping": shipping,
    "tax_exempt": tax_exempt,
}
"""Fields that every customer has, and how each is read."""
NAMES = ("business_name", "individual_name")
"""Fields that a customer has only when they are set."""
