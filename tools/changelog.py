"""Changelog fragments: every change brings one file in changelog.d, and a release gathers them.

python -m tools.changelog                     check the fragments
python -m tools.changelog --release 0.2.0 --date 2026-03-01      move them into CHANGELOG.md
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from tools.sources import ROOT

KINDS = ("added", "changed", "fixed", "removed", "security")
NAME = re.compile(rf"[a-z0-9][a-z0-9-]*\.({'|'.join(KINDS)})\.md")
MOST = 600
FOLDER, TARGET = ROOT / "changelog.d", ROOT / "CHANGELOG.md"
MARK = "<!-- releases, newest first -->\n"


def problems(fragments: Iterable[tuple[str, str]]) -> list[str]:
    """What is wrong with these fragments (file name, text)."""
    found = []
    for name, text in fragments:
        if not NAME.fullmatch(name):
            found.append(f"{name}: name it <what-changed>.<{'|'.join(KINDS)}>.md")
        if not text.strip() or not text.rstrip().endswith("."):
            found.append(f"{name}: write at least one sentence, for someone who uses Farthing")
        if len(text) > MOST or text.lstrip().startswith(("#", "-", "*")):
            found.append(f"{name}: plain sentences of at most {MOST} characters, no heading and no list")
    return found


def release(version: str, date: str, fragments: Iterable[tuple[str, str]]) -> str:
    """The section of a release: its fragments by kind."""
    parts = [f"## {version} ({date})\n"]
    listed = sorted(fragments)
    for kind in KINDS:
        texts = [" ".join(text.split()) for name, text in listed if name.endswith(f".{kind}.md")]
        if texts:
            parts.append(f"### {kind.capitalize()}\n\n" + "".join(f"- {text}\n" for text in texts))
    return "\n".join(parts) + "\n"


def fragment_files(folder: Path = FOLDER) -> list[Path]:
    """Every fragment, by name."""
    return sorted(file for file in folder.iterdir() if file.name not in ("README.md", ".gitkeep"))


def main(arguments: list[str] | None = None) -> int:
    """Check, or release."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", metavar="VERSION")
    parser.add_argument("--date", metavar="YYYY-MM-DD")
    chosen = parser.parse_args(arguments)
    files = fragment_files()
    fragments = [(file.name, file.read_text(encoding="utf-8")) for file in files]
    if found := problems(fragments):
        print("\n".join(found))
        return 1
    if chosen.release is None:
        print(f"{len(fragments)} changelog fragments")
        return 0
    if chosen.date is None:
        parser.error("--release needs --date")
    before, mark, after = TARGET.read_text(encoding="utf-8").partition(MARK)
    TARGET.write_text(before + mark + "\n" + release(chosen.release, chosen.date, fragments) + after.lstrip("\n"), encoding="utf-8")
    for file in files:
        file.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
