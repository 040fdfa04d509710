"""What every verb on resources works with: the store, the time, a maker of ids, and who asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from farthing.app.resources.table import Resources
from farthing.app.store import Store
from farthing.core.base.time import Instant

if TYPE_CHECKING:
    from farthing.app.payments.processor import Processor


class ResourceStore(Store, Resources, Protocol):
    """A store that keeps resources as well."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Who does the work of one request or of one piece of due work.

    `at` is the time that the work is done at, in UTC microseconds: the wall clock, or for what lives by a test clock the time of that
    (`app/clocks`), whose id is `clock`; then `wall` is the wall clock. `request` and `idempotency_key` name the request that asked for
    it, None for due work; events carry them. `live` is the mode. `processor` moves money, where there is one."""

    store: ResourceStore
    at: Instant
    new_id: Callable[[str], str]
    live: bool = False
    request: str | None = None
    idempotency_key: str | None = None
    clock: str | None = None
    wall: Instant | None = None
    processor: Processor | None = None

    @property
    def second(self) -> int:
        """The time in whole seconds."""
        return self.at // 1_000_000

    @property
    def wall_clock(self) -> Instant:
        """The wall clock, whichever clock `at` is of."""
        return self.at if self.wall is None else self.wall
