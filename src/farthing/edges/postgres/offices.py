"""All accounts and modes of a database, for one thread of a worker: which have something to do, and their stores."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from farthing.core.base.time import Instant
from farthing.edges.postgres.session import Mode, Patience, Session
from farthing.edges.postgres.store import PostgresStore


class PostgresOffices:
    """A connection that sees no row of any account, and up to `most` open stores, the one used longest ago closed for a new one."""

    def __init__(self, dsn: str, patience: Patience | None = None, most: int = 4) -> None:
        self._dsn, self._patience, self._most = dsn, patience or Patience(), most
        self._session: Session | None = None
        self._stores: OrderedDict[tuple[str, Mode], PostgresStore] = OrderedDict()

    def due(self, kinds: Sequence[str], up_to: Instant) -> Sequence[tuple[str, Mode]]:
        """The accounts and modes that have work on rows of these kinds due by an instant of the wall clock. Errors: database_…."""
        return self._asked().rows("accounts_with_due_work", {"kinds": list(kinds), "up_to": up_to})

    def answered(self, up_to: Instant) -> Sequence[tuple[str, Mode]]:
        """The accounts and modes that keep answers which were begun at or before an instant. Errors: database_…."""
        return self._asked().rows("accounts_with_answers", {"up_to": up_to})

    @contextmanager
    def of(self, account: str, mode: Mode) -> Iterator[PostgresStore]:
        """The store of an account and mode, for as long as the block lasts. Errors: database_…."""
        store = self._stores.pop((account, mode), None)
        if store is None:
            while len(self._stores) >= self._most:
                self._stores.popitem(last=False)[1].close()
            store = PostgresStore.open(self._dsn, account, mode, self._patience)
        self._stores[account, mode] = store
        yield store

    def close(self) -> None:
        """Close all connections."""
        while self._stores:
            self._stores.popitem()[1].close()
        if self._session is not None:
            self._session.close()
            self._session = None

    def _asked(self) -> Session:
        if self._session is None:
            self._session = Session(self._dsn, None, "test", self._patience)
        return self._session
