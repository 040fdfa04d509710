"""The documents: those that are generated are current, and no link or file that a document names is missing.

python -m tools.documents            check
python -m tools.documents --write    write the generated ones anew
"""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from farthing.core.base.refusal import RefusalKind
from farthing.core.rating.models import MODELS, documentation
from tools import api_page, catalogue
from tools.sources import ROOT

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6} +(.*?) *$", re.MULTILINE)
NAMED_FILE = re.compile(r"`((?:src|tests|tools|docs|benchmarks|requirements|changelog\.d|\.ci)/[A-Za-z0-9_./-]+)`")

REFUSALS_HEAD = """# Refusals

Every way in which Farthing turns something down. A refusal has a stable `code`, a `message` with the value that was wrong and what
to do, and a `field` that says where (a dotted path such as `tiers[1].up_to`), or null when it is about the whole. Nothing that is
refused is billed as zero, and nothing else of a file or batch is lost by it.

This page is made from the declarations in each folder's `refusals.py`; `make docs` writes it. The embedded PostgreSQL has further codes
of its own, each with advice that fits the case: {embedded}.
"""


def refusals_page(_: str) -> str:
    """docs/refusals.md: one table per stage."""
    declared = _kinds_by_stage()
    parts = [REFUSALS_HEAD.replace("{embedded}", ", ".join(f"`{code}`" for code in _embedded_codes()))]
    for stage, kinds in declared.items():
        rows = "\n".join(f"| `{kind.code}` | {kind.meaning} | {kind.remedy} |" for kind in kinds)
        parts.append(f"## {stage.capitalize()}\n\n| code | meaning | what to do |\n|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def _embedded_codes() -> list[str]:
    """The codes that the supervisor of the embedded PostgreSQL fails with."""
    folder = ROOT / "src" / "farthing" / "edges" / "postgres"
    files = [folder / "supervisor.py", *sorted((folder / "cluster").glob("*.py"))]
    return sorted({code for file in files for code in re.findall(r'"(database_[a-z_]+)"', file.read_text(encoding="utf-8"))})


def _kinds_by_stage() -> Mapping[str, list[RefusalKind]]:
    """Every refusal by the folder whose refusals.py declares it, in the order of the code. The ratchets allow no other place."""
    stages: dict[str, list[RefusalKind]] = {}
    for file in sorted((ROOT / "src").rglob("refusals.py")):
        loaded = importlib.import_module(".".join(file.relative_to(ROOT / "src").with_suffix("").parts))
        kinds = [value for value in vars(loaded).values() if isinstance(value, RefusalKind)]
        stages[file.parent.name] = sorted(kinds, key=lambda kind: kind.code)
    return stages


def readme(current: str) -> str:
    """README.md with the number of pricing models that there are."""
    return re.sub(r"\b\d+ models\b", f"{len(MODELS)} models", current)


GENERATED: Mapping[str, Callable[[str], str]] = {
    "README.md": readme,
    "docs/api.md": api_page.page,
    "docs/catalogue.md": catalogue.page,
    "docs/pricing.md": documentation.page,
    "docs/refusals.md": refusals_page,
}
"""Path → what makes the page from the page as it stands."""


def stale(root: Path = ROOT) -> Iterator[str]:
    """The generated documents that are not what would be generated now."""
    for path, make in GENERATED.items():
        current = (root / path).read_text(encoding="utf-8") if (root / path).is_file() else ""
        if make(current) != current:
            yield f"{path} is not current; run make docs"


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings."""
    return {re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).replace(" ", "-") for heading in HEADING.findall(FENCE.sub("", text))}


def broken(path: str, text: str, root: Path = ROOT) -> Iterator[str]:
    """The links and named files of one document that lead nowhere. Addresses outside the repository are not followed."""
    prose = FENCE.sub("", text)
    for target in LINK.findall(prose):
        if "://" in target or target.startswith("mailto:"):
            continue
        file, _, anchor = target.partition("#")
        where = (root / path).parent / file if file else root / path
        if not where.exists():
            yield f"{path}: the link to {target} leads nowhere"
        elif anchor and where.suffix == ".md" and anchor not in anchors(where.read_text(encoding="utf-8")):
            yield f"{path}: {target} has no such heading"
    for named in NAMED_FILE.findall(prose):
        if not (root / named.rstrip(".")).exists():
            yield f"{path}: {named} does not exist"


def documents() -> list[str]:
    """Every Markdown file of ours: tracked, or new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return sorted(path for path in set(listed) if (ROOT / path).is_file())


def main() -> int:
    """Check, or write with --write."""
    if "--write" in sys.argv[1:]:
        for path, make in GENERATED.items():
            file = ROOT / path
            file.write_text(make(file.read_text(encoding="utf-8") if file.is_file() else ""), encoding="utf-8")
            print(f"wrote {path}")
        return 0
    found = [*stale(), *(problem for path in documents() for problem in broken(path, (ROOT / path).read_text(encoding="utf-8")))]
    print("\n".join(found) or f"{len(GENERATED)} generated documents are current, {len(documents())} documents have no broken link")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
