"""The registry of routes: which operations of the wire contract are served, by what, and which of their parameters are taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from farthing.app.resources import plain as verbs
from farthing.app.resources.desk import Desk
from farthing.app.resources.kinds import Kind
from farthing.app.resources.table import Document, Page, Row
from farthing.core.base.refusal import Refusal
from farthing.edges.http import lists as listing
from farthing.edges.http import search
from farthing.edges.http.refusals import PARAMETER_MISSING, PARAMETER_UNSUPPORTED
from farthing.edges.http.wire import contract
from farthing.edges.http.wire.contract import Operation


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key a request came with: the account's name, and the mode. `hash` is that of the key (`access.hashed`)."""

    account: str
    live: bool
    hash: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read: who works on it, its typed parameters (without `expand`), the names in its path, its operation, who asks."""

    desk: Desk
    params: Mapping[str, Any]
    ids: Mapping[str, str]
    operation: Operation
    caller: Caller

    @property
    def id(self) -> str:
        """The last name in the path: the resource that is asked for."""
        return self.ids[self.operation.ids[-1]]


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list as an answer. `url` is where the list is, `found` whether it is a search's result."""

    page: Page
    url: str
    found: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list that is no page of the table: documents that are computed, all or some of them."""

    documents: Sequence[Document]
    url: str
    more: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """An answer that is an error although the work stays done, such as a payment that was tried and declined. `extra` are further
    members of the error."""

    refusal: Refusal
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Undone:
    """An answer that says what would be: the work that it was found out by is undone."""

    document: Document


Answer = Document | Row | Listed | Items | Failed | Undone
Handler = Callable[[Call], Answer]
Verb = Callable[[Desk, Mapping[str, Any]], Row | Document]
Change = Callable[[Desk, str, Mapping[str, Any]], Row | Document]


@dataclass(frozen=True, slots=True)
class Route:
    """What serves an operation. `taken` are the parameters that it takes, as a tree: None takes all below; `required` those that must be
    sent beyond what the contract requires."""

    handler: Handler
    taken: Mapping[str, Any]
    writes: bool
    required: tuple[str, ...] = ()


ROUTES: dict[tuple[str, str], Route] = {}


def route(method: str, path: str, handler: Handler, takes: Sequence[str] = (), writes: bool | None = None) -> None:
    """Serve an operation, once. `path` is as the contract writes it (`/v1/coupons/{coupon}`). `takes` names parameters: `recurring`
    with everything in it, or `recurring[interval]` with that alone; `[]` is any entry of a list and `[*]` any key of a map. `expand` is
    always taken. `customer!` must be sent, though the contract does not require it. What the contract knows beyond is refused by name.
    `writes` says that a POST only computes (False)."""
    found = contract.operation(method, path)
    if found is None:
        raise ValueError(f"the wire contract has no operation {method} {path}")
    taken = _tree([name.removesuffix("!") for name in takes])
    unknown = set(taken) - set(found.params.fields)
    if unknown:
        raise ValueError(f"{method} {path} has no parameter {', '.join(sorted(unknown))}")
    if (method.upper(), path) in ROUTES:
        raise ValueError(f"{method} {path} has a route already")
    required = tuple(name.removesuffix("!") for name in takes if name.endswith("!"))
    ROUTES[method.upper(), path] = Route(handler, taken, method.upper() != "GET" if writes is None else writes, required)


def _tree(takes: Sequence[str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name in takes:
        node, parts = tree, name.replace("]", "").split("[")
        parts = [part or "*" for part in parts]
        for part in parts[:-1]:
            node = node.setdefault(part, {})
            if node is None:
                raise ValueError(f"{name} is taken already")
        if node.setdefault(parts[-1], None) is not None:
            raise ValueError(f"{name} is taken in part already")
    return tree


def refuse_untaken(taken: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """Refuse the first parameter that the contract knows and the route does not take. Errors: parameter_unsupported."""
    for name, value in params.items():
        if name != "expand":
            _refuse_within(taken, name, value, name)


def refuse_lacking(required: Sequence[str], params: Mapping[str, Any]) -> None:
    """Refuse a request that lacks what the route requires. Errors: parameter_missing."""
    for name in required:
        if params.get(name) is None:
            raise Refusal(PARAMETER_MISSING, f"{name} is required.", name)


def _refuse_within(taken: Mapping[str, Any], name: str, value: Any, place: str) -> None:
    if name not in taken and "*" not in taken:
        raise Refusal(PARAMETER_UNSUPPORTED, f"{place} is not supported by this version.", place)
    inner = taken[name] if name in taken else taken["*"]
    if inner is None:
        return
    entries = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, entry in entries:
        _refuse_within(inner, str(key), entry, f"{place}[{key}]")


def plain(
    kind: Kind,
    *,
    creates: Verb | None = None,
    takes: Sequence[str] = (),
    updates: Change | None = None,
    changes: Sequence[str] = (),
    deletes: bool = False,
    shows_deleted: bool = False,
    lists: Handler | None = None,
    lists_by: Sequence[str] = (),
) -> None:
    """Serve a kind's usual operations: GET of one and of the list, and, where asked for, POST that creates (`creates`, which `takes`
    these), POST that changes (`changes`; by `updates`, or by the verb that all kinds share), DELETE, and the search if the kind has
    fields to search by. The list takes the kind's filters; one that needs more has a handler of its own (`lists`), which takes `lists_by`
    as well. A deleted one is shown as deleted, or missing."""
    one = one_of(kind)
    route("GET", kind.collection, lists or (lambda call: listed(call, kind)), (*_paging(kind), *kind.filters, *lists_by))
    route("GET", one, lambda call: retrieved(call, kind, shows_deleted))
    if creates is not None:
        route("POST", kind.collection, lambda call: creates(call.desk, call.params), takes)
    if changes:
        change = updates or (lambda desk, id_, params: verbs.update(desk, kind, id_, params))
        route("POST", one, lambda call: change(call.desk, call.id, call.params), changes)
    if deletes:
        route("DELETE", one, lambda call: verbs.delete(call.desk, kind, call.id))
    if kind.search:
        route("GET", f"{kind.collection}/search", lambda call: searched(call, kind), search.PARAMETERS)


def _paging(kind: Kind) -> list[str]:
    """The parameters of pages that a kind's list has: some have no `created`."""
    found = contract.operation("GET", kind.collection)
    return [name for name in listing.PARAMETERS if found is None or name in found.params.fields]


