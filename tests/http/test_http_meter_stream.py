"""The meter event stream, its sessions, and many events at once: written together, each counted once, answered when it is durable."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe
from http_service import Api, error_of, make_api, running

from farthing.app.resources.access import Mode
from farthing.app.store import EventQuery
from farthing.app.usage import events
from farthing.core.base.timeline import ALL_TIME
from farthing.core.events.event import Event
from farthing.edges.http import meter_events
from farthing.edges.http.pool import ApiStore
from farthing.edges.http.routes import ROUTES
from farthing.edges.http.server import Bounds
from farthing.edges.http.service import Request, Service
from farthing.main import new_id

V1, V2, STREAM, SESSION = ("/v1/billing/meter_events", *(f"/v2/billing/meter_event{name}" for name in ("s", "_stream", "_session")))
FORM = {"event_name": "call", "payload[stripe_customer_id]": "cus_1", "payload[value]": "3"}
METER: Any = {"display_name": "Calls", "event_name": "call", "default_aggregation": {"formula": "sum"}}
KEY = "sk_test_abcdefghijklmnopqrstuvwx"


def event(n: int, **more: str) -> dict[str, Any]:
    return {"event_name": "call", "identifier": f"e{n}", "payload": {"stripe_customer_id": "cus_1", "value": str(n)}, **more}


def logged(api: Api) -> list[Event]:
    store = api.store()
    return list(store.events(EventQuery("call", ALL_TIME, store.head())))


def session_of(api: Api) -> str:
    return api.send("POST", SESSION, json={}).json()["authentication_token"]


def stream(api: Api, token: str, events: list[Any], **headers: str) -> httpx.Response:
    return httpx.post(api.running.url + STREAM, json={"events": events}, headers={"Authorization": f"Bearer {token}", **headers})


def at_once(count: int, work: Any) -> list[Any]:
    """What `work(n)` returns, all called at the same time."""
    found: dict[int, Any] = {}
    start = threading.Barrier(count)

    def one(n: int) -> None:
        start.wait()
        found[n] = work(n)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[n] for n in range(count)]


# ── sessions and the stream ──


def test_a_session_and_its_stream_by_the_sdk(both: Api) -> None:
    both.stripe.v1.billing.meters.create(METER)
    session = both.stripe.v2.billing.meter_event_session.create()
    assert (session.created, session.expires_at, session.livemode) == ("2026-01-01T00:00:00Z", "2026-01-01T00:15:00Z", False)
    client = both.client(session.authentication_token)
    client.v2.billing.meter_event_stream.create({"events": [event(1), event(2, timestamp="2025-12-31T12:00:00Z")]})
    assert both.last.body == {}
    assert [(one.identifier, one.properties["value"]) for one in logged(both)] == [("e1", "1"), ("e2", "2")]


def test_a_session_ends(both: Api) -> None:
    both.stripe.v1.billing.meters.create(METER)
    token = session_of(both)
    both.clock.forward(899)
    assert stream(both, token, [event(1)]).status_code == 200
    both.clock.forward(1)
    refused = stream(both, token, [event(2)])
    assert (*error_of(refused), refused.json()["error"]["type"]) == (401, "session_expired", None, "temporary_session_expired")
    client = both.client(token, http_client=stripe.RequestsClient())
    with pytest.raises(stripe.TemporarySessionExpiredError):
        client.v2.billing.meter_event_stream.create({"events": [event(2)]})
    assert len(logged(both)) == 1


def test_nobody_else_can_make_a_session(api: Api) -> None:
    token = session_of(api)
    other = make_api(api.running)
    session_of(other)
    forged = token[:60] + ("A" if token[60] != "A" else "B") + token[61:]
    for wrong in (forged, token[:-4], "mes_", "mes_" + "A" * 96, "mes_é", other.key, api.key):
        refused = httpx.post(api.running.url + STREAM, json={"events": [event(1)]}, headers={"Authorization": f"Bearer {wrong}".encode()})
        assert error_of(refused)[:2] == (401, "api_key_invalid"), wrong
    assert error_of(httpx.post(api.running.url + STREAM, json={})) == (401, "api_key_missing", None)
    assert api.client(token).v2 is not None
    assert error_of(httpx.get(api.running.url + "/v1/billing/meters", auth=(token, "")))[:2] == (401, "api_key_invalid")
    assert error_of(httpx.post(api.running.url + V1, data=FORM, auth=(token, "")))[:2] == (401, "api_key_invalid")


def test_a_session_ends_with_its_key(both: Api) -> None:
    both.stripe.v1.billing.meters.create(METER)
    token = session_of(both)
    assert stream(both, token, [event(1)]).status_code == 200
    store = both.store()
    store.revoke_key(next(key.id for key in store.api_keys()), both.clock.at)
    assert error_of(stream(both, token, [event(2)]))[:2] == (401, "api_key_expired")
    assert error_of(both.http.post(V1, data=FORM))[:2] == (401, "api_key_expired")


def test_of_a_stream_all_or_nothing_is_taken(both: Api) -> None:
    both.stripe.v1.billing.meters.create(METER)
    token = session_of(both)
    wrong = {**event(2), "payload": {"stripe_customer_id": "cus_1", "value": "-2"}}
    assert error_of(stream(both, token, [event(1), wrong])) == (400, "number_negative", "events[1][payload][value]")
    assert error_of(stream(both, token, [event(1), {"event_name": "call"}])) == (400, "parameter_missing", "events[1][payload]")
    assert error_of(stream(both, token, [event(1), {**event(2), "event_name": "no"}])) == (400, "no_meter", "events[1][event_name]")
    assert error_of(stream(both, token, [])) == (400, "parameter_too_many", "events")
    assert error_of(stream(both, token, [event(n) for n in range(101)])) == (400, "parameter_too_many", "events")
    assert logged(both) == []
    assert stream(both, token, [event(n) for n in range(100)]).status_code == 200
    other = {**event(5), "payload": {"stripe_customer_id": "cus_1", "value": "6"}}
    assert error_of(stream(both, token, [event(100), other])) == (409, "identifier_conflict", "events[1][identifier]")
    assert error_of(stream(both, token, [event(101), {**event(101), "event_name": "call", "timestamp": "2025-12-31T00:00:00Z"}]))[0] == 409
    assert len(logged(both)) == 100


def test_a_stream_sent_again_counts_once(both: Api) -> None:
    both.stripe.v1.billing.meters.create(METER)
    token = session_of(both)
    unnamed = [{"event_name": "call", "payload": {"stripe_customer_id": "cus_1", "value": str(n)}} for n in (7, 7, 8)]
    first = stream(both, token, unnamed, **{"Idempotency-Key": "once"})
    both.clock.forward(5)
    again = stream(both, token, unnamed, **{"Idempotency-Key": "once"})
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    assert [one.properties["value"] for one in logged(both)] == ["7", "7", "8"]


def test_a_restricted_key_needs_the_permission(api: Api) -> None:
    api.stripe.v1.billing.meters.create(METER)
    writer = api.add_key("rk_test_" + "w" * 24, {"billing.meter_events": "write"})
    reader = api.add_key("rk_test_" + "r" * 24, {"billing.meter_events": "read"})
    assert httpx.post(api.running.url + V1, data=FORM, auth=(writer, "")).status_code == 200
    for _ in range(2):
        assert error_of(httpx.post(api.running.url + V1, data=FORM, auth=(reader, "")))[:2] == (403, "permission_missing")
    assert error_of(httpx.post(api.running.url + SESSION, json={}, auth=(writer, "")))[:2] == (403, "permission_missing")


def test_another_account_is_not_acted_for(api: Api) -> None:
    api.stripe.v1.billing.meters.create(METER)
    assert error_of(api.post(V1, FORM, headers={"Stripe-Account": "acct_other"}))[:2] == (403, "account_forbidden")
    mine = api.get("/v1/account").json()["id"]
    assert api.post(V1, FORM, headers={"Stripe-Account": mine}).headers["Stripe-Account"] == mine


def test_one_request_alone_comes_to_the_same(api: Api) -> None:
    """The route that stands in the registry answers as the way of many does."""
    api.stripe.v1.billing.meters.create(METER)
    service = Service(api.clock, new_id)
    body = b"event_name=call&payload[stripe_customer_id]=cus_1&payload[value]=3&identifier=e1"
    asked = Request("req_1", "POST", V1, headers={"authorization": f"Bearer {api.key}"}, body=body)

    class Stores:
        find_key = staticmethod(lambda hash_: api.store().find_key(hash_))

        @contextmanager
        def of(self, _account: str, mode: Mode) -> Iterator[ApiStore]:
            yield api.store(mode)

    alone = service.answer(Stores(), asked)
    assert (alone.status, alone.body) == (200, api.post(V1, {**FORM, "identifier": "e1"}).content) and ("POST", V1) in ROUTES


# ── many at once ──


def test_what_waits_is_written_together(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.stripe.v1.billing.meters.create(METER)
    sizes: list[int] = []
    go = threading.Event()

    def slow(desk: Any, requests: Any) -> Any:
        sizes.append(len(requests))
        assert go.wait(20)
        return events.record(desk, requests)

    monkeypatch.setattr(meter_events, "record", slow)
    threading.Timer(1.0, go.set).start()
    found = at_once(30, lambda n: api.http.post(V1, data={**FORM, "identifier": f"e{n}"}).status_code)
    assert found == [200] * 30 and sizes[0] >= 1 and len(sizes) <= 3 and sum(sizes) == 30
    assert len(logged(api)) == 30


def test_one_request_in_a_batch_fails_alone(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.stripe.v1.billing.meters.create(METER)

    def broken(desk: Any, requests: Any) -> Any:
        if any(sent.identifier == "e7" for request in requests for sent in request):
            raise RuntimeError("a mistake of ours")
        return events.record(desk, requests)

    monkeypatch.setattr(meter_events, "record", broken)
    found = at_once(20, lambda n: api.http.post(V1, data={**FORM, "identifier": f"e{n}"}))
    assert [answer.status_code for answer in found] == [200 if n != 7 else 500 for n in range(20)]
    assert error_of(found[7]) == (500, "server_error", None) and "mistake" not in found[7].text
    assert len(logged(api)) == 19


def test_when_too_many_wait_more_are_told_to_come_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """One is being written and five wait; the others are refused at once, and none of these counts."""
    api.stripe.v1.billing.meters.create(METER)
    go, refused = threading.Event(), threading.Semaphore(0)

    def stuck(desk: Any, requests: Any) -> Any:
        assert go.wait(20)
        return events.record(desk, requests)

    def send(n: int) -> httpx.Response:
        answer = httpx.post(api.running.url + V1, data={**FORM, "identifier": f"e{n}"}, auth=(api.key, ""), timeout=30)
        if answer.status_code == 503:
            refused.release()
        return answer

    def release() -> None:
        for _ in range(6):
            refused.acquire(timeout=20)
        go.set()

    monkeypatch.setattr(meter_events, "record", stuck)
    monkeypatch.setattr(meter_events, "MOST_WAITING", 5)
    threading.Thread(target=release).start()
    found = at_once(12, send)
    late = [answer for answer in found if answer.status_code != 200]
    assert [error_of(answer) for answer in late] == [(503, "server_busy", None)] * 6
    assert all(answer.headers["Retry-After"] == "1" for answer in late) and len(logged(api)) == 6


def test_a_hundred_at_once_are_counted_once_each(api_pg: Api) -> None:
    """A hundred clients, each identifier sent by four of them, with and without a key, and by both versions."""
    api_pg.stripe.v1.billing.meters.create(METER)
    names = [f"e{n // 4}" for n in range(100)]

    def send(n: int) -> tuple[int, str]:
        auth, url = (api_pg.key, ""), api_pg.running.url
        if n % 4 == 3:
            body = {"event_name": "call", "identifier": names[n], "payload": {"stripe_customer_id": "cus_1", "value": "3"}}
            answer = httpx.post(url + V2, json=body, auth=auth, timeout=30)
            return answer.status_code, answer.json()["identifier"]
        answer = httpx.post(url + V1, data={**FORM, "identifier": names[n]}, auth=auth, headers={"Idempotency-Key": f"k{n}"}, timeout=30)
        return answer.status_code, answer.json()["identifier"]

    assert at_once(100, send) == [(200, name) for name in names]
    assert sorted(one.identifier for one in logged(api_pg)) == sorted(set(names))


def test_two_services_on_one_database_count_once(open_postgres: Any, api_pg: Api) -> None:
    """Two processes' worth of writers: the same identifiers and keys come to both at the same time."""
    api_pg.stripe.v1.billing.meters.create(METER)
    with running(*open_postgres) as second:
        second.clock.at = api_pg.clock.at + 1_000_000
        urls = (api_pg.running.url, second.url)

        def send(n: int) -> Any:
            headers = {"Idempotency-Key": f"k{n // 2}"}
            return httpx.post(urls[n % 2] + V1, data=FORM, auth=(api_pg.key, ""), headers=headers, timeout=30).json()

        found = at_once(60, send)
    assert [found[2 * n] for n in range(30)] == [found[2 * n + 1] for n in range(30)]
    assert len(logged(api_pg)) == 30


