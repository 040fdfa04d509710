"""Naive reading of numbers, texts, properties, conditions and times, straight from docs/pricing.md. Standard library only.

Slow and literal on purpose: it is held against the product, and shares no code with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

UNDOCUMENTED = "?"  # a code or a field path that the page does not give

NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
NOT_FINITE = re.compile(r"[+-]?(s?nan|inf|infinity)", re.IGNORECASE)
TIMESTAMP = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})?")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
END_OF_2261 = (datetime(2262, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


class Refused(Exception):
    """A refusal: its code, and the dotted path of the field (None: no field; "?": the page names none)."""

    def __init__(self, code: str, field: str | None) -> None:
        super().__init__(f"{code} at {field}")
        self.code = code
        self.field = field


@dataclass(frozen=True)
class JsonNumber:
    """A bare number of a JSON text, as it was written."""

    text: str


@dataclass
class Faults:
    """All that is wrong with a document, in the order in which it was found."""

    found: list[tuple[str, str | None]] = field(default_factory=list)

    def add(self, code: str, path: str | None) -> None:
        self.found.append((code, path))


def loads(text: str) -> Any:
    """JSON with numbers kept as written, NaN and infinities among them. Raises Refused (json_malformed, key_repeated)."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in items]
        for place, key in enumerate(keys):
            if keys.index(key) < place:
                raise Refused("key_repeated", key)
        return dict(items)

    try:
        return json.loads(text, parse_int=JsonNumber, parse_float=JsonNumber, parse_constant=JsonNumber, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        raise Refused("json_malformed", None) from None


def dumps(value: Any) -> str:
    """JSON of a document, with the numbers as they were written."""
    if isinstance(value, JsonNumber):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(json.dumps(key) + ": " + dumps(entry) for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(dumps(entry) for entry in value) + "]"
    return json.dumps(value)


def depth(value: Any) -> int:
    """How many objects and lists lie around the innermost place."""
    if isinstance(value, dict):
        return 1 + max((depth(entry) for entry in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((depth(entry) for entry in value), default=0)
    return 0


def read_number(value: Any) -> Fraction:
    """The exact number. Raises Refused without a path: number_malformed, number_not_finite, number_too_large."""
    if isinstance(value, JsonNumber):
        text = value.text
    elif isinstance(value, int) and not isinstance(value, bool):
        text = str(value)
    elif isinstance(value, str):
        text = value
    else:
        raise Refused("number_malformed", None)
    if isinstance(value, str) and len(text) > 200:
        raise Refused("number_too_large", None)
    if NOT_FINITE.fullmatch(text):
        raise Refused("number_not_finite", None)
    if isinstance(value, str) and not NUMBER.fullmatch(text):
        raise Refused("number_malformed", None)
    mantissa, _, exponent = text.lower().partition("e")
    whole, _, decimals = mantissa.lstrip("+-").partition(".")
    if not (whole + decimals).strip("0"):
        return Fraction(0)
    if len(whole + decimals) > 4000 or len(exponent) > 5:
        raise Refused("number_too_large", None)  # only so that it is not computed
    power = int(exponent or "0") - len(decimals)
    digits = Fraction(int(whole + decimals))
    number: Fraction = digits * 10**power if power >= 0 else digits / 10**-power
    if number >= 10**20 or (number * 10**18).denominator != 1:
        raise Refused("number_too_large", None)
    return -number if mantissa.startswith("-") else number


def number_or_none(text: str | None) -> Fraction | None:
    """The number that a property's text stands for, or None if it is absent or no number."""
    if text is None:
        return None
    try:
        return read_number(text)
    except Refused:
        return None


def exact_text(number: Fraction) -> str:
    """A plain decimal where it terminates, else the fraction in lowest terms."""
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return f"{number.numerator}/{number.denominator}"
    places = 0
    while (number * 10**places).denominator != 1:
        places += 1
    digits = str(abs(int(number * 10**places))).rjust(places + 1, "0")
    plain = digits if places == 0 else digits[:-places] + "." + digits[-places:]
    return "-" + plain if number < 0 else plain


def property_text(value: Any) -> str | None:
    """The text of a property; None if it is absent. Raises Refused without a path: property_not_scalar and those of numbers."""
    if value is None:
        return None
    if isinstance(value, (list, dict)):
        raise Refused("property_not_scalar", None)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return exact_text(read_number(value))


def text_fault(value: str, longest: int) -> str | None:
    """What is wrong with a text of 1 to `longest` characters, if anything."""
    if value == "":
        return "text_empty"
    if len(value) > longest:
        return "text_too_long"
    if "\0" in value or any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        return "text_not_storable"
    return None


def read_time(value: Any) -> int:
    """Microseconds since 1970 in UTC of an RFC 3339 text. Raises Refused without a path."""
    match = TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Refused("timestamp_malformed", None)
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    if offset is None:
        raise Refused("timestamp_naive", None)
    fraction = (fraction or ".0").rstrip("0")
    if len(fraction) > 7:
        raise Refused("timestamp_too_precise", None)
    try:
        # The year 0000, which datetime has not, is a leap year as 0400 is; it is out of range in any zone.
        local = datetime(int(year) or 400, int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        raise Refused("timestamp_malformed", None) from None
    if offset[1:3] > "23" or offset[4:6] > "59":
        raise Refused("timestamp_malformed", None)
    micros = (local - EPOCH) // timedelta(microseconds=1)
    micros += int(fraction[1:].ljust(6, "0"))
    if offset not in "Zz":
        shift = (int(offset[1:3]) * 60 + int(offset[4:6])) * 60_000_000
        micros += shift if offset[0] == "-" else -shift
    if not 0 <= micros < END_OF_2261:
        raise Refused("event_time_out_of_range", None)
    return micros


@dataclass(frozen=True)
class Test:
    """One test of a condition: the property, the operator, its operand."""

    __test__ = False  # no test case of pytest

    property: str
    operator: str
    operand: Any


def passes(test: Test, properties: dict[str, str]) -> bool:
    """Whether a test holds for the properties of one event."""
    present = test.property in properties
    if test.operator == "exists":
        return bool(present == test.operand)
    if test.operator == "in":
        return present and properties[test.property] in test.operand
    if test.operator == "not_in":
        return not present or properties[test.property] not in test.operand
    number = number_or_none(properties.get(test.property))
    if number is None:
        return False
    if test.operator == "lt":
        return bool(number < test.operand)
    if test.operator == "lte":
        return bool(number <= test.operand)
    if test.operator == "gt":
        return bool(number > test.operand)
    return bool(number >= test.operand)


def condition_holds(tests: list[Test], properties: dict[str, str]) -> bool:
    """Whether all tests hold; an empty condition always does."""
    return all(passes(test, properties) for test in tests)


class Reader:
    """Reads the fields of one object of a document and notes what is wrong with them."""

    def __init__(self, faults: Faults, document: dict[str, Any], path: str) -> None:
        self.faults = faults
        self.document = document
        self.path = path

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def given(self, key: str) -> bool:
        return self.document.get(key) is not None

    def fault(self, code: str, key: str) -> None:
        self.faults.add(code, self.at(key))

    def known(self, *fields: str) -> None:
        for key in self.document:
            if key not in fields:
                self.fault("field_unknown", key)

    def absent(self, key: str, required: bool) -> bool:
        if not self.given(key) and required:
            self.fault("field_missing", key)
        return not self.given(key)

    def number(self, key: str, *, required: bool = False, sign: str = "zero or more", whole: bool = False) -> Fraction | None:
        """A number; `sign` is "zero or more", "above zero" or "any"."""
        if self.absent(key, required):
            return None
        try:
            number = read_number(self.document[key])
        except Refused as refused:
            self.fault(refused.code, key)
            return None
        good = True
        if sign == "zero or more" and number < 0:
            self.fault("number_negative", key)
            good = False
        if sign == "above zero" and number <= 0:
            self.fault("number_not_positive", key)
            good = False
        if whole and number.denominator != 1:
            self.fault("number_not_whole", key)
            good = False
        return number if good else None

    def amount_given(self, key: str) -> bool:
        return self.given(key) or self.given(key + "_decimal")

    def amount(self, key: str, *, required: bool = False) -> Fraction | None:
        """An amount in its two spellings."""
        if not self.amount_given(key):
            self.absent(key, required)
            return None
        plain = self.number(key, whole=True)
        decimal = self.number(key + "_decimal")
        if decimal is not None and (decimal * 10**12).denominator != 1:
            self.fault("amount_too_precise", key + "_decimal")
            decimal = None
        if plain is not None and decimal is not None and plain != decimal:
            self.fault("fields_conflict", key + "_decimal")
        return plain if plain is not None else decimal

    def text(self, key: str, *, required: bool = False, longest: int = 500) -> str | None:
        if self.absent(key, required):
            return None
        value = self.document[key]
        if not isinstance(value, str):
            self.fault("field_invalid", key)
            return None
        wrong = text_fault(value, longest)
        if wrong is not None:
            self.fault(wrong, key)
            return None
        return value

    def property(self, key: str, *, required: bool = False) -> str | None:
        return self.text(key, required=required, longest=100)

    def boolean(self, key: str, default: bool) -> bool:
        if self.absent(key, required=False):
            return default
        value = self.document[key]
        if not isinstance(value, bool):
            self.fault("field_invalid", key)
            return default
        return value

    def choice(self, key: str, *choices: str, required: bool = False) -> str | None:
        if self.absent(key, required):
            return None
        value = self.document[key]
        if not isinstance(value, str) or value not in choices:
            self.fault("field_invalid", key)
            return None
        return value

    def object(self, key: str, *, required: bool = False) -> Reader | None:
        if self.absent(key, required):
            return None
        if not isinstance(self.document[key], dict):
            self.fault("not_an_object", key)
            return None
        return Reader(self.faults, self.document[key], self.at(key))

    def list(self, key: str, *, required: bool = False) -> list[tuple[str, Any]] | None:
        """The entries of a list with their paths."""
        if self.absent(key, required):
            return None
        value = self.document[key]
        if not isinstance(value, list) or len(value) > 1000:
            self.fault("field_invalid", key)
            return None
        if not value:
            self.fault("field_missing", key)
            return None
        return [(f"{self.at(key)}[{index}]", entry) for index, entry in enumerate(value)]

    def objects(self, key: str, *, required: bool = False) -> Iterator[Reader]:
        """The objects of a list; an entry that is none is noted and left out."""
        for path, entry in self.list(key, required=required) or []:
            if isinstance(entry, dict):
                yield Reader(self.faults, entry, path)
            else:
                self.faults.add("not_an_object", path)
