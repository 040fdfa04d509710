"""Deliveries: who gets an event, what is tried again and for how long, what a kill leaves, replays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import stripe
from webhook_house import BEGINNING, House, Receiver, Told, answer

from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.app.webhooks.deliveries import FIRST_PAUSE, KEPT_UP, LEASE, LONGEST_PAUSE, Deliveries, deliveries, pause, replay
from farthing.app.webhooks.endpoints import delete_endpoint, update_endpoint
from farthing.app.webhooks.kinds import DELIVERY
from farthing.app.webhooks.sender import Outcome
from farthing.app.webhooks.signature import HEADER, sign
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import MICROS
from farthing.edges.http.service import encode
from farthing.edges.webhooks.sender import HttpSender

DAY = 86_400
FAILS = Outcome(status=500)


def test_an_event_goes_to_the_endpoints_that_are_enabled_for_its_type(house: House) -> None:
    everything, mine = house.endpoint("*"), house.endpoint("coupon.created", "price.created", url="https://example.com/mine")
    house.endpoint("price.created")
    off = house.endpoint("*")
    update_endpoint(house.desk, off["id"], {"disabled": True})
    gone = house.endpoint("*")
    delete_endpoint(house.desk, gone["id"])
    event = house.event()
    assert house.run() == 3
    assert [url for url, _, _ in house.told.posted] == ["https://example.com/hook", "https://example.com/mine"]
    assert [(one["endpoint"], one["status"], one["attempts"]) for one in deliveries(house.desk, event)] == [
        (everything["id"], "delivered", 1),
        (mine["id"], "delivered", 1),
    ]
    assert house.pending(event) == 0
    house.endpoint("*")
    house.forward(10 * DAY)
    assert house.run() == 0


def test_what_is_sent_is_the_event_and_signed_by_the_endpoints_secret(house: House) -> None:
    endpoint = house.endpoint()
    event = house.event()
    house.forward(7)
    house.run()
    ((_, headers, body),) = house.told.posted
    sent = json.loads(body)
    stored = house.store.find("event", event).document
    assert sent == {**stored, "pending_webhooks": 1}
    assert headers[HEADER].startswith(f"t={BEGINNING // MICROS + 7},v1=")
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    received = stripe.Webhook.construct_event(body, headers[HEADER], endpoint["secret"], tolerance=10**9)
    assert (received.id, received.data.object.name) == (event, "Ünï")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body + b" ", headers[HEADER], endpoint["secret"], tolerance=10**9)


def test_a_signature_is_what_openssl_makes_of_it() -> None:
    """printf '1.{}' | openssl dgst -sha256 -hmac whsec_a"""
    assert sign("whsec_a", 1, b"{}") == "t=1,v1=7aaed73a0f45f657eacd5c9b580562745d6023b1e3e6d17dce076b81940aa046"


def test_what_fails_is_tried_again_after_growing_pauses_and_given_up_after_three_days(house: House) -> None:
    endpoint = house.endpoint()
    event = house.event()
    house.told.outcomes = [FAILS] * 1_000
    pauses = []
    while True:
        house.run()
        again = house.next_in(event, endpoint["id"])
        if again is None:
            break
        pauses.append(again)
        house.forward(again)
    assert house.at == BEGINNING + KEPT_UP
    assert 3.75 <= pauses[0] < 6.25 and 7.5 <= pauses[1] < 12.5 and 15 <= pauses[2] < 25
    assert max(pauses) < 1.25 * LONGEST_PAUSE / MICROS
    assert 20 <= len(pauses) <= 30
    (one,) = deliveries(house.desk, event)
    assert (one["status"], one["attempts"], one["last_status"], one["last_error"]) == ("given_up", len(pauses) + 1, 500, None)
    assert house.pending(event) == 1
    house.forward(30 * DAY)
    assert house.run() == 0


def test_pauses_are_scattered_the_same_way_each_time() -> None:
    found = [pause(f"evt_{n}:we_1", 3) for n in range(200)]
    assert found == [pause(f"evt_{n}:we_1", 3) for n in range(200)]
    assert all(4 * FIRST_PAUSE * 3 // 4 <= one <= 4 * FIRST_PAUSE * 5 // 4 for one in found)
    assert len(set(found)) > 150
    assert pause("a", 10_000) <= LONGEST_PAUSE * 5 // 4


def test_a_receiver_that_comes_back_gets_it(house: House) -> None:
    house.endpoint()
    event = house.event()
    house.told.outcomes = [Outcome(error="unreachable"), Outcome(status=302), Outcome(status=204)]
    house.run()
    assert deliveries(house.desk, event)[0]["last_error"] == "unreachable"
    assert house.pending(event) == 1
    for _ in range(2):
        house.forward(20)
        house.run()
    (one,) = deliveries(house.desk, event)
    assert (one["status"], one["attempts"], one["last_status"], one["last_error"]) == ("delivered", 3, 204, None)
    assert house.pending(event) == 0


def test_an_endpoint_that_fails_rests_so_that_others_are_served(house: House) -> None:
    bad, good = house.endpoint("coupon.created", url="https://bad.example/"), house.endpoint("price.created", url="https://good.example/")
    house.told.outcomes = [FAILS]
    events = [house.event() for _ in range(5)]
    house.run()
    assert len(house.told.posted) == 1
    assert [house.next_in(event, bad["id"]) for event in events[1:]] == [0.5] * 4
    house.event("price.created")
    house.run()
    assert house.told.posted[-1][0] == good["url"]
    house.told.outcomes = [FAILS]
    house.forward(0.5)
    house.run()
    assert [house.next_in(event, bad["id"]) for event in events[2:]] == [1.0] * 3
    house.forward(1)
    house.run()
    assert [house.pending(event) for event in events] == [1, 1, 0, 0, 0]
    house.forward(20)
    house.run()
    assert [house.pending(event) for event in events] == [0] * 5


@pytest.mark.parametrize("by", ["update", "replay"])
def test_an_endpoint_that_was_mended_rests_no_more(house: House, by: str) -> None:
    endpoint = house.endpoint()
    event = house.event()
    house.told.outcomes = [FAILS]
    house.run()
    if by == "update":
        update_endpoint(house.desk, endpoint["id"], {"url": "https://right.example/"})
        event = house.event()
    else:
        replay(house.desk, event)
    house.run()
    assert house.pending(event) == 0
    stripe.Webhook.construct_event(house.told.posted[-1][2], house.told.posted[-1][1][HEADER], endpoint["secret"], tolerance=10**9)


def test_nothing_goes_to_an_endpoint_that_is_disabled_or_deleted_meanwhile(house: House) -> None:
    off, gone = house.endpoint(url="https://off.example/"), house.endpoint(url="https://gone.example/")
    event = house.event()
    house.told.outcomes = [FAILS, FAILS]
    house.run()
    update_endpoint(house.desk, off["id"], {"disabled": True})
    delete_endpoint(house.desk, gone["id"])
    house.forward(20)
    house.run()
    assert len(house.told.posted) == 2
    assert [one["status"] for one in deliveries(house.desk, event)] == ["dropped", "dropped"]
    assert house.pending(event) == 0


def test_an_address_that_was_corrected_is_used(house: House) -> None:
    endpoint = house.endpoint()
    house.event()
    house.told.outcomes = [FAILS]
    house.run()
    update_endpoint(house.desk, endpoint["id"], {"url": "https://right.example/"})
    house.forward(20)
    house.run()
    assert [url for url, _, _ in house.told.posted] == ["https://example.com/hook", "https://right.example/"]


def test_nothing_is_locked_while_it_is_sent_and_its_lease_keeps_others_away(house: House) -> None:
    endpoint = house.endpoint()
    event = house.event()

    def meanwhile() -> None:
        assert house.next_in(event, endpoint["id"]) == LEASE / MICROS
        house.told.meanwhile = lambda: None
        assert house.run() == 0

    house.told.meanwhile = meanwhile
    assert house.run() == 2
    assert len(house.told.posted) == 1


def test_an_attempt_that_outlived_its_lease_settles_nothing_unless_it_arrived(house: House) -> None:
    endpoint = house.endpoint()
    event = house.event()

    def meanwhile() -> None:
        house.told.meanwhile = lambda: None
        house.forward(LEASE / MICROS)
        house.run()  # somebody else sends it, which works

    house.told.meanwhile = meanwhile
    house.told.outcomes = [Outcome(status=200), FAILS]
    house.run()
    assert deliveries(house.desk, event)[0]["status"] == "delivered"
    assert house.next_in(event, endpoint["id"]) is None
    assert house.pending(event) == 0


def test_an_attempt_that_failed_after_its_lease_leaves_the_next_one_alone(house: House) -> None:
    endpoint = house.endpoint()
    event = house.event()
    seen: list[float | None] = []

    def first() -> None:
        house.told.meanwhile = second
        house.forward(LEASE / MICROS)
        house.run()

    def second() -> None:
        house.told.meanwhile = lambda: None
        row = house.store.find(DELIVERY, f"{event}:{endpoint['id']}")
        assert row.document["attempts"] == 2
        late = Deliveries(Told(FAILS), encode, lambda: house.at)
        late._send(house.desk, replace(row, document={**row.document, "attempts": 1}), endpoint["url"], endpoint["secret"], {"id": event})
        seen.append(house.next_in(event, endpoint["id"]))

    house.told.meanwhile = first
    house.run()
    assert seen == [LEASE / MICROS]


def test_an_event_is_sent_again_on_request(house: House) -> None:
    first, second = house.endpoint(url="https://a.example/"), house.endpoint(url="https://b.example/")
    event = house.event()
    house.run()
    assert replay(house.desk, event, second["id"]) == [second["id"]]
    assert house.pending(event) == 1
    house.run()
    assert [url for url, _, _ in house.told.posted] == ["https://a.example/", "https://b.example/", "https://b.example/"]
    third = house.endpoint(url="https://c.example/")
    assert replay(house.desk, event) == [first["id"], second["id"], third["id"]]
    assert (house.pending(event), len(deliveries(house.desk, event))) == (3, 3)
    house.run()
    assert house.pending(event) == 0
    assert len(house.told.posted) == 6


def test_an_event_that_was_given_up_is_sent_again_on_request(house: House) -> None:
    house.endpoint()
    event = house.event()
    house.run()
    row = house.store.find(DELIVERY, house.store.find("event", event).id + ":" + deliveries(house.desk, event)[0]["endpoint"])
    house.store.put(replace(row, document={**row.document, "status": "given_up"}))
    stored = house.store.find("event", event)
    house.store.put(replace(stored, document={**stored.document, "pending_webhooks": 1}))
    replay(house.desk, event)
    assert house.pending(event) == 1
    house.run()
    assert house.pending(event) == 0


def test_an_event_that_nobody_wants_is_not_sent_again(house: House) -> None:
    endpoint = house.endpoint("price.created")
    event = house.event()
    for named in (None, endpoint["id"]):
        with pytest.raises(Refusal, match="event_not_sent"):
            replay(house.desk, event, named)
    for wrong, field in (("evt_none", "event"), (event, "endpoint")):
        with pytest.raises(Refusal) as refused:
            replay(house.desk, wrong, "we_none")
        assert (refused.value.kind, refused.value.field) == (RESOURCE_MISSING, field)


def test_a_real_receiver_gets_it_after_having_failed(house: House, receiver: Receiver) -> None:
    endpoint = house.endpoint(url=receiver.url("/hook?a=b"))
    statuses = [503, 301, 200]
    receiver.behave = lambda handler: answer(handler, statuses.pop(0), {"Location": receiver.url("/elsewhere")})
    event = house.event()
    house.sender = HttpSender(private=True)
    for _ in range(3):
        house.run()
        house.forward(20)
    assert [request.path for request in receiver.requests] == ["/hook?a=b"] * 3
    assert deliveries(house.desk, event)[0]["status"] == "delivered"
    for request in receiver.requests:
        stripe.Webhook.construct_event(request.body, request.headers[HEADER], endpoint["secret"], tolerance=10**9)


KILLED = """
import os, sys
sys.path[:0] = [{tests!r}]
from webhook_house import House, answer
from farthing.edges.postgres.store import PostgresStore
from farthing.app.webhooks.sender import Outcome

class Dies:
    def send(self, url, headers, body):
        print("sending", flush=True)
        sys.stdin.read()
        return Outcome(status=200)

house = House(PostgresStore.open(os.environ["DSN"], {account!r}, "test"), {account!r}, "", sender=Dies())
house.run()
"""


def test_a_sender_that_is_killed_in_the_middle_leaves_it_to_be_sent_again(pg_house: House) -> None:
    house = pg_house
    endpoint = house.endpoint()
    event = house.event()
    script = KILLED.format(tests=str(Path(__file__).parent), account=house.account)
    environment = {**os.environ, "DSN": house.dsn, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "sending\n"
        assert house.run() == 0  # it is being sent
        child.kill()
    assert house.next_in(event, endpoint["id"]) == LEASE / MICROS
    house.forward(LEASE / MICROS)
    house.run()
    (one,) = deliveries(house.desk, event)
    assert (one["status"], one["attempts"]) == ("delivered", 2)
    assert len(house.told.posted) == 1
