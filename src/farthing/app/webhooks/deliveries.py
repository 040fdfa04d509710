"""Deliveries: each event to each endpoint that was enabled for it, at least once, tried again for three days."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from farthing.app.resources import plain
from farthing.app.resources.changes import EVENT
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Document, Row
from farthing.app.webhooks.endpoints import count_failures, enabled_for, rests_until, wants
from farthing.app.webhooks.kinds import DELIVERY, ENDPOINT
from farthing.app.webhooks.refusals import EVENT_NOT_SENT
from farthing.app.webhooks.sender import Outcome, Sender
from farthing.app.webhooks.signature import HEADER, sign
from farthing.app.work.registry import After
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import MICROS, Instant

KEPT_UP: Instant = 3 * 86_400 * MICROS
"""For how long a delivery is tried again after it was first due."""
LEASE: Instant = 120 * MICROS
"""After how long a delivery whose sender was killed is sent again; longer than any sender takes."""
FIRST_PAUSE, LONGEST_PAUSE = 5 * MICROS, 6 * 3600 * MICROS
PENDING, DELIVERED, GIVEN_UP, DROPPED = "pending", "delivered", "given_up", "dropped"
_TOLD = "endpoints"


def fan_out(desk: Desk, row: Row) -> None:
    """The work on an event: a delivery, due at once, to each endpoint that is enabled for its type now."""
    endpoints = enabled_for(desk, row.document["type"])
    for endpoint in endpoints:
        _add(desk, row.id, endpoint.id)
    document = {**row.document, "pending_webhooks": len(endpoints)} if endpoints else row.document
    desk.store.put(replace(row, document=document, due_at=None, hidden=_told(row, endpoints)))


class Deliveries:
    """The work on deliveries, with who sends them, how a document is written, and the wall clock, which goes on while something is sent."""

    def __init__(self, sender: Sender, encode: Callable[[Document], bytes], now: Callable[[], Instant]) -> None:
        self._sender, self._encode, self._now = sender, encode, now

    def work(self, desk: Desk, row: Row) -> After | None:
        """Take a delivery for a while (`LEASE`), and send it once that is durable: nothing is locked meanwhile, and if this process is
        killed, it is sent again afterwards. A delivery to an endpoint that is gone or disabled is dropped; one to an endpoint that has
        just failed waits until that is tried again, so that it does not hold up what goes to others."""
        event = plain.find(desk, EVENT, row.document["event"])
        endpoint = plain.find(desk, ENDPOINT, row.document["endpoint"])
        if event is None or endpoint is None or endpoint.deleted or endpoint.document["status"] != "enabled":
            _end(desk, row, DROPPED)
            return None
        if (rests := rests_until(endpoint)) > desk.at:
            desk.store.put(replace(row, due_at=rests))
            return None
        taken = replace(row, document={**row.document, "attempts": row.document["attempts"] + 1}, due_at=desk.at + LEASE)
        desk.store.put(taken)
        secret, url, document = endpoint.hidden["secret"], endpoint.document["url"], event.document
        return lambda: self._send(desk, taken, url, secret, document)

    def _send(self, desk: Desk, row: Row, url: str, secret: str, event: Document) -> None:
        body = self._encode(event)
        headers = {"Content-Type": "application/json; charset=utf-8", HEADER: sign(secret, self._now() // MICROS, body)}
        outcome = self._sender.send(url, headers, body)
        later = replace(desk, at=self._now())
        with later.store.transaction():
            later.store.find(EVENT.name, row.document["event"], lock=True)  # first of all, as in `replay`
            now = later.store.find(DELIVERY, row.id, lock=True)
            if now is not None and now.document["status"] == PENDING:  # else another one has settled it meanwhile
                _settle(later, now, row.document["attempts"], outcome)


def replay(desk: Desk, event: str, endpoint: str | None = None) -> list[str]:
    """Send an event again, whatever became of it before: to an endpoint, or to all that are enabled for its type now. Returns the ids of
    the endpoints. Errors: resource_missing, event_not_sent."""
    with desk.store.transaction():
        row = plain.need(desk, EVENT, event, "event", lock=True)
        type_ = row.document["type"]
        found = enabled_for(desk, type_) if endpoint is None else [plain.need(desk, ENDPOINT, endpoint, "endpoint")]
        wanted = [one for one in found if wants(one, type_)]
        if not wanted:
            raise Refusal(EVENT_NOT_SENT, f"{event} is of type {type_}.", "endpoint")
        added = sum([_add(desk, event, one.id) for one in wanted])
        for one in wanted:
            count_failures(desk, one.id, delivered=True)
        pending = row.document["pending_webhooks"] + added
        due_at = row.due_at if endpoint is not None else None  # if it was not told at all yet, it is now
        desk.store.put(replace(row, document={**row.document, "pending_webhooks": pending}, due_at=due_at, hidden=_told(row, wanted)))
        return [one.id for one in wanted]


def deliveries(desk: Desk, event: str) -> Sequence[dict[str, Any]]:
    """What became of an event: its deliveries, each with event, endpoint, status (pending, delivered, given_up, dropped), attempts,
    last_status, last_error, and since (seconds). Errors: resource_missing."""
    row = plain.need(desk, EVENT, event, "event")
    found = [desk.store.find(DELIVERY, f"{event}:{endpoint}") for endpoint in row.hidden.get(_TOLD, ())]
    return [dict(one.document) for one in found if one is not None]


def pause(id_: str, attempts: int) -> Instant:
    """How long is waited after so many attempts, in microseconds: doubled each time, and a quarter more or less of that, by the delivery."""
    usual = min(FIRST_PAUSE << min(attempts - 1, 20), LONGEST_PAUSE)
    part = int.from_bytes(hashlib.sha256(f"{id_}:{attempts}".encode()).digest()[:4], "big")
    return usual * 3 // 4 + (usual // 2 * part >> 32)


def _told(row: Row, endpoints: Sequence[Row]) -> dict[str, Any]:
    """What is kept beside an event: the endpoints that it has deliveries to."""
    return {**row.hidden, _TOLD: list(dict.fromkeys([*row.hidden.get(_TOLD, ()), *(endpoint.id for endpoint in endpoints)]))}


def _add(desk: Desk, event: str, endpoint: str) -> bool:
    """A delivery that is due now, begun anew where there was one; whether it is one more that is pending."""
    id_ = f"{event}:{endpoint}"
    document = {
        "id": id_,
        "event": event,
        "endpoint": endpoint,
        "status": PENDING,
        "attempts": 0,
        "since": desk.wall_clock // MICROS,
        "last_status": None,
        "last_error": None,
    }
    known = desk.store.find(DELIVERY, id_, lock=True)
    if known is None:
        desk.store.add(DELIVERY, id_, desk.wall_clock // MICROS, document, due_at=desk.wall_clock)
        return True
    desk.store.put(replace(known, document=document, due_at=desk.wall_clock))
    return known.document["status"] not in (PENDING, GIVEN_UP)  # what was given up is pending on the wire all the time


def _settle(desk: Desk, row: Row, attempts: int, outcome: Outcome) -> None:
    """Write down what came of an attempt, and what comes next."""
    seen = {**row.document, "last_status": outcome.status, "last_error": outcome.error}
    count_failures(desk, row.document["endpoint"], outcome.delivered)
    if outcome.delivered:
        _end(desk, replace(row, document=seen), DELIVERED)
        return
    if row.document["attempts"] != attempts:  # it took longer than its lease, and is being sent again
        return
    last = row.document["since"] * MICROS + KEPT_UP
    if desk.at >= last:
        _end(desk, replace(row, document=seen), GIVEN_UP)
    else:
        desk.store.put(replace(row, document=seen, due_at=min(desk.at + pause(row.id, attempts), last)))


def _end(desk: Desk, row: Row, status: str) -> None:
    """Nothing more is done about a delivery. Unless it was given up, one fewer is pending on the event."""
    desk.store.put(replace(row, document={**row.document, "status": status}, due_at=None))
    if status == GIVEN_UP:
        return
    event = desk.store.find(EVENT.name, row.document["event"], lock=True)
    if event is not None and event.document["pending_webhooks"] > 0:
        desk.store.put(replace(event, document={**event.document, "pending_webhooks": event.document["pending_webhooks"] - 1}))
