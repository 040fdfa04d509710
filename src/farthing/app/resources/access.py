"""Who may ask, and what was answered: API keys, which are kept as hashes, and the answers to requests that carry an idempotency key."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from farthing.app.resources.refusals import (
    API_KEY_MALFORMED,
    API_KEY_OTHER_MODE,
    API_KEY_PERMISSIONS,
    API_KEY_REVOKED,
    API_KEY_TAKEN,
    IDEMPOTENCY_KEY_INVALID,
)
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import MICROS, Instant
from farthing.core.events.fields import storable

Mode = Literal["test", "live"]
KeyKind = Literal["secret", "restricted", "publishable"]
Permission = Literal["read", "write"]
_KINDS: Mapping[str, KeyKind] = {"sk": "secret", "rk": "restricted", "pk": "publishable"}
_KEY = re.compile(r"((sk|rk|pk)_(test|live)_)[A-Za-z0-9]{24,200}")
LONGEST_IDEMPOTENCY_KEY = 255
ANSWERS_KEPT: Instant = 24 * 3600 * MICROS
"""For how long an answer is given again, in microseconds."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as it is kept. `hash` is the SHA-256 of the key itself, which is kept nowhere; `shown` is what may be seen of it: its
    prefix and last four characters. `permissions` of a restricted key say what it may do with each resource; what is not named, nothing.
    Instants are UTC microseconds; from `expires_at` and `revoked_at` on it is not valid, None: for ever."""

    id: str
    hash: bytes = field(repr=False)
    kind: KeyKind
    shown: str
    created_at: Instant
    permissions: Mapping[str, Permission] = field(default_factory=dict)
    expires_at: Instant | None = None
    revoked_at: Instant | None = None

    def valid(self, at: Instant) -> bool:
        """Whether it is valid at an instant."""
        return (self.expires_at is None or at < self.expires_at) and (self.revoked_at is None or at < self.revoked_at)


@dataclass(frozen=True, slots=True)
class FoundKey:
    """An API key, with the account (its name) and the mode that it is for."""

    account: str
    mode: Mode
    key: ApiKey


@dataclass(frozen=True, slots=True)
class Begun:
    """The request is a new one: do its work and hand this to `finish_request`, in the same transaction."""

    key: str
    fingerprint: bytes
    at: Instant


@dataclass(frozen=True, slots=True)
class Replay:
    """The request was answered before: this is the answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Conflict:
    """The key was used before, for another request."""


@dataclass(frozen=True, slots=True)
class InUse:
    """A request with this key is being worked on at this moment."""


class KeyFinder(Protocol):
    """Finds API keys of all accounts, as nobody knows whose a key is before it is found."""

    def find_key(self, hash_: bytes) -> FoundKey | None:
        """The key of a hash (see `hashed`), also one that is not valid any more; None if there is none."""
        ...


class Access(KeyFinder, Protocol):
    """API keys and answers, for one account and mode."""

    @property
    def mode(self) -> Mode:
        """The mode."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Everything written inside becomes durable together, or not at all."""
        ...

    def add_key(self, key: ApiKey) -> bool:
        """Keep an API key; False, and nothing changes, if its hash or id is taken, by any account."""
        ...

    def revoke_key(self, id_: str, at: Instant) -> ApiKey:
        """Make a key invalid from an instant on, and return it; one that is revoked already stays as it is. Errors: api_key_unknown."""
        ...

    def api_keys(self) -> Sequence[ApiKey]:
        """All keys, also those not valid any more, newest first."""
        ...

    def begin_request(self, key: str, fingerprint: bytes, at: Instant) -> Begun | Replay | Conflict | InUse:
        """Begin a request that carries an idempotency key, inside the transaction that does its work and ends with `finish_request`
        (RuntimeError outside of one). `fingerprint` is a hash of all that makes it this request.

        Whoever is second while the first one works is told InUse at once and does not wait. If the transaction does not commit, or the
        process is killed, the key is as if never used. Answers from 24 hours before `at` and older count as forgotten.
        """
        ...

    def finish_request(self, begun: Begun, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Keep the answer, which is given again from the commit on."""
        ...

    def forget_requests(self, up_to: Instant, limit: int = 10_000) -> int:
        """Delete at most `limit` answers that were begun at or before an instant, oldest first; returns how many. For the worker, with
        the wall clock less ANSWERS_KEPT."""
        ...


def hashed(secret: str) -> bytes:
    """What is kept and looked up of an API key: SHA-256. A key is long and random, which a slow hash would not make any safer."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def read_key(secret: str, at: Instant, permissions: Mapping[str, Permission] | None = None, expires_at: Instant | None = None) -> tuple[Mode, ApiKey]:
    """The mode that an API key's prefix names, and the key as it is kept. Errors: api_key_malformed, api_key_permissions_invalid. They never
    show the key."""
    found = _KEY.fullmatch(secret)
    if found is None:
        raise Refusal(API_KEY_MALFORMED, f"a text of {len(secret)} characters is no API key.", "api_key")
    prefix, kind, mode = found.group(1), _KINDS[found.group(2)], found.group(3)
    granted = dict(permissions or {})
    if kind != "restricted" and granted:
        raise Refusal(API_KEY_PERMISSIONS, f"a {kind} key has no permissions.", "permissions")
    for resource, permission in granted.items():
        if permission not in ("read", "write"):
            raise Refusal(API_KEY_PERMISSIONS, f"{permission!r} is neither read nor write.", f"permissions.{resource}")
    hash_ = hashed(secret)
    key = ApiKey(f"key_{hash_.hex()[:24]}", hash_, kind, f"{prefix}…{secret[-4:]}", at, granted, expires_at)
    return "test" if mode == "test" else "live", key


def ensure_key(
    store: Access, secret: str, at: Instant, permissions: Mapping[str, Permission] | None = None, expires_at: Instant | None = None
) -> ApiKey:
    """Register an API key for the store's account and mode, and return it as kept; the same again changes nothing. `at` is the wall clock.

    Errors: api_key_malformed, api_key_permissions_invalid, api_key_other_mode, api_key_taken (by another account, or with other
    permissions or another end), api_key_revoked.
    """
    mode, wanted = read_key(secret, at, permissions, expires_at)
    if mode != store.mode:
        raise Refusal(API_KEY_OTHER_MODE, f"{wanted.shown} is a key for {mode} mode, and this is {store.mode} mode.", "api_key")
    with store.transaction():
        if store.add_key(wanted):
            return wanted
        known = next((key for key in store.api_keys() if key.hash == wanted.hash), None)
    if known is None or (known.permissions, known.expires_at) != (wanted.permissions, expires_at):
        raise Refusal(API_KEY_TAKEN, f"{wanted.shown} is registered otherwise.", "api_key")
    if known.revoked_at is not None:
        raise Refusal(API_KEY_REVOKED, f"{wanted.shown} was revoked.", "api_key")
    return known


def read_idempotency_key(text: str) -> str:
    """An idempotency key that may be used. Errors: idempotency_key_invalid."""
    if not 0 < len(text) <= LONGEST_IDEMPOTENCY_KEY:
        raise Refusal(IDEMPOTENCY_KEY_INVALID, f"it has {len(text)} characters.", "Idempotency-Key")
    if not storable(text):
        raise Refusal(IDEMPOTENCY_KEY_INVALID, "it contains NUL or half of a surrogate pair.", "Idempotency-Key")
    return text
