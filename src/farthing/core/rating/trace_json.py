"""The trace as a canonical JSON document, and back: what is stored with every line, shown, digested and explained.

Quantities and amounts are exact text (`show`), counts and places are ints. docs/pricing.md describes every field.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from farthing.core.base.exact import read_shown, show
from farthing.core.base.rounding import RoundingMode
from farthing.core.rating.program import Include, RoundUnits, Scale, Step
from farthing.core.rating.trace import CellTrace, ComponentTrace, FeesTrace, Rated, SegmentTrace, StepTrace
from farthing.core.usage.meter import Aggregation, Usage


def rated_document(rated: Rated) -> dict[str, Any]:
    """The document of a rated line; `read_rated` makes an equal line of it."""
    return {
        "label": rated.label,
        "currency": rated.currency,
        "cells": [_cell(cell) for cell in rated.cells],
        "subtotal": show(rated.subtotal),
        "bound": rated.bound,
        "exact": show(rated.exact),
        "rounding": rated.rounding.value,
        "amount": str(rated.amount),
        "unmatched": rated.unmatched,
    }


def read_rated(document: Mapping[str, Any]) -> Rated:
    """The rated line of a document that `rated_document` wrote. Not for input from outside."""
    return Rated(
        label=document["label"],
        currency=document["currency"],
        cells=tuple(_read_cell(cell) for cell in document["cells"]),
        subtotal=read_shown(document["subtotal"]),
        bound=document["bound"],
        exact=read_shown(document["exact"]),
        rounding=RoundingMode(document["rounding"]),
        amount=int(document["amount"]),
        unmatched=document["unmatched"],
    )


def usage_document(usage: Usage) -> dict[str, Any]:
    """The document of what a meter measured."""
    return {
        "aggregation": usage.aggregation.value,
        "quantity": show(usage.quantity),
        "events": usage.events,
        "set_aside": usage.set_aside,
        "first": usage.first,
        "last": usage.last,
        "details": [[name, show(figure)] for name, figure in usage.details],
    }


def read_usage(document: Mapping[str, Any]) -> Usage:
    """The inverse of `usage_document`."""
    return Usage(
        aggregation=Aggregation(document["aggregation"]),
        quantity=read_shown(document["quantity"]),
        events=document["events"],
        set_aside=document["set_aside"],
        first=document["first"],
        last=document["last"],
        details=tuple((name, read_shown(figure)) for name, figure in document["details"]),
    )


def _cell(cell: CellTrace) -> dict[str, Any]:
    return {
        "label": cell.label,
        "usage": usage_document(cell.usage),
        "steps": [{**_step(done.step), "before": show(done.before), "after": show(done.after)} for done in cell.steps],
        "segments": [_segment(segment) for segment in cell.segments],
        "fees": None if cell.fees is None else _fees(cell.fees),
        "exact": show(cell.exact),
    }


def _read_cell(document: Mapping[str, Any]) -> CellTrace:
    steps = document["steps"]
    return CellTrace(
        label=document["label"],
        usage=read_usage(document["usage"]),
        steps=tuple(StepTrace(_read_step(step), read_shown(step["before"]), read_shown(step["after"])) for step in steps),
        segments=tuple(_read_segment(segment) for segment in document["segments"]),
        fees=None if document["fees"] is None else _read_fees(document["fees"]),
        exact=read_shown(document["exact"]),
    )


def _step(step: Step) -> dict[str, Any]:
    match step:
        case Scale(factor):
            return {"step": "scale", "factor": show(factor)}
        case RoundUnits(mode):
            return {"step": "round_units", "mode": mode.value}
        case Include(units):
            return {"step": "include", "units": show(units)}


def _read_step(document: Mapping[str, Any]) -> Step:
    match document["step"]:
        case "scale":
            return Scale(read_shown(document["factor"]))
        case "round_units":
            return RoundUnits(RoundingMode(document["mode"]))
        case "include":
            return Include(read_shown(document["units"]))
    raise ValueError(f"{document['step']!r} is no step of a trace")


def _segment(segment: SegmentTrace) -> dict[str, Any]:
    return {
        "index": segment.index,
        "lower": show(segment.lower),
        "upper": None if segment.upper is None else show(segment.upper),
        "units": show(segment.units),
        "unit": show(segment.unit),
        "flat": show(segment.flat),
        "amount": show(segment.amount),
    }


def _read_segment(document: Mapping[str, Any]) -> SegmentTrace:
    upper = document["upper"]
    return SegmentTrace(
        index=document["index"],
        lower=read_shown(document["lower"]),
        upper=None if upper is None else read_shown(upper),
        units=read_shown(document["units"]),
        unit=read_shown(document["unit"]),
        flat=read_shown(document["flat"]),
        amount=read_shown(document["amount"]),
    )


_FEE_FIGURES = ("raised", "capped", "rounded", "total")


_COMPONENT_FIGURES = ("base", "amount", "rate", "fixed")


def _fees(fees: FeesTrace) -> dict[str, Any]:
    components = [
        {"label": part.label, "events": part.events, "of": part.of, **{name: show(getattr(part, name)) for name in _COMPONENT_FIGURES}}
        for part in fees.components
    ]
    figures: dict[str, Fraction] = {name: getattr(fees, name) for name in _FEE_FIGURES}
    return {"events": fees.events, "free": fees.free, "components": components, **{name: show(figure) for name, figure in figures.items()}}


def _read_fees(document: Mapping[str, Any]) -> FeesTrace:
    components = tuple(
        ComponentTrace(part["label"], part["events"], of=part["of"], **{name: read_shown(part[name]) for name in _COMPONENT_FIGURES})
        for part in document["components"]
    )
    figures = {name: read_shown(document[name]) for name in _FEE_FIGURES}
    return FeesTrace(document["events"], document["free"], components, **figures)
