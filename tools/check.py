"""Every check that is no test: `make check`. Prints one line per check as it ends, and the output of those that fail."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tools.sources import ROOT

BIN = Path(sys.executable).parent
PYTHON = sys.executable
CHECKS: dict[str, list[str]] = {
    "types": [str(BIN / "mypy")],
    "lint": [str(BIN / "ruff"), "check", "--output-format", "concise", "."],
    "formatting": [str(BIN / "ruff"), "format", "--check", "--output-format", "concise", "."],
    "import contracts": [str(BIN / "lint-imports"), "--no-logo"],
    "ratchets": [PYTHON, "-m", "tools.ratchets"],
    "promises": [PYTHON, "-m", "tools.promises"],
    "changelog fragments": [PYTHON, "-m", "tools.changelog"],
    "documents": [PYTHON, "-m", "tools.documents"],
    "lock": [PYTHON, "-m", "tools.lock"],
}


def run(command: list[str]) -> tuple[int, str, float]:
    """Exit code, output and seconds of one check, run from the root."""
    started = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout.strip(), time.monotonic() - started


def main() -> int:
    """Run all checks, two at a time; 1 if one fails. All run even so: one look shows everything."""
    failed = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        running = {pool.submit(run, command): name for name, command in CHECKS.items()}
        for ended in as_completed(running):
            name, (code, output, seconds) = running[ended], ended.result()
            print(f"{'FAILED' if code else 'ok':6} {name} ({seconds:.1f} s)", flush=True)
            if code or name in ("promises",):
                print("       " + output.replace("\n", "\n       "), flush=True)
            if code:
                failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "all checks hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