def test_what_came_before_the_end_is_answered(open_postgres: Any) -> None:
    """A service that is told to stop writes what waits, and answers it."""
    with running(*open_postgres, bounds=Bounds(stop=20)) as server:
        api = make_api(server)
        api.stripe.v1.billing.meters.create(METER)
        answers: list[int] = []
        sent = threading.Barrier(21)

        def send(n: int) -> None:
            with httpx.Client(base_url=server.url, auth=(api.key, ""), timeout=30) as http:
                http.get("/healthz")
                sent.wait()
                answers.append(http.post(V1, data={**FORM, "identifier": f"e{n}"}).status_code)

        threads = [threading.Thread(target=send, args=(n,)) for n in range(20)]
        for thread in threads:
            thread.start()
        sent.wait()
        until = time.monotonic() + 20
        while len(answers) < 1 and time.monotonic() < until:
            time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert len(logged(api)) == answers.count(200) >= 1
    api.http.close()


def test_kill_nine_loses_no_event_that_was_answered(tmp_path: Path) -> None:
    data = tmp_path / "data"
    answered: set[str] = set()
    with _serving(data) as (child, url):
        _client(url).v1.billing.meters.create(METER)
        enough = threading.Event()

        def send(n: int) -> None:
            with httpx.Client(base_url=url, auth=(KEY, ""), timeout=30) as http:
                for m in range(400):
                    try:
                        answer = http.post(V1, data={**FORM, "identifier": f"e{n}-{m}"})
                    except httpx.HTTPError:
                        return
                    if answer.status_code == 200:
                        answered.add(f"e{n}-{m}")
                    if len(answered) >= 150:
                        enough.set()

        threads = [threading.Thread(target=send, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        assert enough.wait(60)
        child.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()
        child.wait()
    with _serving(data) as (child, url):
        meter = _client(url).v1.billing.meters.list().data[0].id
        now = int(time.time()) // 60 * 60
        asked: Any = {"customer": "cus_1", "start_time": now - 3600, "end_time": now + 600}
        (summary,) = _client(url).v1.billing.meters.event_summaries.list(meter, asked).data
        counted = int(summary.aggregated_value) // 3
        assert counted >= len(answered)
        for name in sorted(answered)[:50]:
            answer = httpx.post(url + V1, data={**FORM, "identifier": name}, auth=(KEY, ""), timeout=30)
            assert (answer.status_code, answer.json()["identifier"]) == (200, name)
        (again,) = _client(url).v1.billing.meters.event_summaries.list(meter, asked).data
        assert again.aggregated_value == summary.aggregated_value


@contextmanager
def _serving(data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FARTHING_")}
    command = [sys.executable, "-m", "farthing", "serve", "--data-dir", str(data), "--port", "0", "--api-key", KEY]
    environment = {**kept, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    try:
        assert child.stdout is not None
        yield child, next(found[1] for line in child.stdout if (found := re.search(r"ready.*(http://[0-9.:]+)", line)))
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        child.wait(60)


def _client(url: str) -> stripe.StripeClient:
    addresses: Any = {"api": url, "files": url, "connect": url, "meter_events": url}
    return stripe.StripeClient(KEY, base_addresses=addresses, max_network_retries=0)
