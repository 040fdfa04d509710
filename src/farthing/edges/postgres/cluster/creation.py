"""A cluster is made beside its place and gets its name last: whenever this is interrupted, there is a whole one or none."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from farthing.edges.postgres.cluster.directory import Site, make_lasting, replace_file
from farthing.edges.postgres.cluster.errors import DatabaseError
from farthing.edges.postgres.cluster.processes import end_processes, processes, run

DATABASE = "farthing"
BOOTSTRAP = "farthing_bootstrap"
"""The superuser: for setting up, never for the application."""
OWNER = "farthing_owner"
"""Owns the database and its schema, runs the migrations."""
SERVICE = "farthing_service"
"""Runs the application: neither owner nor superuser, bound by row-level security."""

_IN_THE_MAKING = "cluster.new-"


def clear_leftovers(site: Site, say: Callable[[str], None]) -> None:
    """What an owner that was killed left behind: half-made clusters, and a server that runs on."""
    for half_made in site.home.glob(f"{_IN_THE_MAKING}*"):
        end_processes(half_made)
        shutil.rmtree(half_made)
    if site.cluster.exists() and site.pending_secrets.exists():
        site.pending_secrets.replace(site.secrets)
    if processes(site.cluster):
        say("ending the PostgreSQL that an earlier owner left running")
        end_processes(site.cluster)
    if Path("/proc/self/exe").exists():  # only there is it certain now that no server is left
        # PostgreSQL would not start while the pid in its lock files belongs to any process of this user: it may have been given
        # to another since, or be a zombie's, where the first process of a container reaps none.
        for stale in (site.cluster / "postmaster.pid", *site.cluster.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)


def create_cluster(site: Site, durable: bool, say: Callable[[str], None]) -> None:
    """A new cluster with its roles, its database and their passwords."""
    if site.secrets.exists():
        hint = f"Bring {site.cluster} back (is a disk not mounted?), or remove {site.secrets} to begin with an empty database."
        raise DatabaseError("database_files_missing", f"{site.home} had a database, but its files are gone.", hint)
    say("creating the database (once, a few seconds)")
    fresh = Path(tempfile.mkdtemp(prefix=_IN_THE_MAKING, dir=site.home))
    try:
        if site.user is not None and site.group is not None:
            os.chown(fresh, site.user, site.group)
        passwords = {role: secrets.token_urlsafe(32) for role in (BOOTSTRAP, OWNER, SERVICE)}
        _fill(site, fresh, passwords, durable)
        replace_file(site.pending_secrets, json.dumps(passwords))
        fresh.rename(site.cluster)
        site.pending_secrets.replace(site.secrets)
        make_lasting(site.home)
    except BaseException:
        end_processes(fresh)
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _fill(site: Site, fresh: Path, passwords: Mapping[str, str], durable: bool) -> None:
    """initdb, then roles and database in single-user mode: no server ever runs on a cluster without passwords."""
    data = site.address(fresh)
    locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    access = (f"--username={BOOTSTRAP}", "--auth-local=peer", "--auth-host=reject")  # until pg_hba.conf is replaced
    run(site, fresh, "initdb", f"--pgdata={data}", *access, *locale, "--data-checksums", "--no-sync", "--no-instructions")
    # Single-user mode would number what it makes like parts of the system, which pg_dump and pg_upgrade may take it for.
    run(site, fresh, "pg_resetwal", f"--pgdata={data}", "--next-oid=16384")
    commands = [f"ALTER ROLE {BOOTSTRAP} PASSWORD '{passwords[BOOTSTRAP]}'"]
    rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    commands += [f"CREATE ROLE {role} {rights} PASSWORD '{passwords[role]}'" for role in (OWNER, SERVICE)]
    commands += [f"REVOKE ALL ON DATABASE {name} FROM PUBLIC" for name in ("postgres", "template1")]
    commands += database_commands(DATABASE, "template1")
    settings = ("-c", "exit_on_error=on", "-c", "fsync=off", "-c", "log_checkpoints=off")
    run(site, fresh, "postgres", "--single", "-D", data, *settings, "postgres", typed="\n".join(commands) + "\n")
    if durable:
        run(site, fresh, "initdb", "--sync-only", f"--pgdata={data}")


def database_commands(name: str, template: str) -> list[str]:
    """The SQL that makes a database and says whose it is and who else may use it."""
    return [
        f"CREATE DATABASE {plain_name(name)} OWNER {OWNER} TEMPLATE {plain_name(template)}",
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {SERVICE}",
    ]


def plain_name(name: str) -> str:
    """The name of a database, which needs no quotes; a ValueError for any other."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
        raise ValueError(f"{name!r} is no plain name for a database")
    return name


def read_passwords(site: Site) -> dict[str, str]:
    """Role → password."""
    try:
        known = json.loads(site.secrets.read_text(encoding="utf-8"))
        return {role: str(known[role]) for role in (BOOTSTRAP, OWNER, SERVICE)}
    except (OSError, ValueError, LookupError, TypeError) as error:
        hint = "Bring it back from a backup: the roles' passwords stand only there. Or name another directory to begin with an empty database."
        raise DatabaseError("database_secrets_missing", f"{site.secrets} cannot be read: {error!r}.", hint) from error
