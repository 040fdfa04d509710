"""What no file may say: exceptions from the checks without a reason, unfinished work, and tests that hold themselves down."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tools.sources import Source, Violation

IGNORE = re.compile(r"#\s*type:\s*ignore")
IGNORE_WITH_REASON = re.compile(r"# type: ignore\[[a-z0-9-]+(, ?[a-z0-9-]+)*\]  # \S{2,}.*")
NOQA = re.compile(r"#\s*noqa", re.IGNORECASE)
NOQA_WITH_REASON = re.compile(r"# noqa: [A-Z]+[0-9]+(, ?[A-Z]+[0-9]+)*(  # | - |: )\S{2,}.*")
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")


def wording_violations(source: Source) -> Iterator[Violation]:
    """Every violation of this module's rules in one file."""
    yield from comments(source)
    yield from unfinished(source)
    if source.inside("src"):
        yield from refusals_elsewhere(source)
    if source.inside("tests"):
        yield from chance_in_tests(source)
        yield from capped_examples(source)
        yield from empty_tests(source)


def comments(source: Source) -> Iterator[Violation]:
    """Exceptions from types or lint name their code and give a reason; nothing is left for later."""
    for line, text in source.comments:
        if IGNORE.search(text) and not IGNORE_WITH_REASON.search(text):
            yield source.violation("type-ignore", line, "write `# type: ignore[code]  # reason`")
        if NOQA.search(text) and not NOQA_WITH_REASON.search(text):
            yield source.violation("noqa", line, "write `# noqa: CODE  # reason`")
        if UNFINISHED.search(text):
            yield source.violation("unfinished", line, f"{text.strip()[:60]!r} leaves work undone")


def unfinished(source: Source) -> Iterator[Violation]:
    """Code that stands for code still to be written."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and node.id in ("NotImplementedError", "NotImplemented") and not _in_operator(source.tree, node):
            yield source.violation("unfinished", node.lineno, f"{node.id} stands here")


def _in_operator(tree: ast.Module, name: ast.Name) -> bool:
    """NotImplemented is what an operator returns for a type that it does not know; only there is it finished work."""
    operators = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("__"))
    return name.id == "NotImplemented" and any(inner is name for operator in operators for inner in ast.walk(operator))


def refusals_elsewhere(source: Source) -> Iterator[Violation]:
    """A refusal is declared in its stage's refusals.py, or the page that lists all would lack it."""
    if source.path.endswith("/refusals.py"):
        return
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Name(id="refusal_kind" | "RefusalKind") | ast.Attribute(attr="refusal_kind" | "RefusalKind")):
                if not source.path.endswith("core/base/refusal.py"):
                    yield source.violation("refusal-elsewhere", node.lineno, "declare the refusal in the stage's refusals.py")


def chance_in_tests(source: Source) -> Iterator[Violation]:
    """A test gives the same result on every run: a seeded random.Random is fine, the module's own generator and uuid4 are not."""
    imports_random = any(isinstance(node, ast.Import) and any(one.name == "random" for one in node.names) for node in ast.walk(source.tree))
    for node in ast.walk(source.tree):
        match node:
            case ast.Attribute(value=ast.Name(id="random"), attr=name) if imports_random and name != "Random":
                yield source.violation("chance-in-test", node.lineno, f"random.{name} differs from run to run; use random.Random(seed)")
            case ast.ImportFrom(module="random", names=names) if [one.name for one in names] != ["Random"]:
                yield source.violation("chance-in-test", node.lineno, "imports from random what differs from run to run; use random.Random(seed)")
            case ast.Attribute(attr="uuid4" | "uuid1") | ast.Name(id="uuid4" | "uuid1"):
                yield source.violation("chance-in-test", node.lineno, "a random identifier differs from run to run")


def capped_examples(source: Source) -> Iterator[Violation]:
    """A number of examples in a test would hold the nightly profile down too."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.keyword) and node.arg == "max_examples" and not _names_profile(node.value) and "plugins" not in source.path:
            yield source.violation("capped-examples", node.value.lineno, "give a share of settings.default.max_examples")


def _names_profile(value: ast.expr) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == "max_examples" for node in ast.walk(value))


def empty_tests(source: Source) -> Iterator[Violation]:
    """A test that cannot fail: nothing is asserted, raised or handed to a function that checks."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_") and not can_fail(node):
            yield source.violation("empty-test", node.lineno, f"{node.name} asserts nothing")


def can_fail(test: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the test asserts something itself, expects an exception, or calls a helper named for checking."""
    for node in ast.walk(test):
        if isinstance(node, ast.Assert) and not (isinstance(node.test, ast.Constant) and node.test.value):
            return True
        if isinstance(node, ast.Call) and CHECKS.search(ast.unparse(node.func)):
            return True
    return False


CHECKS = re.compile(r"(^|[._])(raises|fail|assert|check|expect|must|holds?|agree|same|verify|compare)", re.IGNORECASE)
