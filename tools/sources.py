"""The source files that the tools look at, read and parsed once."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("src", "tests", "tools", "benchmarks")


@dataclass(frozen=True)
class Violation:
    """One broken rule, at one place."""

    rule: str
    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message} [{self.rule}]"


@dataclass(frozen=True)
class Source:
    """One Python file: its path below the root, with slashes, and its text."""

    path: str
    text: str = field(repr=False)

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=self.path)

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    @cached_property
    def comments(self) -> tuple[tuple[int, str], ...]:
        """Every comment with its line number."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return tuple((token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT)

    def inside(self, *folders: str) -> bool:
        """Whether the file lies in one of these folders (`src/farthing/core`)."""
        return any(self.path.startswith(folder.rstrip("/") + "/") for folder in folders)

    def violation(self, rule: str, line: int, message: str) -> Violation:
        return Violation(rule, self.path, line, message)


def python_sources(root: Path = ROOT) -> Iterator[Source]:
    """Every Python file of ours, in order of path."""
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*.py")):
            if "__pycache__" not in file.parts:
                yield Source(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))
