"""What a pricing model is: a schema, a strict reader of its parameters, and a lowering to cells of the intermediate form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Generic, TypeVar

from farthing.core.base.currency import minor_decimals
from farthing.core.catalog.fields import Field, Reader
from farthing.core.rating.program import Cell, Curve, Segment

P = TypeVar("P")
ZERO = Fraction(0)

VALUE_IN = Field(
    "value_in", "choice", "whether the measured money is in minor units (cents) or major units (dollars)", default="minor", choices=("minor", "major")
)
LINE_PER_CELL = Field("line_per_cell", "boolean", "make each rule, cell or band a line of its own, rounded apart", default="false")


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: the calculator's input beside the price (`{"quantity": …}` or `{"events": […]}`), and what it comes to."""

    title: str
    price: Mapping[str, Any]
    usage: Mapping[str, Any]
    amount: int
    amount_exact: str


@dataclass(frozen=True, slots=True)
class Schema:
    """What readers and machines are told of a model or modifier. `rule` is the module's docstring: rule and boundary decisions."""

    name: str
    rule: str
    fields: tuple[Field, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Lowered:
    """What a model lowers to: cells, whether each is a line of its own, and a maximum that the model itself puts on the line."""

    cells: tuple[Cell, ...]
    line_per_cell: bool = False
    maximum: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Model(Generic[P]):
    """One pricing model. `native` models are named by the wire's own fields, the others by `ext.<name>`, whose object `read` gets
    (a native model's `read` gets the whole document). `excludes` names the modifiers that have no meaning on it."""

    schema: Schema
    read: Callable[[Reader], P]
    lower: Callable[[P, str], Lowered]  # parameters and the currency
    native: bool = False
    excludes: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The model's name, which is its key in `ext` unless it is native."""
        return self.schema.name


def minor_factor(value_in: str, currency: str) -> Fraction:
    """By what a measured sum of money is multiplied to be in minor units."""
    return Fraction(10 ** minor_decimals(currency)) if value_in == "major" else Fraction(1)


def linear(unit: Fraction) -> Curve:
    """The curve of a plain unit amount: proportional to the quantity, also below zero."""
    return Curve("graduated", (Segment(None, unit),), linear_below_zero=True)
