"""The registry of modifiers, in the order in which they are applied to a compiled price.

Each step put first stands before those put first earlier; so the allowance is registered before the conversion, and the
conversion runs before the allowance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farthing.core.rating.modifiers import accumulate, allowance, conversion, flat_at_zero, maximum, minimum, rounding
from farthing.core.rating.modifiers.form import Modifier

_REGISTERED: tuple[Modifier[Any], ...] = (
    allowance.MODIFIER,
    conversion.MODIFIER,
    flat_at_zero.MODIFIER,
    minimum.MODIFIER,
    maximum.MODIFIER,
    rounding.MODIFIER,
    accumulate.MODIFIER,
)

MODIFIERS: Mapping[str, Modifier[Any]] = {modifier.name: modifier for modifier in _REGISTERED}
