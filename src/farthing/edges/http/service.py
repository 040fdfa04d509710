"""What is done for one request, from its bytes to those of its answer, by one thread."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from farthing.app.payments.processor import Processor
from farthing.app.resources.access import Begun, FoundKey, Replay
from farthing.app.resources.changes import API_VERSION
from farthing.app.resources.desk import Desk
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import NOT_AN_OBJECT
from farthing.core.base.time import Instant
from farthing.core.events.exact_json import decode_json
from farthing.core.events.fields import read_storable
from farthing.edges.http import expand, idempotency, keys, problem
from farthing.edges.http.limits import RateLimit
from farthing.edges.http.pool import ApiStore, Stores
from farthing.edges.http.refusals import (
    CONTENT_TYPE_UNSUPPORTED,
    ID_INVALID,
    METHOD_NOT_ALLOWED,
    OPERATION_UNSUPPORTED,
    SERVER_ERROR,
    URL_UNKNOWN,
)
from farthing.edges.http.routes import ROUTES, Call, Caller, Failed, Route, Undone, refuse_lacking, refuse_untaken, shown
from farthing.edges.http.wire import contract, forms, params
from farthing.edges.http.wire.contract import Operation

LOG = logging.getLogger("farthing.http")
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
METHODS = ("GET", "POST", "DELETE")
CLASHES = 3
"""How often work is done anew when the database ended it because two transactions got into each other's way."""
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came. `path` is still percent-encoded, `headers` have names in lower case, `id` is the one that it was given."""

    id: str
    method: str
    path: str
    query: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, headers of its own, and the bytes of its document."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Work:
    """A request that was read: what is to be done, and what makes it this request where it carries an idempotency key."""

    operation: Operation
    ids: Mapping[str, str]
    route: Route
    params: Mapping[str, Any]
    paths: tuple[str, ...]
    key: str | None
    print_: bytes


class Service:
    """Answers requests. `now` and `new_id` are the clock and the maker of ids; without a `limit` keys may ask as often as they like.
    `processor` moves money."""

    def __init__(
        self, now: Callable[[], Instant], new_id: Callable[[str], str], limit: RateLimit | None = None, processor: Processor | None = None
    ) -> None:
        self._now, self._new_id, self._limit, self._processor = now, new_id, limit, processor

    def answer(self, stores: Stores, request: Request) -> Reply:
        """The answer to a request; whatever goes wrong is an answer, too."""
        try:
            at = self._now()
            found = keys.authenticate(stores, keys.sent_key(request.headers), at)
            self.admit(found, request.headers)
            work = self._read(request, found)
            with stores.of(found.account, found.mode) as store:
                return self._answered(store, found, request, work, at)
        except Exception as error:
            return failed(error, request)

    def now(self) -> Instant:
        """The wall clock."""
        return self._now()

    def admit(self, found: FoundKey, headers: Mapping[str, str]) -> None:
        """Count a request of a key, and refuse one for another account. Errors: rate_limit, account_forbidden."""
        if self._limit is not None:
            self._limit.take(found.key.id)
        keys.check_account(found, headers.get("stripe-account"))

    def _read(self, request: Request, found: FoundKey) -> _Work:
        operation, ids = asked_for(request)
        route = ROUTES.get((operation.method, operation.path))
        keys.authorise(found, operation.path, operation.method != "GET" if route is None else route.writes)
        if route is None:
            raise Refusal(OPERATION_UNSUPPORTED, f"{operation.method} {operation.path} is not supported by this version.", None)
        nested = sent(request, operation)
        typed = params.read_json(operation, nested) if operation.json else params.read(operation, nested)
        refuse_untaken(route.taken, typed)
        refuse_lacking(route.required, typed)
        paths = expand.read_paths(operation, typed.pop("expand", None) or ())
        key = request.headers.get("idempotency-key") if operation.method != "GET" else None
        print_ = b""
        if key is not None:
            key = idempotency.read_idempotency_key(key)
            print_ = idempotency.fingerprint(request.method, request.path, request.headers.get("stripe-account"), nested)
        return _Work(operation, ids, route, typed, paths, key, print_)

    def _answered(self, store: ApiStore, found: FoundKey, request: Request, work: _Work, at: Instant) -> Reply:
        desk = Desk(store, at, self._new_id, found.mode == "live", request.id, work.key, processor=self._processor)
        call = Call(desk, work.params, work.ids, work.operation, Caller(found.account, found.mode == "live", found.key.hash))
        clashes = 0
        while True:
            try:
                return _done(store, call, work, at)
            except Refusal as refusal:
                clashes += 1
                if _clash(refusal) and clashes <= CLASHES:
                    continue
                reply = refused(refusal, request, work.operation.ids)
                if work.key is not None and _kept(reply.status):
                    _keep(store, work, reply, at)
                return reply


class _Undo(Exception):
    """Undoes the transaction, with the answer that was found in it."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


def _done(store: ApiStore, call: Call, work: _Work, at: Instant) -> Reply:
    """Do the work and keep the answer, in one transaction; or find the answer of the first time. Work that only shows what would be is
    undone, and its answer not kept: asked again, it may be another."""
    try:
        return _worked(store, call, work, at)
    except _Undo as undo:
        return undo.reply


