"""The worker: looks for due work of all accounts and modes, again and again, until it is told to stop. Any number may run side by side."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from farthing.app.resources.access import ANSWERS_KEPT, Access, Mode
from farthing.app.resources.desk import Desk, ResourceStore
from farthing.app.work.due import run_due
from farthing.app.work.faults import LOG, lost, reason
from farthing.core.base.time import MICROS, Instant

HOUSEKEEPING: Instant = 600 * MICROS
"""How often answers that are too old to be given again are deleted, in microseconds."""


OpenDesk = Callable[[ResourceStore, Instant, bool], Desk]


class WorkStore(ResourceStore, Access, Protocol):
    """What the worker needs of the store of one account and mode."""


class Offices(Protocol):
    """All accounts and modes, for one thread."""

    def due(self, kinds: Sequence[str], up_to: Instant) -> Sequence[tuple[str, Mode]]:
        """The accounts and modes that have work on rows of these kinds due by an instant of the wall clock."""
        ...

    def answered(self, up_to: Instant) -> Sequence[tuple[str, Mode]]:
        """The accounts and modes that keep answers which were begun at or before an instant."""
        ...

    def of(self, account: str, mode: Mode) -> AbstractContextManager[WorkStore]:
        """The store of an account and mode, for as long as the block lasts."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


class Stop(Protocol):
    """What a worker is told to stop by, such as a `threading.Event`."""

    def is_set(self) -> bool:
        """Whether it is to stop."""
        ...

    def wait(self, timeout: float | None = None) -> bool:
        """Wait up to so many seconds, and until it is to stop at most; returns whether it is."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How a worker paces itself: pieces of work in one turn of an account, and seconds between looks when there is nothing to do, from
    the shortest, doubled up to the longest; after the database was lost, up to `lost` seconds."""

    turn: int = 50
    shortest: float = 0.05
    longest: float = 1.0
    lost: float = 10.0


class Worker:
    """One thread's worth of work on some kinds. `now` is the wall clock; `open_desk` makes the desk of a store, an instant, and whether it
    is live mode."""

    def __init__(self, offices: Offices, kinds: Collection[str], now: Callable[[], Instant], open_desk: OpenDesk, pace: Pace | None = None) -> None:
        self._offices, self._kinds, self._now, self._open_desk = offices, tuple(kinds), now, open_desk
        self._pace = pace or Pace()
        self._kept_house = -HOUSEKEEPING

    def run(self, stop: Stop) -> None:
        """Work until `stop` is set; the row that is being worked on is finished. Closes the offices at the end."""
        pause = self._pace.shortest
        try:
            while not stop.is_set():
                try:
                    done, longest = self.turn(stop), self._pace.longest
                except Exception as error:  # whatever it is: the next look may do better, and nobody else would look
                    LOG.error("the worker waits: %s", reason(error), exc_info=None if lost(error) else error)
                    done, longest = 0, self._pace.lost
                if done:
                    pause = self._pace.shortest
                else:
                    stop.wait(min(pause, longest))
                    pause = min(2 * pause, longest)
        finally:
            self._offices.close()

    def turn(self, stop: Stop | None = None) -> int:
        """Look once, and give each account that has due work its turn; returns how many pieces of work were done."""
        self._keep_house()
        done = 0
        for account, mode in self._offices.due(self._kinds, self._now()):
            with self._offices.of(account, mode) as store:
                done += self._turn_of(store, mode == "live", stop)
        return done

    def _turn_of(self, store: ResourceStore, live: bool, stop: Stop | None) -> int:
        for done in range(self._pace.turn):
            if stop is not None and stop.is_set():
                return done
            if not run_due(lambda at: self._open_desk(store, at, live), self._kinds, self._now(), 1):
                return done
        return self._pace.turn

    def _keep_house(self) -> None:
        """Delete the answers of requests that are too old to be given again, now and then."""
        at = self._now()
        if at - self._kept_house < HOUSEKEEPING:
            return
        self._kept_house = at
        for account, mode in self._offices.answered(at - ANSWERS_KEPT):
            with self._offices.of(account, mode) as store:
                store.forget_requests(at - ANSWERS_KEPT)