def one_of(kind: Kind) -> str:
    """The path of a single resource of a kind, as the contract writes it."""
    found = {one.path for one in contract.operations() if one.path.rpartition("/")[0] == kind.collection and one.path.endswith("}")}
    if len(found) != 1:
        raise ValueError(f"the wire contract has {len(found)} paths of one {kind.name}")
    return found.pop()


def retrieved(call: Call, kind: Kind, shows_deleted: bool = False) -> Document:
    """The resource that the path names. Errors: resource_missing."""
    row = verbs.find(call.desk, kind, call.id) if shows_deleted else None
    if row is not None and row.deleted:
        return {"id": row.id, "object": kind.name, "deleted": True}
    return verbs.need(call.desk, kind, call.id).document


def listed(call: Call, kind: Kind) -> Listed:
    """The page of a kind's list that the parameters ask for; filters compare the field of their name."""
    return Listed(listing.page(call.desk, kind.name, call.params, listing.tests(call.params)), kind.collection)


def searched(call: Call, kind: Kind) -> Listed:
    """The page of a search's result that the parameters ask for."""
    return Listed(search.page(call.desk, kind, call.params), f"{kind.collection}/search", found=True)


def shown(answer: Answer) -> Document:
    """What a handler's answer is on the wire, before anything in it is expanded."""
    match answer:
        case Row():
            return answer.document
        case Listed(page=page, url=url, found=True):
            return search.result_document([row.document for row in page.rows], page, url)
        case Listed(page=page, url=url):
            return listing.list_document([row.document for row in page.rows], page.more, url)
        case Items(documents=documents, url=url, more=more):
            return listing.list_document(documents, more, url)
        case Undone(document=document):
            return document
        case Failed():
            raise TypeError("a failure has an envelope of its own")
    return answer