def _worked(store: ApiStore, call: Call, work: _Work, at: Instant) -> Reply:
    with store.transaction():
        begun = None if work.key is None else idempotency.begin(store, work.key, work.print_, at)
        if isinstance(begun, Replay):
            return Reply(begun.status, {**begun.headers, "Idempotent-Replayed": "true"}, begun.body)
        answer = work.route.handler(call)
        if isinstance(answer, Failed):
            how = problem.manner(answer.refusal, work.operation.ids)
            reply = Reply(how.status, how.headers, encode(problem.envelope(answer.refusal, how.type, answer.extra)))
        else:
            document = expand.expanded(call.desk, shown(answer), work.paths)
            reply = Reply(200, {}, encode(document))
        if isinstance(answer, Undone):
            raise _Undo(reply)
        if isinstance(begun, Begun):
            store.finish_request(begun, reply.status, _original(call.desk.request), reply.body)
        return reply


def _original(request: str | None) -> dict[str, str]:
    return {} if request is None else {"Original-Request": request}


def _kept(status: int) -> bool:
    """Whether a refusal is given again under its idempotency key: what the request itself is to blame for, and no lasting state of it."""
    return 400 <= status < 500 and status not in (401, 403, 409, 429)


def _keep(store: ApiStore, work: _Work, reply: Reply, at: Instant) -> None:
    """Keep a refusal as the answer of its key. Its work was undone; if another took the key in between, that one's answer stays."""
    assert work.key is not None
    with store.transaction():
        begun = store.begin_request(work.key, work.print_, at)
        if isinstance(begun, Begun):
            store.finish_request(begun, reply.status, reply.headers, reply.body)


def _clash(refusal: Refusal) -> bool:
    """Whether the database undid the work because of another transaction's (a serialization failure or a deadlock)."""
    return getattr(refusal.__cause__, "sqlstate", None) in ("40001", "40P01")


def asked_for(request: Request) -> tuple[Operation, dict[str, str]]:
    """The operation that a request asks for, and the names in its path. Errors: url_unknown, method_not_allowed, id_invalid."""
    found = contract.match(request.method, request.path) if request.method in METHODS else None
    if found is None:
        allowed = [method for method in METHODS if contract.match(method, request.path) is not None]
        if allowed:
            raise NotAllowed(request.method, allowed)
        raise Refusal(URL_UNKNOWN, f"there is nothing at {request.path[:200]!r}.", None)
    operation, ids = found
    return operation, {name: _unquoted(raw, name) for name, raw in ids.items()}


class NotAllowed(Refusal):
    """A method that a path does not take, with those that it takes."""

    def __init__(self, method: str, allowed: list[str]) -> None:
        super().__init__(METHOD_NOT_ALLOWED, f"{method[:20]} is not taken here, but {', '.join(allowed)}.", None)
        self.allowed = allowed


def _unquoted(raw: str, name: str) -> str:
    if "%" not in raw:
        return read_storable(raw, name)
    try:
        if _BAD_ESCAPE.search(raw):
            raise ValueError(raw)
        return read_storable(unquote_to_bytes(raw).decode(), name)
    except ValueError:
        raise Refusal(ID_INVALID, f"{raw[:80]!r} is not percent-encoded UTF-8.", name) from None


def sent(request: Request, operation: Operation) -> dict[str, Any]:
    """The parameters of a request as nested values, from the query and the body. Errors: content_type_unsupported, form_…, json_…."""
    type_ = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    wanted = JSON if operation.json else FORM
    if request.body and type_ not in ("", wanted):
        raise Refusal(CONTENT_TYPE_UNSUPPORTED, f"the body is {type_[:80]!r}, not {wanted}.", "Content-Type")
    if not operation.json:
        return forms.decode(b"&".join(part for part in (request.query, request.body) if part))
    document = decode_json(request.body) if request.body else {}
    if not isinstance(document, dict):
        raise Refusal(NOT_AN_OBJECT, "the body is no JSON object.", None)
    return document


def encode(document: Any) -> bytes:
    """A document as JSON; exact decimals become numbers."""
    return _ENCODER.encode(document)


def refused(refusal: Refusal, request: Request, ids: tuple[str, ...] = ()) -> Reply:
    """A refusal as an answer."""
    how = problem.manner(refusal, ids)
    headers = dict(how.headers)
    if isinstance(refusal, NotAllowed):
        headers["Allow"] = ", ".join(refusal.allowed)
    if how.status >= 500:
        LOG.error("%s %s %s: %s", request.id, request.method, request.path[:200], refusal)
    return Reply(how.status, headers, encode(problem.envelope(refusal, how.type)))


def failed(error: Exception, request: Request) -> Reply:
    """Any failure as an answer: refusals by name, and what is a mistake of ours as `server_error`, which only the log explains."""
    if isinstance(error, Refusal):
        return refused(error, request)
    LOG.error("%s %s %s failed", request.id, request.method, request.path[:200], exc_info=error)
    return refused(Refusal(SERVER_ERROR, f"request {request.id} failed.", None), request)


USUAL_HEADERS: Mapping[str, str] = {"Content-Type": JSON, "Stripe-Version": API_VERSION, "Cache-Control": "no-cache, no-store"}
"""Headers of every answer."""
