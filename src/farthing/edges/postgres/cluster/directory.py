"""The data directory: who may use it, as whom PostgreSQL works in it, its lock, and files written so that nobody can interfere."""

from __future__ import annotations

import fcntl
import os
import pwd
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from farthing.edges.postgres.cluster.errors import DatabaseError


@dataclass(frozen=True)
class Site:
    """Where one cluster lives, with which binaries, and as whom its processes run (`user` None: as ourselves)."""

    home: Path
    binaries: Path
    user: int | None
    group: int | None

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.home / "cluster"

    @property
    def secrets(self) -> Path:
        """The passwords of the roles."""
        return self.home / "cluster.secrets.json"

    @property
    def pending_secrets(self) -> Path:
        """The passwords of a cluster that is about to get its name."""
        return self.home / "cluster.secrets.new"

    @property
    def startup_log(self) -> Path:
        """What the server says before its own log begins."""
        return self.home / "cluster.startup.log"

    def address(self, directory: Path) -> str:
        """How a process whose working directory is `directory` names it, even where its user cannot walk down to it."""
        return str(directory) if self.user is None else "/proc/self/cwd"


def usable_home(data_dir: Path) -> Path:
    """The directory, made if need be, without symbolic links; or the refusal of what is no place for a database."""
    home = data_dir.expanduser().resolve()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError("this user may not write to it")
        with tempfile.TemporaryFile(dir=home) as trial:
            trial.write(b"room")
    except OSError as error:
        why = "a file is in the way" if isinstance(error, FileExistsError | NotADirectoryError) else str(error)
        code = "database_disk_full" if "No space left" in why else "database_dir_unusable"
        hint = "Name a directory that this user may write to, on a disk with space."
        raise DatabaseError(code, f"{home} cannot hold the database: {why}.", hint) from error
    strange = (home / "cluster").exists() and not (home / "cluster" / "PG_VERSION").exists()
    if strange or (home / "PG_VERSION").exists():
        hint = "Name another directory. A PostgreSQL that you run yourself is used by its URL."
        raise DatabaseError("database_dir_foreign", f"{home} holds something that Farthing did not make.", hint)
    return home


def account(home: Path) -> tuple[int | None, int | None]:
    """Whom PostgreSQL runs as: ourselves; as root an ordinary user, and for an existing cluster always its owner."""
    if os.geteuid() != 0:
        return None, None
    if sys.platform != "linux":
        raise DatabaseError("database_user_unknown", "PostgreSQL does not run as root.", "Run as an ordinary user.")
    with suppress(FileNotFoundError):
        found = (home / "cluster").lstat()
        if found.st_uid != 0:
            return found.st_uid, found.st_gid
    known = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    for wanted in ("farthing", "nobody", 65534):
        for entry in known:
            if wanted in (entry.pw_name, entry.pw_uid):
                return entry.pw_uid, entry.pw_gid
    hint = "Create one: useradd --system farthing."
    raise DatabaseError("database_user_unknown", "PostgreSQL does not run as root, and there is no user `farthing` or `nobody`.", hint)


class Lock:
    """The directory is ours for as long as this is held: at the latest until this process ends, however it ends."""

    _held: ClassVar[set[Lock]] = set()

    def __init__(self, home: Path) -> None:
        self._handle = -1
        try:
            self._handle = os.open(home / "cluster.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            give_to_owner_of(home, self._handle)
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(self._handle, 32, 0).decode().strip() or "not yet known"
            self.release()
            hint = "End that process first, or give this one a data directory of its own."
            raise DatabaseError("database_in_use", f"{home} is in use by another process (pid {owner}).", hint) from error
        except OSError as error:
            self.release()
            hint = "Make the directory belong to the user you run as, on a file system that supports locks."
            raise DatabaseError("database_dir_unusable", f"{home / 'cluster.lock'} cannot be locked: {error}.", hint) from error
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)
        self._held.add(self)

    def release(self) -> None:
        """Give the directory up. Twice is as good as once."""
        self._held.discard(self)
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    @classmethod
    def release_all(cls) -> None:
        """What a forked child does: it owns nothing of its parent, nor may it keep a lock alive after its parent's death."""
        for lock in list(cls._held):
            lock.release()


os.register_at_fork(after_in_child=Lock.release_all)


def give_to_owner_of(directory: Path, handle: int) -> None:
    """As root: what is written into a directory belongs to the directory's owner."""
    if os.geteuid() == 0:
        owner = directory.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)


def new_file(path: Path) -> int:
    """A new file for its owner's eyes only, in the place of what was there; never through a link that someone else put there."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    give_to_owner_of(path.parent, handle)
    return handle


def replace_file(path: Path, text: str) -> None:
    """Write a file so that at any moment it has either its old or its new content."""
    beside = path.with_name(path.name + ".part")
    with os.fdopen(new_file(beside), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def make_lasting(directory: Path) -> None:
    """Names that were given and changed in a directory survive a crash of the machine from here on."""
    handle = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_end(path: Path, beginning: int = 0, limit: int = 65_536) -> str:
    """The last part of a file that may belong to another user, "" if there is none; it follows no link and waits for no pipe."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        size = os.fstat(handle).st_size
        return os.pread(handle, limit, max(beginning if beginning <= size else 0, size - limit)).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(handle)
