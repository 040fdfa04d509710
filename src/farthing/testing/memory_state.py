"""What the store in memory holds, and its transactions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, fields
from typing import Any

from farthing.app.resources.access import ApiKey, Begun, Replay
from farthing.app.resources.table import Row
from farthing.app.store import LinePayload, StoredDocument
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Instant
from farthing.core.base.timeline import Version
from farthing.core.catalog.terms import Grant, PriceVersion
from farthing.core.contract.contract import Contract
from farthing.core.contract.declare import Declaration
from farthing.core.events.event import Fact
from farthing.core.usage.meter import Meter


@dataclass(slots=True)
class State:
    """All that is stored. Values inside the containers are never changed in place, so that a copy of the containers is a copy."""

    facts: list[Fact] = field(default_factory=list)  # at position index + 1
    recorded: list[Instant | None] = field(default_factory=list)  # when each of them came
    identifiers: dict[str, tuple[Any, str]] = field(default_factory=dict)
    cancels: set[tuple[str, str]] = field(default_factory=set)
    replacements: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[Fact, Refusal]] = field(default_factory=list)
    checkpoints: dict[str, str] = field(default_factory=dict)
    revision: int = 0
    customers: dict[str, tuple[int, Any]] = field(default_factory=dict)  # → (revision, document)
    meters: dict[str, tuple[int, Meter]] = field(default_factory=dict)
    prices: list[Version[PriceVersion]] = field(default_factory=list)
    contracts: dict[str, Contract] = field(default_factory=dict)
    declared: dict[str, Declaration] = field(default_factory=dict)  # contract → what it was declared anew by
    granted: dict[str, tuple[str, Grant]] = field(default_factory=dict)  # → (customer, the grant as it was granted)
    remaining: dict[str, int] = field(default_factory=dict)
    drafts: dict[str, StoredDocument] = field(default_factory=dict)
    documents: dict[str, StoredDocument] = field(default_factory=dict)
    lines: dict[str, tuple[LinePayload, ...]] = field(default_factory=dict)
    billed: dict[str, int] = field(default_factory=dict)  # charge key's text → minor units on final documents
    entries: dict[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    waivers: list[tuple[str, str, int, str]] = field(default_factory=list)  # (contract, key, amount, reason)
    closed_through: str = ""
    resources: dict[tuple[str, str], Row] = field(default_factory=dict)  # (kind, id) → its row
    places: int = 0
    claims: dict[tuple[str, str], str] = field(default_factory=dict)  # (scope, name) → owner
    series: dict[str, int] = field(default_factory=dict)
    api_keys: dict[bytes, ApiKey] = field(default_factory=dict)  # by hash
    begun: set[str] = field(default_factory=set)  # idempotency keys of requests that are worked on
    answers: dict[str, tuple[Begun, Replay]] = field(default_factory=dict)

    def copied(self) -> State:
        """A copy that further writes do not reach."""
        return State(**{one.name: copy(getattr(self, one.name)) for one in fields(self)})


class Held:
    """Base of the parts of the store: they share one state."""

    def __init__(self) -> None:
        self._state = State()
        self._depth = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything written inside is kept, or, when the block raises, nothing of it."""
        before = self._state.copied() if self._depth == 0 else None
        self._depth += 1
        try:
            yield
        except BaseException:
            if before is not None:
                self._state = before
            raise
        finally:
            self._depth -= 1
