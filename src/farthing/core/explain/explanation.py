"""The explanation of a line: a tree of steps, each with its words, its arithmetic and its exact figures; as text and as a document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from farthing.core.base.exact import show

Figure = str | int | None
"""An exact number as text, a count, a name, or None where there is none."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way to an amount, and the steps that it came from.

    `kind` is a stable name for programs. `label` says in words what the step is; `statement` is its arithmetic, "result = expression",
    by the grammar of docs/explanations.md, or only the result where nothing was computed; `note` adds words. Names from outside stand
    in double quotes in label and note, never in a statement. `figures` are the same numbers, exact and without separators.
    """

    kind: str
    label: str
    statement: str = ""
    note: str = ""
    figures: tuple[tuple[str, Figure], ...] = ()
    because: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """A whole line explained: what it comes to, and the steps that make it so."""

    headline: str
    steps: tuple[Step, ...]


def as_text(explanation: Explanation) -> str:
    """Lines of plain text: the headline, then each step, indented below what it explains; it ends without a line break."""
    rows = [f"{'  ' * depth}← {_words(step)}" for top in explanation.steps for depth, step in _walk(top, 1)]
    return "\n".join([explanation.headline, *rows])


def as_document(explanation: Explanation) -> dict[str, Any]:
    """The explanation as a canonical document: {"headline", "steps": [{"kind", "label", "statement", "note", "figures", "because"}]}."""
    return {"headline": explanation.headline, "steps": [_document(step) for step in explanation.steps]}


def figures(**named: Fraction | Figure) -> tuple[tuple[str, Figure], ...]:
    """Named figures; fractions are written exactly."""
    return tuple((name, show(value) if isinstance(value, Fraction) else value) for name, value in named.items())


def _walk(step: Step, depth: int) -> Iterator[tuple[int, Step]]:
    yield depth, step
    for part in step.because:
        yield from _walk(part, depth + 1)


def _words(step: Step) -> str:
    if not step.statement:
        return f"{step.label}: {step.note}"
    return f"{step.label}: {step.statement}" + (f"; {step.note}" if step.note else "")


def _document(step: Step) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "label": step.label,
        "statement": step.statement,
        "note": step.note,
        "figures": dict(step.figures),
        "because": [_document(part) for part in step.because],
    }
