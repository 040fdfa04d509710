"""What PostgreSQL reports, under the names that Farthing gives it, and whether it makes sense to try again."""

from __future__ import annotations

from enum import Enum

import psycopg

from farthing.app.refusals import DOCUMENT_OUTDATED, ENTRY_UNBALANCED, GRANT_EXHAUSTED, LEDGER_ACCOUNT_UNKNOWN, PERIOD_CLOSED
from farthing.core.base.refusal import Refusal, RefusalKind
from farthing.core.base.refusals import NUMBER_TOO_LARGE, TEXT_NOT_STORABLE
from farthing.edges.postgres.refusals import DATABASE_BUSY, DATABASE_DISK_FULL, DATABASE_NOT_MIGRATED, DATABASE_UNAVAILABLE

_KINDS: dict[str, RefusalKind] = {
    "FT002": ENTRY_UNBALANCED,  # FT…: raised by our own triggers
    "FT003": PERIOD_CLOSED,
    "FT004": LEDGER_ACCOUNT_UNKNOWN,
    "53100": DATABASE_DISK_FULL,
    "55P03": DATABASE_BUSY,  # lock_not_available
    "40001": DATABASE_BUSY,  # serialization_failure, after all retries
    "40P01": DATABASE_BUSY,  # deadlock_detected, after all retries
    "22003": NUMBER_TOO_LARGE,  # numeric_value_out_of_range
    "22021": TEXT_NOT_STORABLE,  # character_not_in_repertoire
    "22P05": TEXT_NOT_STORABLE,  # untranslatable_character
    "3F000": DATABASE_NOT_MIGRATED,  # invalid_schema_name
    "42P01": DATABASE_NOT_MIGRATED,  # undefined_table
    "42883": DATABASE_NOT_MIGRATED,  # undefined_function
    "42703": DATABASE_NOT_MIGRATED,  # undefined_column
}
_CONSTRAINTS: dict[str, RefusalKind] = {
    "grant_covers_its_use": GRANT_EXHAUSTED,
    "one_document_per_place": DOCUMENT_OUTDATED,
    "entry_has_two_legs": ENTRY_UNBALANCED,
    "posting_is_not_zero": ENTRY_UNBALANCED,
}
_CANCELLED = "57014"
# admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped, idle_session_timeout, idle_in_transaction, too_many_connections
_GONE = frozenset({"57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "53300"})


class Fault(Enum):
    """What to do about an error."""

    GONE = "the connection is lost: connect again"
    CLASH = "two transactions got into each other's way: try again"
    FINAL = "trying again would not help"


def fault(error: psycopg.Error) -> Fault:
    """Which of the three an error is."""
    state = error.sqlstate
    if state in ("40001", "40P01"):
        return Fault.CLASH
    if state == _CANCELLED:  # by a time limit of ours, or by an administrator, who then ends the server more often than not
        return Fault.FINAL if "timeout" in str(error) else Fault.GONE
    if state is None:
        return Fault.GONE if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) else Fault.FINAL
    return Fault.GONE if state in _GONE or state.startswith("08") else Fault.FINAL


def named(error: psycopg.Error) -> Exception:
    """The refusal of that name; the error itself where it has none, for then it is a mistake of ours."""
    text = (error.diag.message_primary or str(error)).strip().splitlines()
    message = text[0] if text else type(error).__name__
    if "No space left on device" in message:
        return Refusal(DATABASE_DISK_FULL, f"{message}.")
    if isinstance(error, psycopg.DataError) and error.sqlstate is None and "NUL" in message:  # the driver's own check
        return Refusal(TEXT_NOT_STORABLE, f"{message}.")
    kind = _KINDS.get(error.sqlstate or "") or _CONSTRAINTS.get(error.diag.constraint_name or "")
    if kind is None and fault(error) is Fault.GONE:
        kind = DATABASE_UNAVAILABLE
    elif error.sqlstate == _CANCELLED:
        kind = DATABASE_BUSY
    return error if kind is None else Refusal(kind, f"{message}.")
