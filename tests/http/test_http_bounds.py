"""What requests may cost: rates, threads, the queue, deadlines; and clients that go away or send what is no HTTP."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import stripe
from http_service import Api, MemoryAccounts, error_of, make_api, running, told

from farthing.core.base.refusal import Refusal
from farthing.edges.http import limits
from farthing.edges.http.limits import RateLimit
from farthing.edges.http.pool import Pool
from farthing.edges.http.routes import ROUTES, Route
from farthing.edges.http.server import Bounds
from farthing.edges.http.stores import ThreadStores


@contextmanager
def service(**named: Any) -> Iterator[Api]:
    accounts = MemoryAccounts()
    with running(lambda: accounts, accounts.open, **named) as server:
        api = make_api(server)
        yield api
        api.http.close()


def test_a_bucket_is_refilled_steadily() -> None:
    now = [0]
    limit = RateLimit(rate=10, burst=3, clock=lambda: now[0])

    def taken(key: str = "a") -> bool:
        try:
            limit.take(key)
        except Refusal as refusal:
            assert refusal.code == "rate_limit"
            return False
        return True

    assert [taken() for _ in range(4)] == [True, True, True, False]
    assert taken("b")
    now[0] += 99_999_999
    assert not taken()
    now[0] += 1
    assert taken() and not taken()
    now[0] += 10_000_000_000
    assert [taken() for _ in range(4)] == [True, True, True, False]


def test_the_keys_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KEYS", 3)
    limit = RateLimit(rate=1, burst=1, clock=lambda: 0)
    for key in "abcd":
        limit.take(key)
    assert list(limit._buckets) == ["b", "c", "d"]


def test_a_key_that_asks_too_often_is_told_to_wait() -> None:
    with service(limit=RateLimit(rate=1, burst=3, clock=lambda: 0)) as api:
        for _ in range(3):
            api.stripe.v1.coupons.list()
        with pytest.raises(stripe.RateLimitError) as caught:
            api.stripe.v1.coupons.list()
        assert told(caught.value) == (429, "rate_limit", None)
        assert (api.last.headers["Stripe-Should-Retry"], api.last.headers["Retry-After"]) == ("true", "1")
        assert make_api(api.running).get("/v1/coupons").status_code == 200
        assert error_of(httpx.get(f"{api.running.url}/v1/coupons", auth=("sk_test_wrongwrongwrongwrongwrong", "")))[0] == 401


def blocked(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Semaphore, threading.Event]:
    """GET /v1/account waits for an event, and counts those that have begun."""
    begun, go = threading.Semaphore(0), threading.Event()
    route = ROUTES[("GET", "/v1/account")]

    def slow(call: Any) -> Any:
        begun.release()
        assert go.wait(30)
        return route.handler(call)

    monkeypatch.setitem(ROUTES, ("GET", "/v1/account"), Route(slow, {}, False))
    return begun, go


def test_beyond_the_queue_requests_are_turned_away_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with service(threads=1, waiting=1) as api:
        begun, go = blocked(monkeypatch)
        answers: list[httpx.Response] = []
        threads = [threading.Thread(target=lambda: answers.append(api.get("/v1/account"))) for _ in range(2)]
        threads[0].start()
        assert begun.acquire(timeout=20)  # the one thread works
        threads[1].start()
        until = time.monotonic() + 20
        while api.running.pool._jobs.qsize() < 1 and time.monotonic() < until:
            time.sleep(0.005)
        third = api.get("/v1/account")
        assert error_of(third) == (503, "server_busy", None) and third.headers["Retry-After"] == "1"
        assert httpx.get(f"{api.running.url}/readyz").status_code == 503
        assert httpx.get(f"{api.running.url}/healthz").status_code == 200
        go.set()
        for thread in threads:
            thread.join()
        assert [one.status_code for one in answers] == [200, 200]
        assert httpx.get(f"{api.running.url}/readyz").status_code == 200


def test_a_late_answer_is_given_up_and_the_service_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with service(threads=1, bounds=Bounds(answer=0.2)) as api:
        _, go = blocked(monkeypatch)
        response = api.get("/v1/account")
        assert error_of(response) == (503, "deadline_exceeded", None) and "Retry-After" in response.headers
        go.set()
        until = time.monotonic() + 20
        while api.get("/v1/coupons").status_code != 200:
            assert time.monotonic() < until


def test_what_waited_too_long_is_never_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    with service(threads=1, bounds=Bounds(answer=0.3)) as api:
        begun, go = blocked(monkeypatch)
        first = threading.Thread(target=lambda: api.get("/v1/account"))
        first.start()
        assert begun.acquire(timeout=20)
        assert error_of(api.post("/v1/coupons", {"percent_off": "5"})) == (503, "deadline_exceeded", None)
        go.set()
        first.join()
        until = time.monotonic() + 20
        while (answer := api.get("/v1/coupons")).status_code != 200:
            assert time.monotonic() < until
        assert answer.json()["data"] == []


def raw(api: Api) -> socket.socket:
    where = urlsplit(api.running.url)
    assert where.hostname is not None and where.port is not None
    return socket.create_connection((where.hostname, where.port), timeout=20)


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    with service(bounds=Bounds(arrival=0.2)) as api, raw(api) as connection:
        connection.sendall(b"POST /v1/coupons HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\nper")
        answer = connection.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 408 ") and json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "body_late"


def test_clients_that_go_away_or_send_nonsense_do_no_harm(api: Api) -> None:
    for sent in (
        b"POST /v1/coupons HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nper",
        b"nonsense\r\n\r\n",
        b"GET /v1/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/coupons HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
        b"GET /v1/coupons?\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/coupons HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/coupons HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x00" * 100,
    ):
        with raw(api) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(4096)
            assert b" 500 " not in answer.split(b"\r\n")[0], (sent, answer)
    assert api.get("/v1/coupons").status_code == 200


def test_a_pool_tells_what_failed_and_goes_on() -> None:
    opened = []

    def open_stores() -> Any:
        opened.append(1)
        if len(opened) == 1:
            raise ConnectionError("not yet")
        return MemoryAccounts()

    pool = Pool(open_stores, threads=1, waiting=4)
    first: Future[int] = pool.submit(lambda _: 1)
    assert isinstance(first.exception(20), ConnectionError)
    broken: Future[int] = pool.submit(lambda _: 1 // 0)
    assert isinstance(broken.exception(20), ZeroDivisionError)
    assert pool.submit(lambda _: 2).result(20) == 2 and len(opened) == 2
    pool.close(20)
    with pytest.raises(Refusal) as caught:
        pool.submit(lambda _: 3)
    assert caught.value.code == "server_busy"


class Held:
    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log = name, log

    def close(self) -> None:
        self.log.append(f"close {self.name}")

    def find_key(self, hash_: bytes) -> None:
        return None


def test_a_thread_keeps_few_stores_open() -> None:
    log: list[str] = []

    def open_store(account: str, mode: str) -> Any:
        log.append(f"open {account}")
        return Held(account, log)

    stores = ThreadStores(open_store, lambda: Held("keys", log), most=2)
    for account in ("a", "b", "a", "c", "a"):
        with stores.of(account, "test"):
            pass
    assert log == ["open a", "open b", "close b", "open c"]
    assert stores.find_key(b"") is None
    stores.close()
    assert sorted(log[4:]) == ["close a", "close c", "close keys"]
