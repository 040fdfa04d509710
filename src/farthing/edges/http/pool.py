"""A fixed number of threads that do the work of requests, each with stores of its own, behind a queue that is never long."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from farthing.app.resources.access import Access, KeyFinder, Mode
from farthing.app.resources.desk import ResourceStore
from farthing.core.base.refusal import Refusal
from farthing.edges.http.refusals import SERVER_BUSY

T = TypeVar("T")


class ApiStore(ResourceStore, Access, Protocol):
    """What the service needs of the store of one account and mode."""


class Stores(KeyFinder, Protocol):
    """What one thread works with: keys of all accounts, and a store for each account and mode. Never used by two threads at once."""

    def of(self, account: str, mode: Mode) -> AbstractContextManager[ApiStore]:
        """The store of an account and mode, for as long as the block lasts."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Stores], Any]
    future: Future[Any]


class Pool:
    """`threads` workers; up to `waiting` further jobs wait for one. `open_stores` is called once in each thread, when it first works."""

    def __init__(self, open_stores: Callable[[], Stores], threads: int = 8, waiting: int = 128) -> None:
        self._open_stores = open_stores
        self._jobs: queue.Queue[_Job | None] = queue.Queue()
        self._room = threading.Semaphore(threads + waiting)
        self._closed = False
        self._beside: list[Pool] = []
        self._threads = [threading.Thread(target=self._work, name=f"farthing-http-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def beside(self, threads: int, waiting: int) -> Pool:
        """A further pool over the same stores, for work that is not to wait behind requests. It is closed with this one."""
        made = Pool(self._open_stores, threads, waiting)
        self._beside.append(made)
        return made

    def submit(self, work: Callable[[Stores], T]) -> Future[T]:
        """Have work done by a thread. Errors: server_busy, when as many wait as may, or the pool is closed."""
        if self._closed or not self._room.acquire(blocking=False):
            raise Refusal(SERVER_BUSY, "no thread is free, and enough wait already.", None)
        future: Future[T] = Future()
        self._jobs.put(_Job(work, future))
        return future

    def close(self, patience: float) -> None:
        """Take no more jobs, and wait up to `patience` seconds for those that were taken."""
        self._closed = True
        for _ in self._threads:
            self._jobs.put(None)
        until = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        for pool in self._beside:
            pool.close(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        stores: Stores | None = None
        while (job := self._jobs.get()) is not None:
            try:
                if job.future.set_running_or_notify_cancel():  # else nobody waits for it any more
                    stores = self._done(job, stores)
            finally:
                self._room.release()
        if stores is not None:
            with suppress(Exception):
                stores.close()

    def _done(self, job: _Job, stores: Stores | None) -> Stores | None:
        try:
            stores = stores or self._open_stores()
            answer = job.work(stores)
        except BaseException as error:  # told to whoever waits; the thread goes on
            job.future.set_exception(error)
        else:
            job.future.set_result(answer)
        return stores
