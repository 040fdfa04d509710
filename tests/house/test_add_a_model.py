"""A pricing model more takes the files that ARCHITECTURE.md lists and no other: done on a copy, where everything must then hold."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from tools.documents import GENERATED

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("src", "tests", "tools", "docs", "changelog.d", "ARCHITECTURE.md", "README.md", "pyproject.toml")
MADE = ("__pycache__", "*.egg-info", "data", ".hypothesis")
"""What is not written by hand, and the demo's data."""

MODEL = '''"""Twice an amount for each period.

- Quantity zero: the amount is due. Negative quantity: refused (`quantity_negative`).
"""

from fractions import Fraction

from farthing.core.catalog.fields import Field, Reader
from farthing.core.rating.models.form import ZERO, Example, Lowered, Model, Schema
from farthing.core.rating.program import Cell, Curve, Segment


def read(part: Reader) -> Fraction:
    """Read `ext.doubled`: the amount in minor units."""
    return part.amount("amount")


def lower(amount: Fraction, _currency: str) -> Lowered:
    """One endless segment that has only a flat amount."""
    return Lowered((Cell("", curve=Curve("graduated", (Segment(None, ZERO, 2 * amount),))),))


SCHEMA = Schema(
    "doubled",
    __doc__ or "",
    (Field("amount", "amount", "minor units, counted twice", required=True),),
    (Example("twice 49.00 EUR", {"currency": "eur", "ext": {"doubled": {"amount": 4900}}}, {"quantity": "0"}, 9800, "9800"),),
)
MODEL = Model(SCHEMA, read, lower)
'''
PRICE = '"price": {"currency": "usd", "ext": {"doubled": {"amount_decimal": "2.5"}}}'
ROWS = f"""\
{{"rule": "due whatever the quantity", {PRICE}, "quantity": "3", "amount": 5, "amount_exact": "5"}}
{{"rule": "a negative quantity is refused", {PRICE}, "quantity": "-3", "error": {{"code": "quantity_negative", "field": "quantity"}}}}
"""


def registered(registry: str) -> str:
    """The registry with the model in it: its import, and its line."""
    return registry.replace("    cost,\n", "    cost,\n    doubled,\n", 1).replace("    flat.MODEL,\n", "    flat.MODEL,\n    doubled.MODEL,\n", 1)


WRITTEN = {
    "src/farthing/core/rating/models/<name>.py": lambda _: MODEL,
    "src/farthing/core/rating/models/__init__.py": registered,
    "tests/pricing_examples/<name>.ndjson": lambda _: ROWS,
    "changelog.d/<name>.added.md": lambda _: "Prices of the model `doubled`.\n",
}
"""What is written into each file that the page lists, from what stands there."""
TESTS = (
    "tests/rating/test_pricing_examples.py",
    "tests/rating/test_pricing_page.py",
    "tests/rating/test_compile_price.py",
    "tests/kernel/test_kernel_models.py::test_rules_of_each_model[doubled]",
    "tests/kernel/test_kernel_models.py::test_any_usage_of_the_prices_of_each_model[doubled]",
    "tests/reference",
    "tests/house/test_readme.py::test_it_counts_the_models_of_the_registry",
    "tests/tools/test_architecture.py",
)
RUN = (
    "test_pricing_examples.py::test_rule[doubled: due whatever the quantity]",
    "test_pricing_page.py::test_example[doubled 1-doubled 1]",
    "test_kernel_models.py::test_rules_of_each_model[doubled]",
    "test_kernel_models.py::test_any_usage_of_the_prices_of_each_model[doubled]",
    "test_naive.py::test_the_reference_covers_what_it_always_did_and_leaves_out_by_name_what_it_does_not_know",
)
"""Tests that must have run, those of the new model among them."""


def listed() -> list[str]:
    """The files that ARCHITECTURE.md lists for a new model, as they stand there."""
    section = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("\n## Adding a pricing model\n")[1].split("\n## ")[0]
    return [re.findall(r"`([^`]*/[^`]*)`", step)[0] for step in re.findall(r"^\d\. .*$", section, re.MULTILINE)]


def contents(root: Path) -> dict[str, str]:
    files = (file for name in COPIED for file in ([root / name] if (root / name).is_file() else (root / name).rglob("*")))
    found = (file for file in files if file.is_file() and not any(file.match(f"**/{part}/*") or file.match(part) for part in MADE))
    return {file.relative_to(root).as_posix(): sha256(file.read_bytes()).hexdigest() for file in found}


def test_the_files_that_the_page_lists_add_a_whole_model(tmp_path: Path) -> None:
    assert listed() == list(WRITTEN)
    assert len(WRITTEN) <= 4
    for name in COPIED:
        source = ROOT / name
        _ = shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns(*MADE)) if source.is_dir() else shutil.copy(source, tmp_path)
    before = contents(tmp_path)
    files = {path.replace("<name>", "doubled"): write for path, write in WRITTEN.items()}
    for path, write in files.items():
        file = tmp_path / path
        file.write_text(write(file.read_text(encoding="utf-8") if file.exists() else ""), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": "src", "HYPOTHESIS_PROFILE": "quick"}
    for command in (["tools.documents", "--write"], ["tools.changelog"], ["pytest", "-n", "0", "-q", "-rA", "--show-capture=no", *TESTS]):
        done = subprocess.run([sys.executable, "-m", *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert [test for test in RUN if f"{test}\n" not in done.stdout] == []
    after = contents(tmp_path)
    assert {path for path, digest in after.items() if before.get(path) != digest} - set(GENERATED) == set(files)
    assert before.keys() <= after.keys()
