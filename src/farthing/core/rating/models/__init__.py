"""The registry of pricing models: one line each. A model is one file; docs and API schema are generated from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farthing.core.rating.models import (
    cost,
    flat,
    graduated,
    graduated_percentage,
    matrix,
    package,
    per_unit,
    percentage,
    rate_card,
    stairstep,
    time_of_use,
    volume,
)
from farthing.core.rating.models.form import Model

_REGISTERED: tuple[Model[Any], ...] = (
    per_unit.MODEL,
    flat.MODEL,
    graduated.MODEL,
    volume.MODEL,
    package.MODEL,
    stairstep.MODEL,
    percentage.MODEL,
    graduated_percentage.MODEL,
    rate_card.MODEL,
    cost.MODEL,
    matrix.MODEL,
    time_of_use.MODEL,
)

MODELS: Mapping[str, Model[Any]] = {model.name: model for model in _REGISTERED}
