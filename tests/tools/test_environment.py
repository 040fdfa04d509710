"""How .venv is made: the right Python or a clear error, nothing when it is current, from nothing when a lock changed.

The interpreter is replaced by a script that writes down what it is asked to do, so that nothing is installed.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAKE_PYTHON = """#!/bin/sh
echo "$@" >> "{log}"
case "$*" in
    --version) echo "Python 3.11.0" ;;
    "-m venv --clear .venv") rm -rf .venv && mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    *"-r requirements/dev.txt") echo "Collecting duckdb==2.0 (from -r)" && exit {code} ;;
esac
"""


class Tree:
    """A tree with the script, locks of one package, and the fake interpreter."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = root / "log"
        for folder in ("tools", "requirements"):
            (root / folder).mkdir()
        shutil.copy(ROOT / "tools" / "venv.sh", root / "tools" / "venv.sh")
        (root / "requirements" / "run.txt").write_text("duckdb==2.0\n")
        (root / "requirements" / "dev.txt").write_text("duckdb==2.0\npytest==9.0\n")
        (root / "pyproject.toml").write_text("[project]\n")
        self.fake(0)

    def fake(self, code: int) -> None:
        python = self.root / "fake-python"
        python.write_text(FAKE_PYTHON.format(log=self.log, code=code))
        python.chmod(0o755)

    def run(self, want: str, python: str | None = None) -> subprocess.CompletedProcess[str]:
        self.log.write_text("")
        environment = {"PATH": "/usr/bin:/bin", "PYTHON": python or str(self.root / "fake-python")}
        return subprocess.run(["sh", "tools/venv.sh", want], cwd=self.root, env=environment, capture_output=True, text=True, check=False)

    def installed(self) -> list[str]:
        """What was done, in order: "venv", and the locks that were installed."""
        lines = self.log.read_text().splitlines()
        done = [("venv" if "-m venv" in line else line.split("requirements/")[-1]) for line in lines if "-m venv" in line or "requirements/" in line]
        return [one.removesuffix(".txt") for one in done]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_without_a_fitting_python_the_error_says_what_to_do(tree: Tree) -> None:
    done = tree.run("run", python="false")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "python3-venv" in done.stderr
    assert not (tree.root / ".venv").exists()


def test_it_is_made_once_and_extended_from_run_to_dev(tree: Tree) -> None:
    assert tree.run("run").returncode == 0
    assert tree.installed() == ["venv", "run"]
    assert (tree.run("run").returncode, tree.installed()) == (0, [])
    assert (tree.run("dev").returncode, tree.installed()) == (0, ["dev"])
    assert (tree.run("dev").returncode, tree.installed()) == (0, [])
    assert (tree.run("run").returncode, tree.installed()) == (0, [])


@pytest.mark.parametrize("changed", ["requirements/dev.txt", "pyproject.toml"])
def test_it_is_made_anew_when_what_it_was_made_from_changed(tree: Tree, changed: str) -> None:
    tree.run("dev")
    (tree.root / changed).write_text("duckdb==2.1\n")
    assert (tree.run("dev").returncode, tree.installed()) == (0, ["venv", "dev"])
    assert (tree.run("dev").returncode, tree.installed()) == (0, [])


def test_a_broken_interpreter_is_replaced(tree: Tree) -> None:
    tree.run("dev")
    (tree.root / ".venv" / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
    assert (tree.run("dev").returncode, tree.installed()) == (0, ["venv", "dev"])


def test_an_installation_that_failed_is_not_taken_for_done(tree: Tree) -> None:
    tree.fake(1)
    done = tree.run("dev")
    assert done.returncode == 1
    assert "Installing failed" in done.stderr
    tree.fake(0)
    assert (tree.run("dev").returncode, tree.installed()) == (0, ["venv", "dev"])


def test_packages_are_shown_while_they_are_fetched(tree: Tree) -> None:
    assert "  [1/2] duckdb==2.0" in tree.run("dev").stdout.splitlines()
