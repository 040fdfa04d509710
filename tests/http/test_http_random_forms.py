"""Requests drawn from the wire contract: whatever is sent is answered as the contract has it or refused by name, never with a failure of
ours; what is refused, only read or only computed changes nothing; and an idempotency key is good for one piece of work."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any

from http_service import BEGINNING, Clock, MemoryAccounts
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_requests import KEY, Account, Drawn, Draws, furnished

from farthing.app.resources.access import Mode, ensure_key
from farthing.app.resources.kinds import KINDS
from farthing.app.resources.table import PageQuery
from farthing.edges.http.pool import ApiStore
from farthing.edges.http.routes import ROUTES
from farthing.edges.http.service import Reply
from farthing.edges.http.stores import ThreadStores
from farthing.edges.http.wire import shapes
from farthing.testing.memory_state import State

REQUESTS = 8
"""Requests in each example, one after the other on the same account."""
NEVER_KEPT = (401, 403, 409, 429)
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


class Memory:
    """An account in memory that begins anew in each example."""

    def __init__(self) -> None:
        self._accounts = MemoryAccounts()
        self.store = self._accounts.open("random", "test")
        ensure_key(self.store, KEY, BEGINNING)
        first = furnished(Account(self._accounts, Clock()))
        self._begun, self._known, self._next = self.store._state.copied(), first.known, next(first.numbers)

    def anew(self) -> Account:
        """The account as it was first."""
        self.store._state = self._begun.copied()
        known = {name: list(ids) for name, ids in self._known.items()}
        return Account(self._accounts, Clock(), iter(range(self._next, 10**9)), known)

    def rows(self) -> State:
        """All that is stored but the answers that are kept for idempotency keys."""
        state = self.store._state.copied()
        state.answers = {}
        return state


_memory: list[Memory] = []
_numbers = count(1)


def memory() -> Memory:
    """The account of the process, made when it is first asked for."""
    if not _memory:
        _memory.append(Memory())
    return _memory[0]


def check(one: Drawn, reply: Reply) -> Any:
    """The document of an answer, which is as the contract has it."""
    assert reply.status < 500, (one, reply)
    document = json.loads(reply.body)
    if reply.status >= 400:
        error = dict(document["error"])
        assert error["type"] and error["message"] and error.pop("code"), (one, document)
        problems = shapes.check({"error": error}, "error")
    else:
        assert reply.status == 200 and one.operation is not None
        problems = shapes.check_answer(one.operation, document)
    assert problems == [], (one, problems)
    return document


def changes(one: Drawn, reply: Reply) -> bool:
    """Whether a request may have changed anything."""
    if reply.status == 402:
        return True  # a charge that was declined is kept
    route = None if one.operation is None else ROUTES.get((one.operation.method, one.operation.path))
    return reply.status == 200 and route is not None and route.writes


def drive(draws: Draws, account: Account, rows: Callable[[], Any], requests: int) -> int:
    """Draw requests, send each twice with the same idempotency key, or once without, and hold what holds for all of them. How many were answered."""
    answered = 0
    for n in range(requests):
        one = draws.request()
        key = f"key {n}" if draws.one_in(2) else None
        before = rows()
        reply = account.send(one, key)
        check(one, reply)
        answered += 1
        after = rows()
        if not changes(one, reply):
            assert after == before, (one, reply)
        if key is None or one.method not in ("POST", "DELETE"):
            continue
        again = account.send(one, key)
        assert again.status == reply.status, (one, reply, again)
        if reply.status not in NEVER_KEPT and not one.path.endswith("/create_preview"):
            assert again.body == reply.body, (one, reply, again)
        assert rows() == after, (one, reply, again)
        other = account.send(Drawn("POST", "/v1/products", [("name", "another request")]), key)
        if again.headers.get("Idempotent-Replayed"):
            assert json.loads(other.body)["error"]["code"] == "idempotency_key_reused"
    return answered


@settings(suppress_health_check=QUIET, deadline=None)
@given(st.data())
def test_no_request_makes_the_service_fail(data: st.DataObject) -> None:
    account = memory().anew()
    assert drive(Draws(data, account), account, memory().rows, REQUESTS) == REQUESTS


def pages(store: ApiStore) -> Any:
    """What is stored, as pages of rows."""
    rows = [store.page(PageQuery(name, 100)).rows for name in sorted(KINDS)]
    return rows, store.head(), store.revision(), len(list(store.documents())), len(store.drafts())


@settings(suppress_health_check=QUIET, deadline=None, max_examples=max(settings.default.max_examples // 33, 1), phases=[Phase.generate])
@given(st.data())
def test_nor_over_postgres(open_postgres: tuple[Callable[[], ThreadStores], Callable[[str, Mode], ApiStore]], data: st.DataObject) -> None:
    open_stores, open_store = open_postgres
    number = next(_numbers)
    store, key = open_store(f"random forms {number}", "test"), f"sk_test_{number:030d}"
    ensure_key(store, key, BEGINNING)
    stores = open_stores()
    try:
        account = Account(stores, Clock(), key=key)
        furnished(account)
        assert drive(Draws(data, account), account, lambda: pages(store), 5) == 5
    finally:
        stores.close()
