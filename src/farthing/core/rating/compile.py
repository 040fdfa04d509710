"""A price document → a program ready to rate: the model it names is read and lowered, then its modifiers are applied.

document ─► parse ─► model ─► read ─► lower ─► cells ─► modifiers ─► guard ─► Compiled
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_UNKNOWN, FIELDS_CONFLICT, NOT_AN_OBJECT
from farthing.core.base.rounding import RoundingMode
from farthing.core.catalog.fields import Reader
from farthing.core.catalog.price import Price, parse_price
from farthing.core.catalog.refusals import MODELS_CONFLICT, MODIFIER_NOT_APPLICABLE
from farthing.core.events.fields import below, shown
from farthing.core.rating.models import MODELS
from farthing.core.rating.models.form import Model
from farthing.core.rating.modifiers import MODIFIERS
from farthing.core.rating.modifiers.form import Compiled, with_cells
from farthing.core.rating.program import Cell, Include, Program, RoundUnits

__all__ = ["Compiled", "compile_price"]

_TIERED_FIELDS = ("tiers", "tiers_mode")
_PER_UNIT_FIELDS = ("unit_amount", "unit_amount_decimal", "transform_quantity")


def compile_price(price: Price | Mapping[str, Any]) -> Compiled:
    """Compile a price, given as read or as its document.

    Errors: every refusal of price documents, its `field` a dotted path into the document (`ext.package.size`).
    """
    known = price if isinstance(price, Price) else parse_price(price)
    document = known.reader()
    ext = _ext(document)
    model, part = _model(document, ext)
    lowered = model.lower(model.read(part), known.currency)
    program = Program(known.currency, lowered.cells, maximum=lowered.maximum, line_per_cell=lowered.line_per_cell)
    compiled = Compiled(program, model.name)
    for name, modifier in MODIFIERS.items():
        if not ext.has(name):
            continue
        if name in model.excludes:
            raise Refusal(MODIFIER_NOT_APPLICABLE, f"{name} has no meaning on a price of model {model.name}.", ext.at(name))
        compiled = modifier.apply(modifier.read(ext.get(name), ext.at(name)), compiled, ext.at(name))
    return with_cells(compiled, _guarded)


def _ext(document: Reader) -> Reader:
    raw = document.get("ext")
    if raw is None:
        return Reader({}, "ext")
    if not isinstance(raw, Mapping):
        raise Refusal(NOT_AN_OBJECT, "ext is an object.", "ext")
    for name in raw:
        if name not in MODIFIERS and (name not in MODELS or MODELS[name].native):
            raise Refusal(FIELD_UNKNOWN, f"{shown(name)} is neither a model nor a modifier.", below("ext", str(name)[:100]))
    return Reader(raw, "ext")


def _model(document: Reader, ext: Reader) -> tuple[Model[Any], Reader]:
    """The one model that the document names, and the object that holds its parameters."""
    named = [name for name in ext.values if name in MODELS and ext.has(name)]
    if len(named) > 1:
        raise Refusal(MODELS_CONFLICT, f"ext names the models {' and '.join(named)}.", ext.at(named[1]))
    scheme = document.choice("billing_scheme", ("per_unit", "tiered"), "tiered" if document.has("tiers") else "per_unit")
    if not named:
        return MODELS[_native(document, scheme)], document
    for name in (*_PER_UNIT_FIELDS, *_TIERED_FIELDS):
        if document.has(name):
            raise Refusal(MODELS_CONFLICT, f"{name} belongs to another model than ext.{named[0]}.", name)
    if scheme == "tiered":
        raise Refusal(MODELS_CONFLICT, f"billing_scheme names another model than ext.{named[0]}.", "billing_scheme")
    model = MODELS[named[0]]
    return model, ext.open(model.name, model.schema.fields)


def _native(document: Reader, scheme: str) -> str:
    """The native model of a billing scheme; fields of the other scheme are refused."""
    for name in _PER_UNIT_FIELDS if scheme == "tiered" else _TIERED_FIELDS:
        if document.has(name):
            raise Refusal(FIELDS_CONFLICT, f"{name} has no meaning with billing_scheme {scheme}.", name)
    return document.choice("tiers_mode", ("graduated", "volume")) if scheme == "tiered" else "per_unit"


def _guarded(cell: Cell) -> Cell:
    """Rounding up must not hide a negative quantity from a price that refuses it: -1 unit would become 0 blocks, and nothing due.

    An allowance of zero units in front refuses it before it is rounded. Prices that credit negative quantities stay as they are.
    """
    includes = [i for i, step in enumerate(cell.steps) if isinstance(step, Include)]
    credits = cell.curve is not None and cell.curve.linear_below_zero and not includes
    before = cell.steps[: includes[0]] if includes else cell.steps
    hidden = any(isinstance(step, RoundUnits) and step.mode is RoundingMode.UP for step in before)
    return replace(cell, steps=(Include(Fraction(0)), *cell.steps)) if hidden and not credits else cell
