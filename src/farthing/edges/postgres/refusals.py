"""Refusals of the database itself."""

from farthing.core.base.refusal import refusal_kind

DATABASE_UNAVAILABLE = refusal_kind(
    "database_unavailable",
    "The database cannot be reached, or went away in the middle; what was not acknowledged is not there.",
    "See that PostgreSQL runs and accepts connections, then send the same again: what has arrived already does not count twice.",
)
DATABASE_DISK_FULL = refusal_kind(
    "database_disk_full", "The disk of the database is full; what was acknowledged is safe.", "Free space on that disk, then send the same again."
)
DATABASE_BUSY = refusal_kind(
    "database_busy",
    "The database did not get to it in time: a lock or the statement took too long.",
    "Send the same again, later or in smaller parts.",
)
DATABASE_TOO_OLD = refusal_kind("database_too_old", "The server is an older PostgreSQL than 18.", "Use PostgreSQL 18 or newer.")
DATABASE_NOT_MIGRATED = refusal_kind(
    "database_not_migrated", "The database lacks the schema, or a part of it.", "Run the migrations with the owner's role, then start again."
)
DATABASE_NEWER = refusal_kind(
    "database_newer", "The database has migrations that this version does not know.", "Use the version of Farthing that migrated it, or a newer one."
)
MIGRATION_CHANGED = refusal_kind(
    "migration_changed",
    "A migration that the database has run is not the same any more.",
    "Put the migration back as it was, and make the change in a new one.",
)
DATABASE_ROLE_UNSAFE = refusal_kind(
    "database_role_unsafe",
    "The service would work as an owner or superuser, or could bypass row-level security.",
    "Connect as farthing_service, or as a role that may only become it.",
)
DATABASE_URL_MALFORMED = refusal_kind(
    "database_url_malformed",
    "The URL of the database cannot be read. It is never shown, since it may hold a password.",
    "Write it as postgresql://user:password@host:5432/database; in the password, @ is %40, : is %3A, / is %2F, ? is %3F and % is %25.",
)
ACCOUNT_UNKNOWN = refusal_kind(
    "account_unknown",
    "There is no account of this name.",
    "Correct the name, or create the account: `farthing apply` and `farthing ingest` do (in a database of your own: with its owner's URL in "
    "FARTHING_OWNER_URL).",
)
DATA_DIR_EMPTY = refusal_kind(
    "data_dir_empty",
    "The data directory holds no database, and the command would only read.",
    "Correct --data-dir; `farthing apply` and `farthing ingest` make a new database there.",
)
