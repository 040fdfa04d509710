"""API keys, and the answers to requests that carried an idempotency key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg.types.json import Jsonb

from farthing.app.resources.access import ANSWERS_KEPT, ApiKey, Begun, Conflict, FoundKey, InUse, Mode, Replay
from farthing.app.resources.refusals import API_KEY_UNKNOWN
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Instant
from farthing.edges.postgres.session import Patience, Session
from farthing.edges.postgres.statements import statement


class AccessTables:
    """Keys and answers."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def mode(self) -> Mode:
        """The mode."""
        return self._session.mode

    def find_key(self, hash_: bytes) -> FoundKey | None:
        """The key of a hash, of whichever account and mode, also one that is not valid any more."""
        return _found(self._session, hash_)

    def add_key(self, key: ApiKey) -> bool:
        """Keep an API key; False, and nothing changes, if its hash or id is taken, by any account."""
        values = {"id": key.id, "hash": key.hash, "kind": key.kind, "shown": key.shown, "permissions": Jsonb(dict(key.permissions))}
        return self._session.value("insert_api_key", {**values, "created_at": key.created_at, "expires_at": key.expires_at}) is not None

    def revoke_key(self, id_: str, at: Instant) -> ApiKey:
        """Make a key invalid from an instant on, and return it; one that is revoked already stays as it is. Errors: api_key_unknown."""
        rows = self._session.rows("revoke_api_key", {"id": id_, "at": at})
        if not rows:
            raise Refusal(API_KEY_UNKNOWN, f"there is no API key {id_[:80]!r}.", "id")
        return ApiKey(*rows[0])

    def api_keys(self) -> Sequence[ApiKey]:
        """All keys, also those not valid any more, newest first."""
        return [ApiKey(*row) for row in self._session.rows("api_keys")]

    def begin_request(self, key: str, fingerprint: bytes, at: Instant) -> Begun | Replay | Conflict | InUse:
        """Begin a request, inside the transaction that does its work and ends with `finish_request`; RuntimeError outside of one.

        An advisory lock decides at once who is first. It goes with the transaction, after what that wrote is visible, so whoever gets it
        next sees the answer, for which it looks in a statement of its own. The primary key holds if the lock were got round.
        """
        if not self._session.in_transaction:
            raise RuntimeError("a request begins inside the transaction that does its work")
        if not self._session.value("try_request", {"key": key}):
            return InUse()
        rows = self._session.rows("answer", {"key": key})
        if not rows:
            return Begun(key, fingerprint, at)
        request, status, headers, body, created_at = rows[0]
        if created_at <= at - ANSWERS_KEPT:
            self._session.run(lambda connection: connection.execute(statement("delete_answer"), {"key": key}))
            return Begun(key, fingerprint, at)
        return Replay(status, headers, body) if request == fingerprint else Conflict()

    def finish_request(self, begun: Begun, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Keep the answer, which is given again from the commit on."""
        answer = {"status": status, "headers": Jsonb(dict(headers)), "body": body, "created_at": begun.at}
        self._session.run(
            lambda connection: connection.execute(statement("insert_answer"), {"key": begun.key, "request": begun.fingerprint, **answer})
        )

    def forget_requests(self, up_to: Instant, limit: int = 10_000) -> int:
        """Delete at most `limit` answers that were begun at or before an instant, oldest first; returns how many."""
        return self._session.run(lambda connection: connection.execute(statement("forget_answers"), {"up_to": up_to, "limit": limit}).rowcount)


class KeyRing:
    """Finds whose an API key is, on a connection that sees no row of any account. For one thread."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @classmethod
    def open(cls, dsn: str, patience: Patience | None = None) -> KeyRing:
        """Open it with the service's connection string. Errors: database_…."""
        return cls(Session(dsn, None, "test", patience or Patience()))

    def find_key(self, hash_: bytes) -> FoundKey | None:
        """The key of a hash, also one that is not valid any more; None if there is none."""
        return _found(self._session, hash_)

    def close(self) -> None:
        """Close its connection."""
        self._session.close()


def _found(session: Session, hash_: bytes) -> FoundKey | None:
    for account, mode, id_, *rest in session.rows("find_api_key", {"hash": hash_}):
        return FoundKey(account, mode, ApiKey(id_, hash_, *rest))
    return None
