"""Resources, API keys and answers in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from farthing.app.resources.access import ANSWERS_KEPT, ApiKey, Begun, Conflict, FoundKey, InUse, Mode, Replay
from farthing.app.resources.refusals import API_KEY_UNKNOWN, RESOURCE_EXISTS, RESOURCE_MISSING
from farthing.app.resources.table import Document, Page, PageQuery, Row
from farthing.app.resources.values import checked, kept, named, passes
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Instant
from farthing.core.events.fields import read_storable
from farthing.testing.memory_state import Held


class MemoryResources(Held):
    """The table of resources. With one transaction at a time there is nothing to lock."""

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
        """Add a resource. Errors: resource_already_exists, text_too_long (the id), text_not_storable."""
        key = (named(kind, "object"), named(id_, "id"))
        contents = kept(document), kept(hidden or {})
        if key in self._state.resources:
            raise Refusal(RESOURCE_EXISTS, f"there is a {kind} {id_[:80]!r} already.", "id")
        self._state.places += 1
        self._state.resources[key] = Row(kind, id_, created, self._state.places, contents[0], False, clock, due_at, contents[1])

    def find(self, kind: str, id_: str, lock: bool = False) -> Row | None:
        """The row of an id, deleted ones too. Errors: text_not_storable."""
        del lock  # nobody else is there
        found = self._state.resources.get((kind, read_storable(id_, "id")))
        return None if found is None else _copy(found)

    def put(self, row: Row) -> None:
        """Replace a row that is there by this one: document, deleted, clock, due_at, hidden. Errors: resource_missing."""
        known = self.find(row.kind, row.id)
        if known is None:
            raise Refusal(RESOURCE_MISSING, f"there is no {row.kind} {row.id[:80]!r}.", "id")
        self._state.resources[(row.kind, row.id)] = replace(_copy(row), created=known.created, place=known.place)

    def page(self, query: PageQuery) -> Page:
        """A page. Errors: resource_missing when `after` or `before` name no row of the kind; text_not_storable."""
        tests = [checked(test) for test in query.tests]
        every = any if query.any_of and tests else all
        rows = [row for row in self._of(query.kind) if every(passes(row, test) for test in tests)]
        rows.sort(key=_order, reverse=query.before is None)
        cursor = query.after if query.before is None else query.before
        if cursor is not None:
            at = self.find(query.kind, cursor)
            if at is None:
                raise Refusal(RESOURCE_MISSING, f"there is no {query.kind} {cursor[:80]!r}.", "starting_after" if query.after else "ending_before")
            rows = [row for row in rows if (_order(row) < _order(at) if query.before is None else _order(row) > _order(at))]
        found = [_copy(row) for row in rows[: query.limit]]
        return Page(tuple(found if query.before is None else reversed(found)), len(rows) > query.limit)

    def due(self, kind: str, up_to: Instant, clock: str | None, limit: int) -> Sequence[Row]:
        """Rows of a kind and test clock (None: those on the wall clock) on which work is due by an instant, earliest first."""
        due = [(row.due_at, row.place, row) for row in self._of(kind) if row.clock == clock and row.due_at is not None and row.due_at <= up_to]
        return [_copy(row) for _, _, row in sorted(due, key=lambda one: one[:2])[:limit]]

    def claim(self, scope: str, name: str, owner: str) -> str | None:
        """Take a name for an owner: None, or who has it already (another owner; one's own is kept). Errors: text_too_long,
        text_not_storable."""
        holder = self._state.claims.setdefault((scope, named(name, scope)), owner)
        return None if holder == owner else holder

    def release(self, scope: str, name: str, owner: str) -> None:
        """Give a name back; what another owns stays."""
        if self._state.claims.get((scope, name)) == owner:
            del self._state.claims[(scope, name)]

    def next_number(self, series: str) -> int:
        """The next number of a series, from 1, gapless: it is given back if the transaction does not commit. Errors: text_too_long."""
        number = self._state.series[series] = self._state.series.get(named(series, "series"), 0) + 1
        return number

    def _of(self, kind: str) -> Sequence[Row]:
        return [row for (each, _), row in self._state.resources.items() if each == kind and not row.deleted]


class MemoryAccess(Held):
    """Keys and answers, of one account and mode, whose names may be set."""

    account: str = "memory"
    mode: Mode = "test"

    def find_key(self, hash_: bytes) -> FoundKey | None:
        """The key of a hash, also one that is not valid any more."""
        key = self._state.api_keys.get(hash_)
        return None if key is None else FoundKey(self.account, self.mode, key)

    def add_key(self, key: ApiKey) -> bool:
        """Keep an API key; False, and nothing changes, if its hash or id is taken."""
        if key.hash in self._state.api_keys or any(key.id == one.id for one in self.api_keys()):
            return False
        self._state.api_keys[key.hash] = key
        return True

    def revoke_key(self, id_: str, at: Instant) -> ApiKey:
        """Make a key invalid from an instant on, and return it; one that is revoked already stays as it is. Errors: api_key_unknown."""
        key = next((key for key in self.api_keys() if key.id == id_), None)
        if key is None:
            raise Refusal(API_KEY_UNKNOWN, f"there is no API key {id_[:80]!r}.", "id")
        revoked = self._state.api_keys[key.hash] = replace(key, revoked_at=at if key.revoked_at is None else key.revoked_at)
        return revoked

    def api_keys(self) -> Sequence[ApiKey]:
        """All keys, also those not valid any more, newest first."""
        return sorted(self._state.api_keys.values(), key=lambda key: (-key.created_at, key.id))

    def begin_request(self, key: str, fingerprint: bytes, at: Instant) -> Begun | Replay | Conflict | InUse:
        """Begin a request, inside the transaction that does its work and ends with `finish_request`; RuntimeError outside of one."""
        if not self._depth:
            raise RuntimeError("a request begins inside the transaction that does its work")
        if key in self._state.begun:
            return InUse()
        begun, replay = self._state.answers.get(key, (None, None))
        if begun is not None and replay is not None and begun.at > at - ANSWERS_KEPT:
            return replay if begun.fingerprint == fingerprint else Conflict()
        self._state.answers.pop(key, None)
        self._state.begun.add(key)
        return Begun(key, fingerprint, at)

    def finish_request(self, begun: Begun, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Keep the answer, which is given again from the commit on."""
        self._state.begun.discard(begun.key)
        self._state.answers[begun.key] = (begun, Replay(status, dict(headers), body))

    def forget_requests(self, up_to: Instant, limit: int = 10_000) -> int:
        """Delete at most `limit` answers that were begun at or before an instant, oldest first; returns how many."""
        old = sorted((begun for begun, _ in self._state.answers.values() if begun.at <= up_to), key=lambda begun: begun.at)[:limit]
        for begun in old:
            del self._state.answers[begun.key]
        return len(old)


def _order(row: Row) -> tuple[int, int]:
    return row.created, row.place


def _copy(row: Row) -> Row:
    return replace(row, document=kept(row.document), hidden=kept(row.hidden))
