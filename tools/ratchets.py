"""The ratchets: sizes, purity and honesty of the code, measured against the numbers in ratchets.toml.

python -m tools.ratchets            every violation, one a line; exit code 1 if there is one
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tools.purity import purity_violations
from tools.sources import ROOT, Source, Violation, python_sources
from tools.words import wording_violations

Function = ast.FunctionDef | ast.AsyncFunctionDef


def limits() -> dict[str, Any]:
    """The numbers of ratchets.toml."""
    return tomllib.loads((ROOT / "tools" / "ratchets.toml").read_text(encoding="utf-8"))


def violations(sources: Iterable[Source], numbers: Mapping[str, Any]) -> list[Violation]:
    """Every violation in these files that ratchets.toml does not allow by name."""
    files = list(sources)
    found = [*function_lengths(files, numbers["functions"]), *file_lengths(files, numbers["files"]), *module_sizes(files, numbers["modules"])]
    for source in files:
        found += purity_violations(source)
        found += wording_violations(source)
    allowed = numbers.get("allow", {})
    return [one for one in found if one.rule not in allowed.get(one.path, {})]


def function_lengths(files: Iterable[Source], numbers: Mapping[str, int]) -> Iterator[Violation]:
    """No function of the package over `max` lines, and nine of ten within `p90`."""
    sizes = [(_size(function), source, function) for source in files if source.inside("src") for function in _functions(source)]
    for size, source, function in sizes:
        if size > numbers["max"]:
            yield source.violation("function-length", function.lineno, f"{function.name} has {size} lines, more than {numbers['max']}")
    if sizes and (p90 := percentile([size for size, _, _ in sizes], 90)) > numbers["p90"]:
        yield Violation("function-p90", "src", 0, f"the 90th percentile of function lengths is {p90} lines, more than {numbers['p90']}")


def percentile(values: Iterable[int], percent: int) -> int:
    """The nearest-rank percentile: the smallest value that at least `percent` % of all values do not exceed."""
    ordered = sorted(values)
    return ordered[-(-len(ordered) * percent // 100) - 1]


def _functions(source: Source) -> Iterator[Function]:
    return (node for node in ast.walk(source.tree) if isinstance(node, Function))


def _size(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def file_lengths(files: Iterable[Source], numbers: Mapping[str, int]) -> Iterator[Violation]:
    """No file over its folder's limit; tools and benchmarks count as source."""
    for source in files:
        limit = numbers["tests" if source.inside("tests") else "src"]
        if source.lines > limit:
            yield source.violation("file-length", 1, f"{source.lines} lines, more than {limit}")


def sql_lengths(numbers: Mapping[str, int]) -> Iterator[Violation]:
    """The same for the package's SQL files."""
    for file in sorted((ROOT / "src").rglob("*.sql")):
        lines = len(file.read_text(encoding="utf-8").splitlines())
        if lines > numbers["sql"]:
            yield Violation("file-length", file.relative_to(ROOT).as_posix(), 1, f"{lines} lines, more than {numbers['sql']}")


def module_sizes(files: Iterable[Source], numbers: Mapping[str, Any]) -> Iterator[Violation]:
    """No module of the package that imports, offers or does too much."""
    for source in files:
        if source.inside("src") and source.path not in numbers["exempt"]:
            yield from _too_many(source, numbers)


def _too_many(source: Source, numbers: Mapping[str, Any]) -> Iterator[Violation]:
    counts = [
        ("imports", 1, "modules of farthing imported", len(imported(source.tree))),
        ("public_names", 1, "functions and classes offered", len(public(source.tree.body))),
    ]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef):
            counts.append(("public_methods", node.lineno, f"public methods of {node.name}", len(public(node.body))))
    for limit, line, what, count in counts:
        if count > numbers[limit]:
            yield source.violation(f"module-{limit.replace('_', '-')}", line, f"{count} {what}, more than {numbers[limit]}")


def imported(tree: ast.Module) -> set[str]:
    """The modules of farthing that a module imports from."""
    return {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("farthing.")}


def public(body: Iterable[ast.stmt]) -> list[str]:
    """The names of the functions and classes defined here that do not start with an underscore."""
    return [node.name for node in body if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_")]


def main() -> int:
    """Print every violation; 1 if there is one."""
    numbers = limits()
    found = [*violations(python_sources(), numbers), *sql_lengths(numbers["files"])]
    for one in sorted(found, key=lambda v: (v.path, v.line)):
        print(one)
    print(f"{len(found)} violations" if found else "ratchets hold")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
