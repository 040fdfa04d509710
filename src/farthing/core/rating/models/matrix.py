"""Cells chosen by one or more properties, each with a unit amount or tiers of its own.

Each cell names a value, or "*" for any, for every dimension. An event belongs to the first cell, in the order given, whose
values all equal its properties (compared as text); "*" also takes an event that lacks the property. The quantity of each cell
is measured over its events alone and priced by the cell; the charge is the sum of the cells.

- An event that no cell takes goes to `default`. Without one it is unmatched: in metering it is counted and listed, the
  calculator refuses it (`event_unmatched`).
- A cell that an earlier one covers in every dimension is refused (`rule_unreachable`), and so is a default behind a cell that
  has "*" in every dimension.
- A cell gives `unit_amount` or `tiers` with `tiers_mode` (`fields_conflict` at `tiers` if both, `field_missing` at `unit_amount` if
  none; `tiers_mode` is required with tiers and refused without).
- Negative quantity of a cell: a credit where the cell has a unit amount, refused (`quantity_negative`) where it has tiers.
- A flat amount of a first tier is due only when the cell's quantity is above zero: an unused cell costs nothing.
- No events: nothing is due but `ext.minimum`. A quantity alone cannot be rated (`events_needed`), except where all dimensions of the only cell
  are "*".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_MISSING, FIELD_UNKNOWN, FIELDS_CONFLICT, NOT_AN_OBJECT
from farthing.core.catalog.fields import Field, Reader
from farthing.core.catalog.price import TIER_FIELDS
from farthing.core.catalog.refusals import RULE_UNREACHABLE
from farthing.core.events.condition import Condition, TextTest
from farthing.core.events.fields import below, read_text, shown
from farthing.core.events.properties import PROPERTY_NAME_LONGEST, property_text
from farthing.core.rating.models.form import LINE_PER_CELL, Example, Lowered, Model, Schema, linear
from farthing.core.rating.models.labels import distinct
from farthing.core.rating.models.tiers import tier_curve, unit_and_flat
from farthing.core.rating.program import Cell, Curve

ANY = "*"
PRICING_FIELDS = (
    Field("unit_amount", "amount", "minor units for each unit of the cell's quantity"),
    Field("tiers", "list", "tiers over the cell's quantity, instead of a unit amount", fields=TIER_FIELDS),
    Field("tiers_mode", "choice", "how the tiers apply; required with tiers", choices=("graduated", "volume")),
)
DEFAULT_FIELDS = (Field("label", "text", "names the cell", default="default"), *PRICING_FIELDS)
CELL_FIELDS = (
    Field("match", "object", 'for each dimension the value that it must have, or "*" for any', required=True),
    Field("label", "text", "names the cell; no two alike", default='its values, joined by " / "'),
    *PRICING_FIELDS,
)
FIELDS = (
    Field("dimensions", "list", "names of the properties that choose the cell; no two alike", required=True),
    Field("cells", "list", "tried in order; the first that matches takes the event", required=True, fields=CELL_FIELDS),
    Field("default", "object", "the cell of all events that no other takes", fields=DEFAULT_FIELDS),
    LINE_PER_CELL,
)


@dataclass(frozen=True, slots=True)
class Matrix:
    """`cells` as (label, value or "*" of each dimension, curve), the default among them with "*" everywhere."""

    dimensions: tuple[str, ...]
    cells: tuple[tuple[str, tuple[str, ...], Curve], ...]
    line_per_cell: bool


def read(matrix: Reader) -> Matrix:
    """Read `ext.matrix`."""
    places = matrix.entries("dimensions")
    dimensions = tuple(read_text(name, place, PROPERTY_NAME_LONGEST) for place, name in places)
    distinct((name, place) for name, (place, _) in zip(dimensions, places, strict=True))
    cells: list[tuple[str, tuple[str, ...], Curve]] = []
    labels: list[tuple[str, str]] = []
    for row in matrix.objects("cells", CELL_FIELDS):
        values = _values(row, dimensions)
        _reachable(values, cells, row.path)
        cells.append((row.text("label", " / ".join(values)), values, _curve(row)))
        labels.append((cells[-1][0], row.at("label")))
    if matrix.has("default"):
        row, values = matrix.open("default", DEFAULT_FIELDS), (ANY,) * len(dimensions)
        _reachable(values, cells, row.path)
        cells.append((row.text("label", "default"), values, _curve(row)))
        labels.append((cells[-1][0], row.at("label")))
    distinct(labels)
    return Matrix(dimensions, tuple(cells), matrix.flag("line_per_cell"))


def _values(row: Reader, dimensions: tuple[str, ...]) -> tuple[str, ...]:
    match, path = row.need("match"), row.at("match")
    if not isinstance(match, Mapping):
        raise Refusal(NOT_AN_OBJECT, "match is an object from dimensions to values.", path)
    for name in match:
        if name not in dimensions:
            raise Refusal(FIELD_UNKNOWN, f"{shown(name)} is not one of the dimensions.", below(path, str(name)))
    for name in dimensions:
        if match.get(name) is None:
            raise Refusal(FIELD_MISSING, f'the dimension {shown(name)} has no value; write "*" for any.', below(path, name))
    return tuple(property_text(match[name], below(path, name)) for name in dimensions)


def _reachable(values: tuple[str, ...], before: list[tuple[str, tuple[str, ...], Curve]], path: str) -> None:
    for label, earlier, _ in before:
        if all(mine == theirs or theirs == ANY for mine, theirs in zip(values, earlier, strict=True)):
            raise Refusal(RULE_UNREACHABLE, f"the cell {shown(label)} takes all of its events.", path)


def _curve(row: Reader) -> Curve:
    unit = row.amount_or_none("unit_amount")
    if unit is not None and row.has("tiers"):
        raise Refusal(FIELDS_CONFLICT, "a cell has a unit amount or tiers, not both.", row.at("tiers"))
    if unit is not None:
        if row.has("tiers_mode"):
            raise Refusal(FIELDS_CONFLICT, "a cell with a unit amount has no tiers.", row.at("tiers_mode"))
        return linear(unit)
    if not row.has("tiers"):
        raise Refusal(FIELD_MISSING, "the cell has neither a unit amount nor tiers.", row.at("unit_amount"))
    mode = row.choice("tiers_mode", ("graduated", "volume"))
    return tier_curve(mode, unit_and_flat(row, TIER_FIELDS), flat_at_zero=False)


def lower(params: Matrix, _currency: str) -> Lowered:
    """A cell of the form for each cell of the matrix; "*" is no test."""
    cells = []
    for label, values, curve in params.cells:
        pairs = zip(params.dimensions, values, strict=True)
        when = Condition(tuple(TextTest(name, "in", (value,)) for name, value in pairs if value != ANY))
        cells.append(Cell(label, curve=curve, when=when))
    return Lowered(tuple(cells), params.line_per_cell)


SCHEMA = Schema(
    "matrix",
    __doc__ or "",
    FIELDS,
    (
        Example(
            "hours of machines: 10 large in eu at 12 cents, 4 small anywhere at 3, 2 of anything else at 5",
            {
                "currency": "eur",
                "ext": {
                    "matrix": {
                        "dimensions": ["region", "size"],
                        "cells": [
                            {"match": {"region": "eu", "size": "large"}, "unit_amount": 12},
                            {"match": {"region": "*", "size": "small"}, "unit_amount_decimal": "3"},
                        ],
                        "default": {"unit_amount": 5},
                    }
                },
            },
            {
                "events": [
                    {"value": 10, "region": "eu", "size": "large"},
                    {"value": 4, "region": "us", "size": "small"},
                    {"value": 2, "region": "us", "size": "large"},
                ]
            },
            142,
            "142",
        ),
    ),
)
MODEL = Model(SCHEMA, read, lower, excludes=frozenset({"allowance", "flat_at_zero"}))
