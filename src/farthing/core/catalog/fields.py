"""Reading documents strictly: every field is declared once, read exactly, and refused with its place.

A `Field` says what a field is; from the same declarations come the check for unknown fields, the page docs/pricing.md and the
API schema. A `Reader` is one object of a document together with its place in it. A field that is null counts as absent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from farthing.core.base.exact import not_negative, parse_number, positive, show, whole
from farthing.core.base.json_value import NumberText
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_MISSING, FIELDS_CONFLICT
from farthing.core.catalog.refusals import AMOUNT_TOO_PRECISE
from farthing.core.events.fields import below, read_choice, read_flag, read_list, read_object, read_storable, read_text, required
from farthing.core.events.properties import PROPERTY_NAME_LONGEST
from farthing.core.events.refusals import JSON_MALFORMED

AMOUNT_DECIMALS = 12
TEXT_LONGEST = 500
ENTRIES_MOST = 1000
DEEPEST = 32

FieldType = Literal["amount", "number", "whole", "percent", "text", "property", "boolean", "choice", "object", "list", "condition", "any"]


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field. An "amount" named `x` stands for two spellings, `x` in whole minor units and `x_decimal`.

    `fields` are those of an object, or of each entry of a list. `default` is what an absent field means, as shown to readers.
    """

    name: str
    type: FieldType
    meaning: str
    required: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """The names by which a document may give the field."""
        return (self.name, f"{self.name}_decimal") if self.type == "amount" else (self.name,)


@dataclass(frozen=True, slots=True)
class Reader:
    """An object of a document, all of whose keys are declared. `path` is its place ("" for the whole document)."""

    values: Mapping[str, Any]
    path: str = ""

    @classmethod
    def of(cls, raw: object, path: str, fields: Sequence[Field]) -> Reader:
        """Open an object. Errors: not_an_object, field_unknown."""
        known = [spelling for field in fields for spelling in field.spellings]
        return cls(read_object(raw, path or None, known), path)

    def at(self, name: str) -> str:
        """The dotted path of one of its fields."""
        return below(self.path, name)

    def has(self, name: str) -> bool:
        """Whether the field is given and not null."""
        return self.values.get(name) is not None

    def get(self, name: str) -> Any:
        """The raw value; None when absent or null."""
        return self.values.get(name)

    def need(self, name: str) -> Any:
        """The raw value. Errors: field_missing."""
        return required(self.values, name, self.path)

    def number(self, name: str, default: Fraction | None = None) -> Fraction:
        """An exact number of zero or more; without a default the field is required."""
        if default is not None and not self.has(name):
            return default
        return not_negative(parse_number(self.need(name), self.at(name)), self.at(name))

    def above_zero(self, name: str) -> Fraction:
        """A required exact number above zero."""
        return positive(parse_number(self.need(name), self.at(name)), self.at(name))

    def whole(self, name: str, default: int | None = None) -> int:
        """A whole number of zero or more; without a default the field is required."""
        return whole(self.number(name, None if default is None else Fraction(default)), self.at(name))

    def share(self, name: str) -> Fraction:
        """A required percentage as a plain factor: "1.5" is 3/200."""
        return self.number(name) / 100

    def amount_or_none(self, name: str) -> Fraction | None:
        """An amount of zero or more in minor units, from `name` (whole) or `name_decimal` (at most 12 decimals).

        Both may be given only if they are equal, as the wire's own documents have them.
        Errors: fields_conflict, number_not_whole, amount_too_precise, number_negative, and those of parse_number.
        """
        exact = f"{name}_decimal"
        found: list[Fraction] = []
        if self.has(name):
            found.append(Fraction(self.whole(name)))
        if self.has(exact):
            value = self.number(exact)
            if (value * 10**AMOUNT_DECIMALS).denominator != 1:
                raise Refusal(AMOUNT_TOO_PRECISE, f"{show(value)} has more than {AMOUNT_DECIMALS} decimals.", self.at(exact))
            found.append(value)
        if len(found) == 2 and found[0] != found[1]:
            raise Refusal(FIELDS_CONFLICT, f"{name} says {show(found[0])}, {exact} says {show(found[1])}.", self.at(exact))
        return found[0] if found else None

    def amount(self, name: str, default: Fraction | None = None) -> Fraction:
        """As `amount_or_none`; without a default one of the two spellings is required (field_missing names the whole one)."""
        value = self.amount_or_none(name)
        if value is None and default is None:
            raise Refusal(FIELD_MISSING, f"neither {name} nor {name}_decimal is given.", self.at(name))
        return value if value is not None else (default or Fraction(0))

    def text(self, name: str, default: str | None = None, longest: int = TEXT_LONGEST) -> str:
        """A text that is not empty; without a default the field is required."""
        return default if default is not None and not self.has(name) else read_text(self.need(name), self.at(name), longest)

    def property_name(self, name: str, default: str | None = None) -> str:
        """The name of a property of events; without a default the field is required."""
        return self.text(name, default, PROPERTY_NAME_LONGEST)

    def flag(self, name: str) -> bool:
        """A JSON boolean, false when absent. Errors: field_invalid."""
        return self.has(name) and read_flag(self.get(name), self.at(name))

    def choice(self, name: str, choices: Sequence[str], default: str | None = None) -> str:
        """One of the given texts; without a default the field is required. Errors: field_missing, field_invalid."""
        return default if default is not None and not self.has(name) else read_choice(self.need(name), self.at(name), choices)

    def open(self, name: str, fields: Sequence[Field]) -> Reader:
        """A required object among the fields."""
        return Reader.of(self.need(name), self.at(name), fields)

    def entries(self, name: str) -> tuple[tuple[str, Any], ...]:
        """The entries of a required list that is not empty, each with its path. Errors: field_missing, field_invalid."""
        entries = read_list(self.need(name), self.at(name), ENTRIES_MOST)
        return tuple((f"{self.at(name)}[{i}]", entry) for i, entry in enumerate(entries))

    def objects(self, name: str, fields: Sequence[Field]) -> tuple[Reader, ...]:
        """The entries of a required list of objects."""
        return tuple(Reader.of(entry, path, fields) for path, entry in self.entries(name))


def canonical(raw: object, place: str | None = None, depth: int = 0) -> Any:
    """The document with every number that is not an int as exact decimal text, so that it has a canonical form and a digest.
    Readers of this document still tell such a number from text (NumberText), so that a bare 1.5 is no label.

    Errors: number_malformed (a binary float), number_not_finite, number_too_large, text_not_storable, json_malformed.
    """
    if depth > DEEPEST:
        raise Refusal(JSON_MALFORMED, f"the document nests deeper than {DEEPEST} levels.", place)
    match raw:
        case None | bool():
            return raw
        case str():
            return read_storable(raw, place)
        case int():
            parse_number(raw, place)
            return raw
        case Mapping():
            return {read_storable(str(name), place): canonical(value, below(place, str(name)), depth + 1) for name, value in raw.items()}
        case list() | tuple():
            return [canonical(value, f"{place or ''}[{i}]", depth + 1) for i, value in enumerate(raw)]
    return NumberText(show(parse_number(raw, place)))
