"""Events of usage: many small requests at once, put into the log together. Each is answered when its events are durable, and not before.

A request is read on the event loop and waits in the lane of its account and mode. While one batch of a lane is written, those that come gather
for the next: under load one commit serves them all, and a single request waits for nobody. What the loop remembers of keys and sessions is
looked up anew in each batch, as meters are.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field

from farthing.app.resources.access import FoundKey, Mode, hashed
from farthing.app.resources.desk import Desk
from farthing.app.usage.events import Outcome, Sent, record
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Instant
from farthing.edges.http import expand, idempotency, keys, sessions
from farthing.edges.http.pool import ApiStore, Pool, Stores
from farthing.edges.http.refusals import DEADLINE_EXCEEDED, SERVER_BUSY
from farthing.edges.http.resources.usage import STREAM, V1, V2, event_document, read_events
from farthing.edges.http.routes import ROUTES, refuse_untaken
from farthing.edges.http.service import Reply, Request, Service, encode, failed, sent
from farthing.edges.http.sessions import Session
from farthing.edges.http.wire import contract, params

PATHS = (V1, V2, STREAM)
WRITERS, BATCHES_WAITING = 2, 256
MOST_TOGETHER, MOST_WAITING = 1_000, 5_000
"""How many events of an account are written in one batch, and how many may wait for theirs."""
MOST_REMEMBERED = 1_000
NOT_OF_ONE = ("database_unavailable", "database_busy", "database_disk_full")
"""Refusals that are the database's, whatever the events are."""


@dataclass(slots=True)
class _Entry:
    """A request that waits for its batch: whose key it came with, its events, and who is told of the answer, and until when
    by the loop's clock."""

    request: Request
    found: FoundKey
    events: tuple[Sent, ...]
    key: str | None
    answer: asyncio.Future[Reply]
    until: float


@dataclass(slots=True)
class _Lane:
    """The requests of one account and mode that wait; `events` is how many events they have. One batch at a time is written."""

    waiting: list[_Entry] = field(default_factory=list)
    events: int = 0
    busy: bool = False


