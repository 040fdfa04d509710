"""The system of record: the store that the verbs use, on PostgreSQL, for one account and mode."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType

from farthing.edges.postgres.access import AccessTables
from farthing.edges.postgres.bills import BillTables
from farthing.edges.postgres.catalogue import CatalogueTables
from farthing.edges.postgres.log import LogWriter
from farthing.edges.postgres.reads import LogReader
from farthing.edges.postgres.resources import ResourceTables
from farthing.edges.postgres.session import Mode, Patience, Session
from farthing.edges.postgres.streams import Streams


class PostgresStore(LogWriter, LogReader, CatalogueTables, BillTables, ResourceTables, AccessTables):
    """One connection, for one thread. Opened for an account and a mode, it can neither see nor write rows of another."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.streams = Streams(session)
        LogWriter.__init__(self, session)
        LogReader.__init__(self, session, self.streams)
        CatalogueTables.__init__(self, session)
        BillTables.__init__(self, session)
        ResourceTables.__init__(self, session)
        AccessTables.__init__(self, session)

    @classmethod
    def open(cls, dsn: str, account: str, mode: Mode, patience: Patience | None = None) -> PostgresStore:
        """Open the store with the service's connection string. Errors: account_unknown, database_…."""
        return cls(Session(dsn, account, mode, patience or Patience()))

    def transaction(self) -> AbstractContextManager[None]:
        """Everything written inside becomes durable together, or not at all. Nothing inside is repeated by itself."""
        return self.session.transaction()

    def close(self) -> None:
        """Close its connections."""
        self.streams.close()
        self.session.close()

    def __enter__(self) -> PostgresStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
