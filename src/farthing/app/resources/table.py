"""What the verbs need of a store to keep resources. Both stores pass one contract suite (tests/store/test_resources.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from farthing.core.base.time import Instant

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A resource as it is kept. `document` is what the API shows; `created` is in whole seconds, `place` grows with every row that is
    added, in the account, so that (created, place) orders all. `clock` is the test clock it lives by, `due_at` the instant (UTC
    microseconds) from which work on it is due, None when there is none. `hidden` is what must never be shown (secrets, links)."""

    kind: str
    id: str
    created: int
    place: int
    document: Document
    deleted: bool = False
    clock: str | None = None
    due_at: Instant | None = None
    hidden: Document = field(default_factory=dict, repr=False)  # nor may a log ever show it


@dataclass(frozen=True, slots=True)
class Test:
    """One condition on a field of documents, by its dotted path: `op` "eq" compares exactly (with None: absent or null), "has" looks
    for a text inside, regardless of case, the others compare numbers. `negated` turns it around."""

    path: str
    op: Literal["eq", "has", "gt", "gte", "lt", "lte"]
    value: str | int | bool | None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which page of a kind's rows, newest first: those that pass all `tests` (or, with `any_of`, one of them), behind the row `after` or
    just before the row `before` (ids; at most one), `limit` of them. Deleted rows are left out."""

    kind: str
    limit: int
    after: str | None = None
    before: str | None = None
    tests: tuple[Test, ...] = ()
    any_of: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Rows newest first, and whether there are more beyond them in the direction that was asked for."""

    rows: tuple[Row, ...]
    more: bool


class Resources(Protocol):
    """The table of resources, for one account and mode."""

    def add(
        self,
        kind: str,
        id_: str,
        created: int,
        document: Document,
        *,
        clock: str | None = None,
        due_at: Instant | None = None,
        hidden: Document | None = None,
    ) -> None:
        """Add a resource. Errors: resource_exists."""
        ...

    def find(self, kind: str, id_: str, lock: bool = False) -> Row | None:
        """The row of an id, deleted ones too; with `lock` nobody else can change it until the transaction ends."""
        ...

    def put(self, row: Row) -> None:
        """Replace a row that is there by this one: document, deleted, clock, due_at, hidden."""
        ...

    def page(self, query: PageQuery) -> Page:
        """A page. Errors: resource_missing when `after` or `before` name no row of the kind."""
        ...

    def due(self, kind: str, up_to: Instant, clock: str | None, limit: int) -> Sequence[Row]:
        """Rows of a kind and test clock (None: those on the wall clock) on which work is due by an instant, earliest first, none that
        another transaction has locked; they stay locked until the transaction ends."""
        ...

    def claim(self, scope: str, name: str, owner: str) -> str | None:
        """Take a name for an owner: None, or who has it already (another owner; one's own is kept)."""
        ...

    def release(self, scope: str, name: str, owner: str) -> None:
        """Give a name back; what another owns stays."""
        ...

    def next_number(self, series: str) -> int:
        """The next number of a series, from 1, gapless: it is given back if the transaction does not commit."""
        ...
