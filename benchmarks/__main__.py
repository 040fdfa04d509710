"""Run the benchmarks and write what they measured.

    python -m benchmarks --quick      at most five minutes
    python -m benchmarks --full       full size

Each module listed in SUITES has `run(quick: bool) -> {name: {"value", "goal", "better": "higher" | "lower", "unit"?, "what"?, "details"?}}`.
Exit code 1 when a goal is missed. With `--only` one suite runs and the results of the others stay as they were written before.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.report import as_json, as_markdown, document, machine, reached, shown

SUITES = ("kernel_bench", "append_bench", "demo_bench", "http_bench", "soak_bench")
DOCS = Path(__file__).resolve().parents[1] / "docs"


def main(arguments: list[str] | None = None) -> int:
    """Run, print, write; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description="Run the benchmarks; writes docs/benchmarks.json and docs/benchmarks.md.")
    size = parser.add_mutually_exclusive_group(required=True)
    size.add_argument("--quick", action="store_true", help="at most five minutes")
    size.add_argument("--full", action="store_true", help="full size")
    parser.add_argument("--only", choices=SUITES, help="one suite; the others' results stay")
    chosen = parser.parse_args(arguments)
    written = DOCS / "benchmarks.json"
    results: dict[str, Any] = json.loads(written.read_text(encoding="utf-8"))["results"] if chosen.only and written.exists() else {}
    started = time.monotonic()
    for suite in [chosen.only] if chosen.only else SUITES:
        print(f"{suite} …", flush=True)
        results |= importlib.import_module(f"benchmarks.{suite}").run(quick=chosen.quick)
    content = document(results, "quick" if chosen.quick else "full", machine())
    DOCS.mkdir(exist_ok=True)
    written.write_text(as_json(content), encoding="utf-8")
    (DOCS / "benchmarks.md").write_text(as_markdown(content), encoding="utf-8")
    return summary(content["results"], time.monotonic() - started)


def summary(results: dict[str, dict[str, Any]], seconds: float) -> int:
    """Print each result beside its goal; 1 when one misses it."""
    missed = [name for name, result in results.items() if not reached(result)]
    width = max((len(name) for name in results), default=0)
    for name, result in results.items():
        sign = "≥" if result["better"] == "higher" else "≤"
        print(f"{'MISSED' if name in missed else 'ok':6} {name:{width}} {shown(result['value'])} (goal {sign} {shown(result['goal'])})")
    print(f"{len(results)} measurements in {seconds:.0f} s, {len(missed)} missed; written to docs/benchmarks.md and docs/benchmarks.json")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
