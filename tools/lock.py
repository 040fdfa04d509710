"""The locks hold what pyproject.toml asks for: every direct dependency pinned with hashes, and the same versions in both."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from tools.sources import ROOT

PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
NAME = re.compile(r"[A-Za-z0-9_.-]+")


def normal(name: str) -> str:
    """A package's name as locks spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[str, str]:
    """Package → version of a lock."""
    return {normal(name): version for name, version in PIN.findall(text)}


def unhashed(text: str) -> list[str]:
    """The pins of a lock that have no hash."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    return [name.group(0) for block in blocks if (name := PIN.match(block)) and "--hash=sha256:" not in block]


def asked(project: dict[str, Any], *extras: str) -> set[str]:
    """The direct dependencies of the package with some of its extras."""
    lists = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    return {normal(match.group(0)) for one in lists for text in one if (match := NAME.match(text))}


def problems(project: dict[str, Any], run: str, dev: str, dependencies: str) -> list[str]:
    """What is wrong with the locks and with the list of reasons, docs/dependencies.md."""
    run_pins, dev_pins = pins(run), pins(dev)
    found = [f"run.txt lacks {name}; run make lock" for name in sorted(asked(project, "build") - run_pins.keys())]
    direct = asked(project, "build", "dev")
    found += [f"dev.txt lacks {name}; run make lock" for name in sorted(direct - dev_pins.keys())]
    for name, version in run_pins.items():
        if dev_pins.get(name) != version:
            found.append(f"{name} is {version} in run.txt and {dev_pins.get(name)} in dev.txt")
    found += [f"{pin} has no hash" for pin in unhashed(run) + unhashed(dev)]
    found += [f"{place} names an address; a lock works with any index" for place, text in (("run.txt", run), ("dev.txt", dev)) if "://" in text]
    found += [f"docs/dependencies.md gives no reason for {name}" for name in sorted(direct) if f"`{name}`" not in dependencies]
    return found


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = [_read("requirements/run.txt"), _read("requirements/dev.txt"), _read("docs/dependencies.md")]
    found = problems(project, *texts)
    print("\n".join(found) or "the locks hold what pyproject.toml asks for")
    return 1 if found else 0


def _read(path: str) -> str:
    return (Path(ROOT) / path).read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
