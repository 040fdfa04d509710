"""Sessions of the meter event stream: a token that stands for an API key for a quarter of an hour, and that nobody else can make."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from farthing.app.resources.access import FoundKey
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Resources
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import MICROS, Instant
from farthing.edges.http.keys import check_valid
from farthing.edges.http.pool import Stores
from farthing.edges.http.refusals import API_KEY_INVALID, SESSION_EXPIRED

LASTS: Instant = 15 * 60 * MICROS
PREFIX = "mes_"
SECRET = "meter_event_secret"
_HASH, _TIME, _SIGN = 32, 8, 32


@dataclass(frozen=True, slots=True)
class Session:
    """A session that was opened: whose key it stands for, and until when (UTC microseconds)."""

    found: FoundKey
    expires_at: Instant


def new_token(desk: Desk, key_hash: bytes, expires_at: Instant) -> str:
    """The token of a new session for the key of a hash. It is not kept: it says itself what it is, signed with the account's secret."""
    said = key_hash + expires_at.to_bytes(_TIME, "big")
    with desk.store.transaction():
        sign = hmac.digest(_secret(desk), said, hashlib.sha256)
    return PREFIX + base64.urlsafe_b64encode(said + sign).decode().rstrip("=")


def read_token(stores: Stores, token: str, at: Instant) -> Session:
    """The session of a token. Errors: api_key_invalid, api_key_expired (its key was revoked), session_expired. They never show the token."""
    said, sign = _parts(token)
    found = stores.find_key(said[:_HASH])
    if found is None:
        raise _invalid()
    with stores.of(found.account, found.mode) as store:
        secret = _kept(store)
    if secret is None or not hmac.compare_digest(hmac.digest(secret, said, hashlib.sha256), sign):
        raise _invalid()
    session = Session(found, int.from_bytes(said[_HASH:], "big"))
    check(session, at)
    return session


def check(session: Session, at: Instant) -> None:
    """Refuse a session that is over. Errors: api_key_expired, session_expired."""
    check_valid(session.found, at)
    if at >= session.expires_at:
        raise Refusal(SESSION_EXPIRED, f"it ended {(at - session.expires_at) // MICROS} seconds ago.", None)


def _parts(token: str) -> tuple[bytes, bytes]:
    body = token.removeprefix(PREFIX)
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _invalid() from None
    if not token.startswith(PREFIX) or len(raw) != _HASH + _TIME + _SIGN:
        raise _invalid()
    return raw[: _HASH + _TIME], raw[_HASH + _TIME :]


def _invalid() -> Refusal:
    return Refusal(API_KEY_INVALID, "the token is of no session of the meter event stream.", None)


def _kept(store: Resources) -> bytes | None:
    row = store.find(SECRET, SECRET)
    return None if row is None else bytes.fromhex(row.hidden["secret"])


def _secret(desk: Desk) -> bytes:
    """The account's secret for signing, made when it is first needed; the claim lets only one request make it."""
    desk.store.claim(SECRET, SECRET, SECRET)
    kept = _kept(desk.store)
    if kept is None:
        kept = secrets.token_bytes(32)
        desk.store.add(SECRET, SECRET, desk.second, {}, hidden={"secret": kept.hex()})
    return kept
