"""The locks are complete, hashed, equal to each other, and name no index; every direct dependency has its reason written down."""

from __future__ import annotations

from typing import Any

import pytest

from tools.lock import pins, problems

PROJECT: dict[str, Any] = {"dependencies": ["duck_db>=2", "psycopg[binary]>=3"], "optional-dependencies": {"build": ["wheel"], "dev": ["pytest>=9"]}}
HASH = " \\\n    --hash=sha256:ab\n"
RUN = f"duck-db==2.0{HASH}psycopg==3.1 ; sys_platform != 'x'{HASH}wheel==1{HASH}"
DEV = RUN + f"pytest==9.1{HASH}"
REASONS = "`duck-db` `psycopg` `wheel` `pytest`"


def test_good_locks_pass() -> None:
    assert problems(PROJECT, RUN, DEV, REASONS) == []
    assert pins(DEV) == {"duck-db": "2.0", "psycopg": "3.1", "wheel": "1", "pytest": "9.1"}


@pytest.mark.parametrize(
    ("run", "dev", "reasons", "found"),
    [
        (RUN.replace("wheel==1", "other==1"), DEV, REASONS, "run.txt lacks wheel"),
        (RUN, RUN, REASONS, "dev.txt lacks pytest"),
        (RUN, DEV.replace("duck-db==2.0", "duck-db==2.1"), REASONS, "duck-db is 2.0 in run.txt and 2.1 in dev.txt"),
        (RUN, DEV.replace(f"pytest==9.1{HASH}", "pytest==9.1\n"), REASONS, "pytest==9.1 has no hash"),
        (RUN, "--index-url https://example.org\n" + DEV, REASONS, "dev.txt names an address"),
        (RUN, DEV, REASONS.replace("`pytest`", ""), "gives no reason for pytest"),
    ],
)
def test_each_fault_is_found(run: str, dev: str, reasons: str, found: str) -> None:
    assert any(found in problem for problem in problems(PROJECT, run, dev, reasons))
