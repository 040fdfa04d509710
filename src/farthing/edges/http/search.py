"""Searches: from the text of a query to conditions on documents.

A query is clauses joined by AND (also without a word between them) or by OR, never both: `name~"pro" AND active:"true"`. A clause is a
field, `:` (is), `~` (contains, regardless of case), `>`, `>=`, `<` or `<=`, and a value in quotes, a number, or null; a `-` before it
turns it around; `metadata["key"]` is a field. `\\` before a quote keeps it part of the value.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from farthing.app.resources.desk import Desk
from farthing.app.resources.kinds import Kind
from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.resources.table import Document, Page, PageQuery, Test
from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal
from farthing.edges.http.lists import limit_of
from farthing.edges.http.refusals import SEARCH_FIELD_UNKNOWN, SEARCH_MALFORMED, SEARCH_PAGE_UNKNOWN

PARAMETERS = ("query", "limit", "page")
LONGEST, MOST_CLAUSES = 2_000, 10
_CLAUSE = re.compile(
    r"""(?P<negated>-)?
    (?P<field>[a-z_][a-z0-9_.]*)
    (?:\[(?P<key>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\])?
    \s*(?P<op>:|~|>=|<=|>|<)\s*
    (?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|-?[0-9]{1,18}(?![0-9.])|null\b)""",
    re.VERBOSE,
)
_BETWEEN = re.compile(r"\s+(AND|OR)\s+|\s+")
_OPS: dict[str, Literal["eq", "has", "gt", "gte", "lt", "lte"]] = {":": "eq", "~": "has", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_TAKES = {"text": "eq has", "token": "eq", "boolean": "eq", "number": "eq gt gte lt lte", "metadata": "eq"}


@dataclass(frozen=True, slots=True)
class Query:
    """A query, read: all conditions must hold, or, with `any_of`, one of them."""

    tests: tuple[Test, ...]
    any_of: bool = False


def read_query(text: str, fields: Mapping[str, str]) -> Query:
    """Read a query over fields, each of a type: `text` (is, contains), `token` (is), `boolean`, `number` (all but contains), `metadata`.

    Errors: search_malformed, search_field_unknown."""
    text = text.strip()
    if not 0 < len(text) <= LONGEST:
        raise Refusal(SEARCH_MALFORMED, f"a query has 1 to {LONGEST} characters.", "query")
    made: list[Test] = []
    joined: set[str] = set()
    at = 0
    while True:
        found = _CLAUSE.match(text, at)
        if found is None:
            raise Refusal(SEARCH_MALFORMED, f"there is no clause at {shown(text[at : at + 40])}.", "query")
        made.append(_test(found, fields))
        at = found.end()
        if at == len(text):
            break
        between = _BETWEEN.match(text, at)
        if between is None:
            raise Refusal(SEARCH_MALFORMED, f"clauses are not apart at {shown(text[at : at + 40])}.", "query")
        joined.add(between[1] or "AND")
        at = between.end()
    if len(joined) > 1:
        raise Refusal(SEARCH_MALFORMED, "AND and OR are mixed.", "query")
    if len(made) > MOST_CLAUSES:
        raise Refusal(SEARCH_MALFORMED, f"the query has {len(made)} clauses, more than {MOST_CLAUSES}.", "query")
    return Query(tuple(made), joined == {"OR"})


def _test(found: re.Match[str], fields: Mapping[str, str]) -> Test:
    name, key, op = found["field"], found["key"], _OPS[found["op"]]
    type_ = fields.get(name)
    if type_ is None or (type_ == "metadata") != (key is not None):
        raise Refusal(SEARCH_FIELD_UNKNOWN, f"{shown(name)} is no field to search by; there are {', '.join(sorted(fields))}.", "query")
    if op not in _TAKES[type_].split():
        raise Refusal(SEARCH_MALFORMED, f"{name} cannot be compared by {found['op']}.", "query")
    path = name if key is None else f"{name}.{_unquoted(key)}"
    return Test(path, op, _value(found["value"], type_, name), found["negated"] is not None)


def _value(raw: str, type_: str, name: str) -> str | int | bool | None:
    if raw == "null":
        return None
    text = _unquoted(raw)
    if type_ == "boolean":
        if text not in ("true", "false"):
            raise Refusal(SEARCH_MALFORMED, f'{name} is "true" or "false".', "query")
        return text == "true"
    if type_ == "number":
        if re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII) is None:
            raise Refusal(SEARCH_MALFORMED, f"{name} is compared with whole numbers.", "query")
        return int(text)
    return text


def _unquoted(raw: str) -> str:
    return re.sub(r"\\(.)", r"\1", raw[1:-1]) if raw[0] in "\"'" else raw


def page(desk: Desk, kind: Kind, params: Mapping[str, Any]) -> Page:
    """The page of a search that `query`, `limit` and `page` ask for. Errors: those of `read_query`, search_page_unknown."""
    query = read_query(params["query"], kind.search)
    after = None if params.get("page") is None else _place(params["page"])
    try:
        return desk.store.page(PageQuery(kind.name, limit_of(params), after, None, query.tests, query.any_of))
    except Refusal as refusal:
        if refusal.kind is RESOURCE_MISSING:
            raise Refusal(SEARCH_PAGE_UNKNOWN, "the page is none of this search's.", "page") from None
        raise


def _place(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode("ascii")).decode()
    except (ValueError, binascii.Error):
        raise Refusal(SEARCH_PAGE_UNKNOWN, f"{shown(token)} is no page.", "page") from None


def result_document(documents: list[Document], found: Page, url: str) -> dict[str, Any]:
    """A search's result as the wire has it: `next_page` asks for what comes behind."""
    next_page = base64.urlsafe_b64encode(found.rows[-1].id.encode()).decode() if found.more and found.rows else None
    return {"object": "search_result", "url": url, "has_more": found.more, "next_page": next_page, "data": documents}
