"""Conditions on an event's properties: what meters filter by and rate cards choose by. All tests of a condition must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from farthing.core.base.exact import parse_number
from farthing.core.base.refusal import Refusal

TextOperator = Literal["in", "not_in", "exists", "absent"]
NumberOperator = Literal["lt", "lte", "gt", "gte"]


@dataclass(frozen=True, slots=True)
class TextTest:
    """Compare a property as text. `in` needs the property to be present; `not_in` holds for an absent one."""

    property: str
    operator: TextOperator
    values: tuple[str, ...] = ()

    def holds(self, properties: Mapping[str, str]) -> bool:
        """Whether the properties pass."""
        value = properties.get(self.property)
        match self.operator:
            case "in":
                return value is not None and value in self.values
            case "not_in":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "absent":
                return value is None


@dataclass(frozen=True, slots=True)
class NumberTest:
    """Compare a property as an exact number with a bound. An absent property, or one that is no number, does not pass."""

    property: str
    operator: NumberOperator
    bound: Fraction

    def holds(self, properties: Mapping[str, str]) -> bool:
        """Whether the properties pass."""
        number = number_property(properties, self.property)
        if number is None:
            return False
        match self.operator:
            case "lt":
                return number < self.bound
            case "lte":
                return number <= self.bound
            case "gt":
                return number > self.bound
            case "gte":
                return number >= self.bound


Test = TextTest | NumberTest


@dataclass(frozen=True, slots=True)
class Condition:
    """Tests that must all hold; none at all always holds."""

    tests: tuple[Test, ...] = ()

    def holds(self, properties: Mapping[str, str]) -> bool:
        """Whether every test holds."""
        return all(test.holds(properties) for test in self.tests)


ALWAYS = Condition()


def number_property(properties: Mapping[str, str], name: str) -> Fraction | None:
    """The exact number in a property; None when it is absent or not a number within the bounds of `parse_number`."""
    raw = properties.get(name)
    if raw is None:
        return None
    try:
        return parse_number(raw)
    except Refusal:
        return None
