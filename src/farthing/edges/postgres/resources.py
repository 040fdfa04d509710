"""Resources: documents with what lists and due work need of them beside, claims of names, and series of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from farthing.app.resources.refusals import RESOURCE_EXISTS, RESOURCE_MISSING
from farthing.app.resources.table import Document, Page, PageQuery, Row, Test
from farthing.app.resources.values import COMPARISONS, CREATED, checked, kept, named, steps
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Instant
from farthing.core.events.fields import read_storable
from farthing.edges.postgres.session import Connection, Session
from farthing.edges.postgres.statements import statement

_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_COLUMNS = {
    **{name: name for name in ("customer", "subscription", "invoice", "payment_intent", "product", "email", "lookup_key", "type")},
    "parent.subscription_details.subscription": "parent_subscription",
}
"""The paths that have a column of their own, and with it an index."""
_COLUMN_LENGTH = 200
_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class ResourceTables:
    """The table of resources."""

    def __init__(self, session: Session) -> None:
        self._session = session

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
        key = {"kind": named(kind, "object"), "id": named(id_, "id"), "created": created}
        contents = {"document": _written(document), "hidden": _written(hidden or {})}
        if self._session.value("insert_resource", {**key, **contents, "clock": clock, "due_at": due_at}) is None:
            raise Refusal(RESOURCE_EXISTS, f"there is a {kind} {id_[:80]!r} already.", "id")

    def find(self, kind: str, id_: str, lock: bool = False) -> Row | None:
        """The row of an id, deleted ones too; with `lock` nobody else can change it until the transaction ends. Errors: text_not_storable."""
        key = {"kind": kind, "id": read_storable(id_, "id")}
        return next(map(_row, self._session.rows("lock_resource" if lock else "resource", key)), None)

    def put(self, row: Row) -> None:
        """Replace a row that is there by this one: document, deleted, clock, due_at, hidden. Errors: resource_missing."""
        changed = {"document": _written(row.document), "hidden": _written(row.hidden), "deleted": row.deleted, "clock": row.clock}
        if self._session.value("put_resource", {"kind": row.kind, "id": row.id, **changed, "due_at": row.due_at}) is None:
            raise Refusal(RESOURCE_MISSING, f"there is no {row.kind} {row.id[:80]!r}.", "id")

    def page(self, query: PageQuery) -> Page:
        """A page. Errors: resource_missing when `after` or `before` name no row of the kind; text_not_storable."""
        cursor, at = query.after if query.before is None else query.before, None
        if cursor is not None:
            at = self.find(query.kind, cursor)
            if at is None:
                raise Refusal(RESOURCE_MISSING, f"there is no {query.kind} {cursor[:80]!r}.", "starting_after" if query.after else "ending_before")
        text, values = _listing(query, at)
        # Planned anew each time: which index serves it depends on the values.
        rows = self._session.run(lambda connection: connection.execute(text, values, prepare=False).fetchall())
        found = [_row(row) for row in rows[: query.limit]]
        return Page(tuple(found if query.before is None else reversed(found)), len(rows) > query.limit)

    def due(self, kind: str, up_to: Instant, clock: str | None, limit: int) -> Sequence[Row]:
        """Rows of a kind and test clock (None: those on the wall clock) on which work is due by an instant, earliest first, none that
        another transaction has locked; they stay locked until the transaction ends."""
        values = {"kind": kind, "up_to": up_to, "clock": clock, "limit": limit}
        return [_row(row) for row in self._session.rows("due_resources" if clock is None else "due_resources_by_clock", values)]

    def claim(self, scope: str, name: str, owner: str) -> str | None:
        """Take a name for an owner: None, or who has it already (another owner; one's own is kept). Waits for a transaction that has
        taken it and is not over. Errors: text_too_long, text_not_storable."""
        values = {"scope": scope, "name": named(name, scope), "owner": owner}

        def take(connection: Connection) -> str | None:
            while connection.execute(statement("insert_claim"), values).fetchone() is None:
                row = connection.execute(statement("claim"), values).fetchone()
                if row is not None:  # else it was given back in between
                    return None if row[0] == owner else str(row[0])
            return None

        return self._session.run(take)

    def release(self, scope: str, name: str, owner: str) -> None:
        """Give a name back; what another owns stays."""
        values = {"scope": scope, "name": name, "owner": owner}
        self._session.run(lambda connection: connection.execute(statement("release_claim"), values))

    def next_number(self, series: str) -> int:
        """The next number of a series, from 1, gapless: it is given back if the transaction does not commit, and until then others wait
        for it. Not repeated by itself: the number of a commit that arrived would be lost. Errors: text_too_long."""
        values = {"name": named(series, "series")}

        def give(connection: Connection) -> int:
            row = connection.execute(statement("next_number"), values).fetchone()
            assert row is not None
            return int(row[0])

        return self._session.run(give, repeatable=False)


def _listing(query: PageQuery, at: Row | None) -> tuple[bytes, dict[str, Any]]:
    """The statement of a page behind a row, or before it, with its values. The text is made of constants of this file and of sql/ alone."""
    conditions, values = _conditions(query)
    direction, sign = ("DESC", "<") if query.before is None else ("ASC", ">")
    if at is not None:
        conditions.append(f"(created, place) {sign} (%(created)s, %(place)s)")
        values |= {"created": at.created, "place": at.place}
    text = statement("page_of_resources").decode().format(conditions=" AND ".join(conditions) or "true", direction=direction)
    return text.encode(), {**values, "kind": query.kind, "limit": query.limit + 1}


def _conditions(query: PageQuery) -> tuple[list[str], dict[str, Any]]:
    """The conditions of a query as SQL without any value in it, and the values."""
    values: dict[str, Any] = {}
    exact = [_condition(checked(test), n, values) for n, test in enumerate(query.tests)]
    if query.any_of and exact:
        return [f"({' OR '.join(exact)})"], values
    return [*_indexed(query.tests, values), *exact], values


def _condition(test: Test, n: int, values: dict[str, Any]) -> str:
    """One condition, its values bound under numbers: true or false, never null."""
    path, value = f"document #> %(path{n})s::text[]", f"%(value{n})s"
    values[f"path{n}"], values[f"value{n}"] = list(steps(test.path)), test.value
    if test.op == "eq" and test.value is None:
        text = f"coalesce({path}, 'null') = 'null'"
        del values[f"value{n}"]
    elif test.op == "eq":
        text = f"{path} = {value}::jsonb"
        values[f"value{n}"] = _encode(test.value).decode()
    elif test.op == "has":
        text = f"jsonb_typeof({path}) = 'string' AND strpos({_lower(f'document #>> %(path{n})s::text[]')}, {_lower(f'{value}::text')}) > 0"
    elif test.path == CREATED:
        text = f"created {_SIGNS[test.op]} {value}"
        del values[f"path{n}"]
    else:
        text = f"CASE WHEN jsonb_typeof({path}) = 'number' THEN ({path})::numeric {_SIGNS[test.op]} {value} END"
    if test.op in COMPARISONS and test.path == CREATED:  # bare, as it can bound the scan of an index
        return f"NOT {text}" if test.negated else text
    return f"{'NOT ' if test.negated else ''}coalesce({text}, false)"


def _indexed(tests: Iterable[Test], values: dict[str, Any]) -> list[str]:
    """What of the conditions an index serves, in addition: columns hold the beginnings of texts."""
    found = []
    for test in tests:
        column = _COLUMNS.get(test.path)
        if column is not None and test.op == "eq" and not test.negated and isinstance(test.value, str):
            found.append(f"{column} = %({column})s")
            values.setdefault(column, test.value[:_COLUMN_LENGTH])
    return found


def _lower(text: str) -> str:
    return f'lower(({text}) COLLATE "pg_c_utf8")'


def _written(document: Mapping[str, Any]) -> str:
    return _encode(kept(document)).decode()


def _row(columns: tuple[Any, ...]) -> Row:
    kind, id_, created, place, document, deleted, clock, due_at, hidden = columns
    return Row(kind, id_, created, place, _decode(document), deleted, clock, due_at, _decode(hidden))
