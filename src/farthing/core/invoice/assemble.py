"""Lines → documents: which lines stand on one bill, and the sums of a bill from its lines."""

from __future__ import annotations

from collections.abc import Iterable

from farthing.core.invoice.invoice import Line


def split_corrections(lines: Iterable[Line]) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """Charges, and corrections, each in their order."""
    every = tuple(lines)
    return tuple(line for line in every if line.kind == "charge"), tuple(line for line in every if line.kind == "correction")


def corrected_documents(lines: Iterable[Line]) -> tuple[str, ...]:
    """The documents that lines correct, each once, in order of their numbers."""
    return tuple(sorted({line.corrects for line in lines if line.corrects is not None}))
