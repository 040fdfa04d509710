"""What a new user does: a fresh clone, an empty home directory, `make demo`. Installs everything anew, from the lock file."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_make_demo_works_in_a_clean_clone_with_an_empty_home(tmp_path: Path) -> None:
    clone, home = tmp_path / "clone", tmp_path / "home"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", ROOT.as_uri(), str(clone)], check=True)
    dropped = ("VIRTUAL_ENV", "PYTHONPATH", "FARTHING_DATA_DIR", "FARTHING_DATABASE_URL")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    done = subprocess.run(
        ["make", "demo"], cwd=clone, capture_output=True, text=True, env={**environment, "HOME": str(home)}, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "Verified: every line and every digest is the same." in done.stdout
    assert "45.15 USD" in done.stdout
    shutil.rmtree(clone)