class MeterEvents:
    """Answers the operations that take events. All of it runs on the event loop but the batches, which threads of their own write."""

    def __init__(self, service: Service, pool: Pool, new_id: Callable[[str], str], patience: float) -> None:
        """`patience` is how long a request may wait for its answer, in seconds."""
        self._service, self._pool, self._new_id, self._patience = service, pool, new_id, patience
        self._writers = pool.beside(WRITERS, BATCHES_WAITING)
        self._lanes: dict[tuple[str, Mode], _Lane] = {}
        self._remembered: OrderedDict[tuple[bool, bytes], Session | FoundKey] = OrderedDict()
        self._unanswered: deque[_Entry] = deque()

    @staticmethod
    def takes(request: Request) -> bool:
        """Whether a request is one of these."""
        return request.path in PATHS and request.method == "POST"

    async def answer(self, request: Request) -> Reply:
        """The answer to a request. Errors: those of reading it, server_busy, deadline_exceeded."""
        at = self._service.now()
        found = await self._who(request, at)
        self._service.admit(found, request.headers)
        events, key = self._read(request, found, at)
        loop = asyncio.get_running_loop()
        entry = _Entry(request, found, events, key, loop.create_future(), loop.time() + self._patience)
        self._put(entry)
        if not self._unanswered:
            loop.call_later(min(1, self._patience), self._expire, loop)
        self._unanswered.append(entry)
        return await entry.answer

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        """Refuse the requests that have waited as long as they may, and look again soon while others wait: one timer for all of them."""
        waiting, now = self._unanswered, loop.time()
        while waiting and (waiting[0].answer.done() or waiting[0].until <= now):
            entry = waiting.popleft()
            if not entry.answer.done():
                entry.answer.set_exception(Refusal(DEADLINE_EXCEEDED, f"there was no answer within {self._patience:g} s.", None))
        if waiting:
            loop.call_later(min(1, self._patience), self._expire, loop)

    async def _who(self, request: Request, at: Instant) -> FoundKey:
        """Whose key, or whose session of the stream, a request came with. Errors: api_key_…, session_expired."""
        secret = keys.sent_key(request.headers)
        name = (request.path == STREAM, hashed(secret))
        known = self._remembered.get(name)
        if known is None:
            known = await asyncio.wrap_future(self._pool.submit(lambda stores: _asked(stores, request.path, secret, at)))
            self._remembered[name] = known
            if len(self._remembered) > MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        if isinstance(known, Session):
            sessions.check(known, at)
            return known.found
        keys.check_valid(known, at)
        return known

    def _read(self, request: Request, found: FoundKey, at: Instant) -> tuple[tuple[Sent, ...], str | None]:
        operation = contract.operation("POST", request.path)
        assert operation is not None
        if request.path != STREAM:  # a session is for the stream and nothing else
            keys.authorise(found, request.path, writes=True)
        nested = sent(request, operation)
        typed = params.read_json(operation, nested) if operation.json else params.read(operation, nested)
        refuse_untaken(ROUTES["POST", request.path].taken, typed)
        expand.read_paths(operation, typed.pop("expand", None) or ())
        key = request.headers.get("idempotency-key")
        key = None if key is None else idempotency.read_idempotency_key(key)
        return read_events(request.path, typed, key, at, self._new_id), key

    def _put(self, entry: _Entry) -> None:
        lane = self._lanes.setdefault((entry.found.account, entry.found.mode), _Lane())
        if lane.events + len(entry.events) > MOST_WAITING:
            raise Refusal(SERVER_BUSY, f"{lane.events} events wait already.", None)
        lane.waiting.append(entry)
        lane.events += len(entry.events)
        if not lane.busy:
            self._start((entry.found.account, entry.found.mode), lane)

    def _start(self, whose: tuple[str, Mode], lane: _Lane) -> None:
        """Have the next batch of a lane written."""
        batch: list[_Entry] = []
        size = 0
        while lane.waiting[len(batch) :] and size < MOST_TOGETHER:
            batch.append(lane.waiting[len(batch)])
            size += len(batch[-1].events)
        del lane.waiting[: len(batch)]
        lane.events -= size
        lane.busy = True
        loop = asyncio.get_running_loop()

        def tell(done: Future[list[Reply]]) -> None:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                loop.call_soon_threadsafe(self._written, whose, lane, batch, done)

        try:
            future = self._writers.submit(lambda stores: self._write(stores, whose, batch))
        except Refusal as refusal:
            future = Future()
            future.set_exception(refusal)
        future.add_done_callback(tell)

    def _written(self, whose: tuple[str, Mode], lane: _Lane, batch: Sequence[_Entry], done: Future[list[Reply]]) -> None:
        """Give a batch its answers, and begin the next."""
        try:
            replies = done.result()
        except Exception as error:
            replies = [failed(error, entry.request) for entry in batch]
        for entry, reply in zip(batch, replies, strict=True):
            if not entry.answer.done():
                entry.answer.set_result(reply)
        lane.busy = False
        if lane.waiting:
            self._start(whose, lane)
        elif self._lanes.get(whose) is lane:
            del self._lanes[whose]

    def _write(self, stores: Stores, whose: tuple[str, Mode], batch: Sequence[_Entry]) -> list[Reply]:
        """Write a batch, in a thread of the pool, and make its answers."""
        at = self._service.now()
        refused = {hash_: _refused(stores, entry, at) for hash_, entry in {entry.found.key.hash: entry for entry in batch}.items()}
        taken = [entry for entry in batch if refused[entry.found.key.hash] is None]
        with stores.of(*whose) as store:
            outcomes = dict(zip(map(id, taken), self._recorded(store, whose[1], taken, at), strict=True))
        return [_reply(entry, refused[entry.found.key.hash] or outcomes[id(entry)]) for entry in batch]

    def _recorded(self, store: ApiStore, mode: Mode, batch: Sequence[_Entry], at: Instant) -> list[Outcome | Exception]:
        """What became of each request. One that nobody foresaw a failure of fails alone, and not the others with it."""
        desk = Desk(store, at, self._new_id, mode == "live")
        try:
            return list(record(desk, [entry.events for entry in batch])) if batch else []
        except Exception as error:
            if len(batch) == 1 or (isinstance(error, Refusal) and error.code in NOT_OF_ONE):
                return [error] * len(batch)
            return [outcome for entry in batch for outcome in self._recorded(store, mode, [entry], at)]


def _asked(stores: Stores, path: str, secret: str, at: Instant) -> Session | FoundKey:
    return sessions.read_token(stores, secret, at) if path == STREAM else keys.authenticate(stores, secret, at)


def _refused(stores: Stores, entry: _Entry, at: Instant) -> Refusal | None:
    """Why the key of a request that was valid when the loop looked it up is not any more."""
    found = stores.find_key(entry.found.key.hash)
    try:
        keys.check_valid(entry.found if found is None else found, at)
    except Refusal as refusal:
        return refusal
    return None


def _reply(entry: _Entry, outcome: Outcome | Exception) -> Reply:
    if isinstance(outcome, Exception):
        return failed(outcome, entry.request)
    repeated = entry.key is not None and all(one.repeated for one in outcome)
    headers = {"Idempotent-Replayed": "true"} if repeated else {}
    if entry.request.path == STREAM:
        return Reply(200, headers, b"{}")
    return Reply(200, headers, encode(event_document(entry.request.path, outcome[0], entry.found.mode == "live")))
