"""The store in memory: what the Postgres store does, without a database. Both pass one contract suite (tests/store/)."""

from __future__ import annotations

from farthing.testing.memory_bills import MemoryBills
from farthing.testing.memory_catalogue import MemoryCatalogue
from farthing.testing.memory_log import MemoryLog
from farthing.testing.memory_resources import MemoryAccess, MemoryResources


class MemoryStore(MemoryLog, MemoryCatalogue, MemoryBills, MemoryResources, MemoryAccess):
    """One account and mode, for one thread, gone with the object."""
