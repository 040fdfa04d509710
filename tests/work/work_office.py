"""An account in which work falls due, for tests: a store, a clock that stands until it is moved, ids that count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from farthing.app.resources.desk import Desk
from farthing.app.resources.table import PageQuery, Row
from farthing.app.work import kinds
from farthing.app.work.due import run_due
from farthing.app.work.registry import WORKS
from farthing.core.base.time import MICROS, Instant, parse_instant

BEGINNING = parse_instant("2026-01-01T00:00:00Z")
THING = "thing"
_numbers = count(1)


@contextmanager
def forget_work() -> Iterator[None]:
    """What is registered within the block is forgotten after it."""
    kinds.register()
    before = dict(WORKS)
    try:
        yield
    finally:
        WORKS.clear()
        WORKS.update(before)


def new_id(prefix: str) -> str:
    return f"{prefix}_{next(_numbers):08d}"


@dataclass
class Office:
    """A store of one account, and the wall clock."""

    store: Any
    account: str
    further: Callable[[], Any]
    at: Instant = BEGINNING
    done: list[str] = field(default_factory=list)

    @property
    def desk(self) -> Desk:
        return self.desk_at(self.at)

    def desk_at(self, at: Instant) -> Desk:
        return Desk(self.store, at, new_id)

    def run(self, *names: str, limit: int = 100) -> int:
        """Do what is due now."""
        return run_due(self.desk_at, names or tuple(WORKS), self.at, limit)

    def forward(self, seconds: float) -> None:
        self.at += int(seconds * MICROS)

    def thing(self, id_: str, due: float | None, kind: str = THING, clock: str | None = None) -> None:
        """A row that is due so many seconds after the beginning."""
        due_at = None if due is None else BEGINNING + int(due * MICROS)
        self.store.add(kind, id_, BEGINNING // MICROS, {"id": id_, "runs": 0}, due_at=due_at, clock=clock)

    def find(self, id_: str, kind: str = THING) -> Row:
        row: Row | None = self.store.find(kind, id_)
        assert row is not None
        return row

    def due_in(self, id_: str, kind: str = THING) -> float | None:
        """Seconds from now until a row is due."""
        due_at = self.find(id_, kind).due_at
        return None if due_at is None else (due_at - self.at) / MICROS

    def events(self) -> list[str]:
        """The types of all events, in the order in which they were told."""
        return [row.document["type"] for row in sorted(self.store.page(PageQuery("event", 10_000)).rows, key=lambda row: row.place)]

    def once(self, desk: Desk, row: Row) -> None:
        """Work that is done once."""
        self.done.append(row.id)
        desk.store.put(replace(row, document={**row.document, "runs": row.document["runs"] + 1}, due_at=None))
