"""Labels of the shares that a model prices apart: each names its cell, and its line where there is a line per cell."""

from __future__ import annotations

from collections.abc import Iterable

from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal
from farthing.core.catalog.refusals import LABEL_REPEATED


def distinct(labels: Iterable[tuple[str, str]]) -> None:
    """Check (label, path) pairs. Errors: label_repeated, at the second use."""
    seen: set[str] = set()
    for label, path in labels:
        if label in seen:
            raise Refusal(LABEL_REPEATED, f"{shown(label)} is the label of an earlier one as well.", path)
        seen.add(label)
