"""Whether the first tier's flat amount is due at quantity zero: `true` (the default) or `false`.

It is a JSON boolean, not an object. It applies to the models that have such an amount: flat, graduated, volume, stairstep,
graduated_percentage. With `false` that amount is due only when the quantity that is priced is above zero.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_INVALID
from farthing.core.catalog.fields import Field
from farthing.core.rating.models.form import Example, Schema
from farthing.core.rating.modifiers.form import Compiled, Modifier, with_cells


def read(raw: Any, path: str) -> bool:
    """Read `ext.flat_at_zero`."""
    if not isinstance(raw, bool):
        raise Refusal(FIELD_INVALID, "flat_at_zero is true or false.", path)
    return raw


def apply(due: bool, compiled: Compiled, _path: str) -> Compiled:
    """Set it on every curve."""
    return with_cells(compiled, lambda cell: cell if cell.curve is None else replace(cell, curve=replace(cell.curve, flat_at_zero=due)))


SCHEMA = Schema(
    "flat_at_zero",
    __doc__ or "",
    (Field("flat_at_zero", "boolean", "whether the first flat amount is due at zero", default="true"),),
    (
        Example(
            "a base fee of 49.00 EUR that is due only with usage, without usage",
            {"currency": "eur", "ext": {"flat": {"amount": 4900}, "flat_at_zero": False}},
            {"quantity": 0},
            0,
            "0",
        ),
    ),
)
MODIFIER = Modifier(SCHEMA, read, apply)
