"""Webhook endpoints: where events are sent, and which."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from farthing.app.resources import plain
from farthing.app.resources.changes import API_VERSION
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import PageQuery, Row, Test
from farthing.app.webhooks.kinds import ENDPOINT
from farthing.app.webhooks.refusals import WEBHOOK_ENDPOINTS_TOO_MANY, WEBHOOK_URL_INVALID, WEBHOOK_VERSION_UNSUPPORTED
from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import MICROS, Instant
from farthing.core.events.fields import read_storable

MOST = 32
_LONGEST_URL = 2_048
_URL = re.compile(r"(https?)://(?:\[[0-9a-f:.]+\]|[^\s/?#@:\[\]\\]+)(?::([0-9]{1,5}))?(?:[/?][^\s#\\]*)?", re.IGNORECASE)
_ALL = "*"
_FAILURES, _RESTS = "failures", "rests_until"
_FIRST_REST: Instant = MICROS // 2
_LONGEST_REST: Instant = 300 * MICROS


def create_endpoint(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Make a webhook endpoint. The document that is returned, and no other ever, holds the secret with which deliveries are signed.

    Errors: webhook_url_invalid, webhook_version_unsupported, webhook_endpoints_too_many."""
    version = params.get("api_version")
    if version not in (None, API_VERSION):
        raise Refusal(WEBHOOK_VERSION_UNSUPPORTED, f"{version} is not {API_VERSION}.", "api_version")
    document = {
        "api_version": version,
        "application": None,
        "description": params.get("description"),
        "enabled_events": _types(params["enabled_events"]),
        "metadata": plain.merged_metadata({}, params.get("metadata")),
        "status": "enabled",
        "url": read_url(desk, params["url"]),
    }
    with desk.store.transaction():
        if len(desk.store.page(PageQuery(ENDPOINT.name, MOST)).rows) >= MOST:
            raise Refusal(WEBHOOK_ENDPOINTS_TOO_MANY, f"there are {MOST} already.", None)
        secret = _secret(desk)
        row = plain.create(desk, ENDPOINT, document, hidden={"secret": secret}, event=None)
    return Row(row.kind, row.id, row.created, row.place, {**row.document, "secret": secret})


def update_endpoint(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change a webhook endpoint. What was told before stays as it was sent; a delivery under way goes to the new address.

    Errors: webhook_url_invalid, resource_missing."""
    with desk.store.transaction():
        row = plain.need(desk, ENDPOINT, id_, lock=True)
        document = dict(row.document)
        if "url" in params:
            document["url"] = read_url(desk, params["url"])
        if "enabled_events" in params:
            document["enabled_events"] = _types(params["enabled_events"])
        if "disabled" in params:
            document["status"] = "disabled" if params["disabled"] else "enabled"
        if "description" in params:
            document["description"] = params["description"]
        if "metadata" in params:
            document["metadata"] = plain.merged_metadata(document["metadata"], params["metadata"])
        return plain.change(desk, ENDPOINT, row, document, event=None, hidden={"secret": row.hidden["secret"]})


def delete_endpoint(desk: Desk, id_: str) -> dict[str, Any]:
    """Delete a webhook endpoint; what was not delivered to it by now never is. Errors: resource_missing."""
    with desk.store.transaction():
        row = plain.need(desk, ENDPOINT, id_, lock=True)
        desk.store.put(Row(row.kind, row.id, row.created, row.place, row.document, deleted=True))  # the secret goes with it
        return {"id": id_, "object": ENDPOINT.name, "deleted": True}


def enabled_for(desk: Desk, type_: str) -> list[Row]:
    """The endpoints that are enabled for a type of events, oldest first."""
    rows = desk.store.page(PageQuery(ENDPOINT.name, MOST, tests=(Test("status", "eq", "enabled"),))).rows
    return [row for row in reversed(rows) if wants(row, type_)]


def wants(endpoint: Row, type_: str) -> bool:
    """Whether an endpoint is enabled, and for this type of events."""
    document = endpoint.document
    return not endpoint.deleted and document["status"] == "enabled" and (_ALL in document["enabled_events"] or type_ in document["enabled_events"])


def count_failures(desk: Desk, id_: str, delivered: bool) -> None:
    """Keep, inside a transaction, how often in a row an endpoint has failed, and let it rest meanwhile: half a second, doubled each time up
    to five minutes."""
    row = desk.store.find(ENDPOINT.name, id_, lock=True)
    if row is None or row.deleted or (delivered and _FAILURES not in row.hidden):
        return
    hidden = {name: value for name, value in row.hidden.items() if name not in (_FAILURES, _RESTS)}
    if not delivered:
        count = row.hidden.get(_FAILURES, 0) + 1
        hidden |= {_FAILURES: count, _RESTS: desk.at + min(_FIRST_REST << min(count - 1, 20), _LONGEST_REST)}
    desk.store.put(replace(row, hidden=hidden))


def rests_until(endpoint: Row) -> Instant:
    """Until when nothing is sent to an endpoint because it has failed; 0 if it has not."""
    return int(endpoint.hidden.get(_RESTS, 0))


def read_url(desk: Desk, text: str, field: str = "url") -> str:
    """An address that may be posted to; whether its host may be reached is known only when it is. Errors: webhook_url_invalid."""
    found = _URL.fullmatch(read_storable(text, field))
    schemes = ("https",) if desk.live else ("https", "http")
    if found is None or len(text) > _LONGEST_URL or not text.isprintable() or found[1].lower() not in schemes or not _port(found[2]):
        raise Refusal(WEBHOOK_URL_INVALID, f"{shown(text)} is none.", field)
    return text


def _port(digits: str | None) -> bool:
    return digits is None or 0 < int(digits) < 65_536


def _types(sent: list[str]) -> list[str]:
    return list(dict.fromkeys(sent))


def _secret(desk: Desk) -> str:
    """A secret that nobody can guess, of the random bits of two ids."""
    bits = hashlib.sha256("".join(desk.new_id("whsec") for _ in range(2)).encode()).digest()
    return f"whsec_{base64.b32encode(bits).decode().rstrip('=').lower()}"
