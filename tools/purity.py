"""What core, kernel and app may not contain: floats, clocks, chance, input and output, and imports from outside.

`/` is allowed: on fractions it is exact, and `mypy --strict` reports where the float of two ints would go into a Fraction or an int.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

from tools.sources import Source, Violation

CORE, KERNEL, APP = "src/farthing/core", "src/farthing/kernel", "src/farthing/app"

FLOAT_NAMES = {"float", "complex"}
FLOAT_ATTRIBUTES = {"float16", "float32", "float64", "halffloat", "double"}
FLOAT_CALLS = {"timestamp": "use farthing.core.base.time", "total_seconds": "divide by a timedelta"}
"""Methods of datetimes and durations that give a float, and what to do instead."""
MATH = {"gcd", "lcm", "isqrt", "prod", "comb", "perm", "factorial"}
"""What of `math` computes in integers."""

CLOCK_CALLS = {"now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp"}
CHANCE_OR_CLOCK_MODULES = {"time", "random", "secrets", "uuid"}
IO_MODULES = {
    *("asyncio", "builtins", "concurrent", "ctypes", "fileinput", "getpass", "glob", "http", "io", "logging", "mmap", "multiprocessing", "os"),
    *("pathlib", "pickle", "platform", "queue", "select", "shelve", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "sys"),
    *("tempfile", "threading", "urllib", "warnings"),
}
IO_CALLS = {"open", "print", "input", "eval", "exec", "compile", "breakpoint", "__import__"}

OUTSIDE = {CORE: set[str](), KERNEL: {"pyarrow", "duckdb"}, APP: {"pyarrow"}}
"""Folder → the packages from elsewhere that it may import, besides the standard library."""

SQL = re.compile(
    r"\s*(select\b.+\bfrom|insert\s+into|update\b.+\bset|delete\s+from|with\b.+\bas\s*\(|copy\b.+\b(from|to)|(create|drop|alter|truncate)\s+table)\b",
    re.IGNORECASE | re.DOTALL,
)


def purity_violations(source: Source) -> Iterator[Violation]:
    """Every impurity in a file of core, kernel or app; nothing for other files."""
    if source.inside(CORE, KERNEL):
        yield from floats(source)
    if source.inside(CORE, KERNEL, APP):
        yield from clocks_and_chance(source)
        yield from input_and_output(source)
        yield from outside_imports(source)
    if source.inside(APP, CORE):
        yield from sql_text(source)


def floats(source: Source) -> Iterator[Violation]:
    """Float literals, the type float in any place, calls that give floats, and bare round()."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Constant(value=float() | complex()):
                yield source.violation("float", node.lineno, f"{node.value!r} is a float")
            case ast.Name(id=name) if name in FLOAT_NAMES:
                yield source.violation("float", node.lineno, f"{name} stands here")
            case ast.Attribute(attr=name) if name in FLOAT_ATTRIBUTES:
                yield source.violation("float", node.lineno, f".{name} is a float type")
            case ast.Call(func=ast.Attribute(attr=name)) if name in FLOAT_CALLS:
                yield source.violation("float", node.lineno, f".{name}() gives a float; {FLOAT_CALLS[name]}")
            case ast.Attribute(value=ast.Name(id="math"), attr=name) if name not in MATH:
                yield source.violation("float", node.lineno, f"math.{name} computes in floats")
            case ast.ImportFrom(module="math", names=names):
                yield from (source.violation("float", node.lineno, f"math.{one.name} computes in floats") for one in names if one.name not in MATH)
            case ast.Call(func=ast.Name(id="round")):
                yield source.violation("bare-round", node.lineno, "round() rounds half to even without saying so; use farthing.core.base.rounding")
            case ast.arg(annotation=ast.Constant(value=str(text))) | ast.AnnAssign(annotation=ast.Constant(value=str(text))) if "float" in text:
                yield source.violation("float", node.lineno, f"the annotation {text!r} names float")


def clocks_and_chance(source: Source) -> Iterator[Violation]:
    """Whatever differs from one run to the next: the time and new identifiers are passed in."""
    for node in ast.walk(source.tree):
        for name in imported_modules(node):
            if name in CHANCE_OR_CLOCK_MODULES:
                yield source.violation("clock-or-chance", getattr(node, "lineno", 0), f"imports {name}; times and identifiers are passed in")
        if isinstance(node, ast.Attribute) and node.attr in CLOCK_CALLS:
            yield source.violation("clock-or-chance", node.lineno, f".{node.attr} reads the clock or the machine's time zone")


def input_and_output(source: Source) -> Iterator[Violation]:
    """Files, processes, sockets, threads, printing."""
    for node in ast.walk(source.tree):
        for name in imported_modules(node):
            if name in IO_MODULES:
                yield source.violation("io", getattr(node, "lineno", 0), f"imports {name}")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IO_CALLS:
            yield source.violation("io", node.lineno, f"calls {node.func.id}()")


def outside_imports(source: Source) -> Iterator[Violation]:
    """Imports of packages that the folder may not use."""
    allowed = next(packages for folder, packages in OUTSIDE.items() if source.inside(folder))
    for node in ast.walk(source.tree):
        for name in imported_modules(node):
            if name not in sys.stdlib_module_names and name != "farthing" and name not in allowed:
                yield source.violation("outside-import", getattr(node, "lineno", 0), f"imports {name}")


def imported_modules(node: ast.AST) -> Iterator[str]:
    """The top-level packages that an import statement names."""
    if isinstance(node, ast.Import):
        yield from (one.name.split(".")[0] for one in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        yield node.module.split(".")[0]


def sql_text(source: Source) -> Iterator[Violation]:
    """SQL in a string: it belongs into a named .sql file of an edge, or a typed builder of the kernel."""
    docstrings = {id(text) for text in _docstrings(source.tree)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings and SQL.match(node.value):
            yield source.violation("sql-text", node.lineno, "SQL in a string")


def _docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value
