"""The stores of one thread: opened when they are first asked for, kept open, the one that was used longest ago closed for a new one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from farthing.app.resources.access import FoundKey, KeyFinder, Mode
from farthing.edges.http.pool import ApiStore


class OpenStore(ApiStore, Protocol):
    """A store that can be closed."""

    def close(self) -> None:
        """Let go of its connections."""
        ...


class OpenKeys(KeyFinder, Protocol):
    """A finder of keys that can be closed."""

    def close(self) -> None:
        """Let go of its connection."""
        ...


class ThreadStores:
    """Up to `most` open stores, and one finder of keys. For one thread."""

    def __init__(self, open_store: Callable[[str, Mode], OpenStore], open_keys: Callable[[], OpenKeys], most: int = 4) -> None:
        self._open_store, self._open_keys, self._most = open_store, open_keys, most
        self._stores: OrderedDict[tuple[str, Mode], OpenStore] = OrderedDict()
        self._keys: OpenKeys | None = None

    def find_key(self, hash_: bytes) -> FoundKey | None:
        """The key of a hash, of whichever account."""
        if self._keys is None:
            self._keys = self._open_keys()
        return self._keys.find_key(hash_)

    @contextmanager
    def of(self, account: str, mode: Mode) -> Iterator[OpenStore]:
        """The store of an account and mode."""
        store = self._stores.pop((account, mode), None)
        if store is None:
            while len(self._stores) >= self._most:
                self._stores.popitem(last=False)[1].close()
            store = self._open_store(account, mode)
        self._stores[account, mode] = store
        yield store

    def close(self) -> None:
        """Close everything."""
        while self._stores:
            self._stores.popitem()[1].close()
        if self._keys is not None:
            self._keys.close()
            self._keys = None
