"""PostgreSQL's processes: run as the right user, recognised beyond doubt, and ended in order."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from farthing.edges.postgres.cluster.directory import Site, read_end
from farthing.edges.postgres.cluster.errors import DatabaseError, failure

SHUTDOWN: tuple[tuple[signal.Signals, float], ...] = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 15.0), (signal.SIGKILL, 5.0))
"""Fast, immediate, and the end of patience, in seconds. Never smart: it would wait for clients, whose owner is leaving or dead."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Signals that would end the program wait until the block has ended: what is inside is done whole."""
    if threading.current_thread() is not threading.main_thread():  # no handler runs in another one
        yield
        return
    arrived: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    handlers = {number: handler for number, handler in before.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, lambda number, _: arrived.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if arrived:
            signal.raise_signal(arrived[0])


def spawn(site: Site, directory: Path, program: str, *arguments: str, stdin: int, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
    """Run a binary in `directory`, as the site's user, in a session of its own: Ctrl-C is for the owner, who then stops it in order."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    try:
        return subprocess.Popen(
            [str(site.binaries / program), *arguments],
            cwd=directory,  # entered before the user is switched
            env={**kept, "LC_ALL": "C", "TZ": "UTC"},
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=site.user,
            group=site.group,
            extra_groups=None if site.user is None else [],
            umask=0o077,
            start_new_session=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        hint = "Check that the binaries fit this machine, and as root that switching users is allowed (CAP_SETUID, CAP_SETGID)."
        raise DatabaseError("database_failed_to_start", f"{site.binaries / program} could not be run: {error}.", hint) from error


def run(site: Site, directory: Path, program: str, *arguments: str, typed: str = "") -> None:
    """The same for a program that ends by itself, and has to end well."""
    with spawn(site, directory, program, *arguments, stdin=subprocess.PIPE, output=subprocess.PIPE) as child:
        try:
            output = child.communicate(typed.encode())[0].decode("utf-8", "replace")
        except BaseException:
            child.kill()
            raise
    if child.returncode != 0:
        raise failure(f"{program} ended with code {child.returncode}", output.replace(site.address(directory), str(directory)), "its output")


def end_child(child: subprocess.Popen[bytes]) -> None:
    """End a server that this process started."""
    for number, patience in SHUTDOWN:
        child.send_signal(number)  # looks first whether the child has ended: its pid is its own until then
        with suppress(subprocess.TimeoutExpired):
            child.wait(patience)
            return


def end_processes(cluster: Path) -> None:
    """End every PostgreSQL process that works in this directory: through the postmaster if it lives, else each one."""
    for number, patience in SHUTDOWN:
        found = processes(cluster)
        leader = postmaster(cluster)[0]
        for pid in [leader] if leader in found and number != signal.SIGKILL else found:
            _signal(pid, number, cluster)
        deadline = time.monotonic() + patience
        while processes(cluster):
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            return
    pids = ", ".join(map(str, processes(cluster)))
    raise DatabaseError("database_in_use", f"PostgreSQL processes in {cluster} do not end: {pids}.", "End them by hand, then start again.")


def processes(cluster: Path) -> list[int]:
    """The pids of all PostgreSQL processes that work in this directory (none where there is no /proc)."""
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _works_in(int(entry.name), cluster)]


def postmaster(cluster: Path) -> tuple[int, str]:
    """The pid and the status that the server noted in postmaster.pid, right or not; (0, "") if it noted none."""
    lines = read_end(cluster / "postmaster.pid").splitlines()
    pid = int(lines[0]) if lines and lines[0].isdecimal() else 0
    return pid, lines[7].strip() if len(lines) > 7 else ""


def _works_in(pid: int, cluster: Path) -> bool:
    """Whether this process is alive and a PostgreSQL in this very directory. Proof enough against a recycled pid; and start times
    would shift with the clock."""
    try:
        program = Path(f"/proc/{pid}/exe").readlink().name.removesuffix(" (deleted)")
        return program in ("postgres", "initdb") and Path(f"/proc/{pid}/cwd").samefile(cluster)
    except OSError:  # gone, a zombie, or not ours to look at
        return False


def _signal(pid: int, number: signal.Signals, cluster: Path) -> None:
    """Signal a process that is verified to be ours. The handle pins it first, so that its pid cannot pass to another meanwhile."""
    handle = -1
    with suppress(OSError):  # a kernel before 5.3
        handle = os.pidfd_open(pid)
    try:
        if _works_in(pid, cluster):
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, number) if handle >= 0 else os.kill(pid, number)
    finally:
        if handle >= 0:
            os.close(handle)
