"""Every import contract fails on an import that breaks it. Runs on a skeleton of the package, so that only the contracts are tested."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STAGES = ["base", "events", "usage", "catalog", "rating", "contract", "invoice", "tax", "settlement", "payment", "ledger", "explain"]
MODULES = [
    *("main", "__main__", "app.pay", "kernel.compile", "core.flow", "demo.data", "testing.store", "edges.cli.demo", "edges.postgres.store"),
    *(f"core.{stage}.some" for stage in STAGES),
]
BAD = [
    ("core.rating.some", "app.pay", "main -> edges -> app -> kernel -> core"),
    ("core.base.some", "kernel.compile", "main -> edges -> app -> kernel -> core"),
    ("kernel.compile", "app.pay", "main -> edges -> app -> kernel -> core"),
    ("app.pay", "edges.cli.demo", "main -> edges -> app -> kernel -> core"),
    ("app.pay", "main", "main -> edges -> app -> kernel -> core"),
    ("core.rating.some", "core.contract.some", "inside core"),
    ("core.contract.some", "core.rating.some", "inside core"),
    ("core.base.some", "core.events.some", "inside core"),
    ("core.tax.some", "core.settlement.some", "inside core"),
    ("core.ledger.some", "core.flow", "inside core"),
    ("edges.cli.demo", "edges.postgres.store", "edges do not know each other"),
    ("edges.cli.demo", "main", "main is the only wiring"),
    ("app.pay", "demo.data", "the demo's data is used by the command line only"),
    ("edges.postgres.store", "demo.data", "the demo's data is used by the command line only"),
    ("demo.data", "app.pay", "the demo is data and its conversion"),
    ("app.pay", "testing.store", "farthing.testing is for tests"),
    ("edges.cli.demo", "testing.store", "farthing.testing is for tests"),
    ("testing.store", "edges.postgres.store", "farthing.testing needs no edge"),
]


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    for module in MODULES:
        write(tmp_path, module, "")
    return tmp_path


def write(root: Path, module: str, text: str) -> None:
    file = root.joinpath("farthing", *module.split(".")).with_suffix(".py")
    file.parent.mkdir(parents=True, exist_ok=True)
    for folder in [file.parent, *file.parent.parents]:
        if folder == root:
            break
        (folder / "__init__.py").touch()
    file.write_text(text)


def lint(root: Path) -> str:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache", "--config", str(ROOT / ".importlinter")]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False).stdout


def broken(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.endswith("BROKEN")]


def test_the_skeleton_breaks_no_contract(skeleton: Path) -> None:
    write(skeleton, "edges.cli.demo", "from farthing.demo import data\nfrom farthing.app import pay\nfrom farthing.core.base import some\n")
    write(skeleton, "main", "from farthing.edges.cli import demo\nfrom farthing.edges.postgres import store\n")
    write(skeleton, "testing.store", "from farthing.app import pay\n")
    output = lint(skeleton)
    assert broken(output) == [], output
    assert output.count("KEPT") >= 8


@pytest.mark.parametrize(("importer", "imported", "contract"), BAD)
def test_each_forbidden_import_breaks_its_contract(skeleton: Path, importer: str, imported: str, contract: str) -> None:
    package, _, name = imported.rpartition(".")
    write(skeleton, importer, f"from farthing{'.' if package else ''}{package} import {name}\n")
    output = lint(skeleton)
    assert [line for line in broken(output) if contract in line], output


@pytest.mark.parametrize("module", ["helpers.some", "core.helpers.some"])
def test_a_new_folder_has_to_be_placed(skeleton: Path, module: str) -> None:
    write(skeleton, module, "")
    assert broken(lint(skeleton))
