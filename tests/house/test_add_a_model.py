"""A pricing model more is one new file and its lines in the registry: proven on a copy of the package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

SRC = Path(__file__).resolve().parents[2] / "src"
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
CHECK = """
import json
from farthing.app.rate import rate_line
from farthing.core.rating.models.documentation import documentation
price = {"currency": "usd", "ext": {"doubled": {"amount": 5}}}
answer = rate_line(json.dumps({"id": 1, "price": price, "quantity": 3}))
print(json.dumps({"amount": answer["amount"], "documented": "Example: Twice 49.00 EUR" in documentation()}))
"""


def test_one_file_and_its_lines_in_the_registry_add_a_model_with_its_documentation(tmp_path: Path) -> None:
    copy = tmp_path / "src"
    shutil.copytree(SRC, copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "data"))
    models = copy / "farthing" / "core" / "rating" / "models"
    (models / "doubled.py").write_text(MODEL, encoding="utf-8")
    registry = (models / "__init__.py").read_text(encoding="utf-8")
    registry = registry.replace("    cost,\n", "    cost,\n    doubled,\n", 1).replace(
        "    flat.MODEL,\n", "    flat.MODEL,\n    doubled.MODEL,\n", 1
    )
    (models / "__init__.py").write_text(registry, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, check=True, env=environment)
    assert json.loads(done.stdout) == {"amount": 10, "documented": True}
