"""Requests that carry an idempotency key: what makes two the same, and how the store's answer about a key is answered."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from farthing.app.resources.access import Access, Begun, InUse, Replay, read_idempotency_key
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Instant
from farthing.edges.http.refusals import IDEMPOTENCY_KEY_IN_USE, IDEMPOTENCY_KEY_REUSED

__all__ = ["begin", "fingerprint", "read_idempotency_key"]


def fingerprint(method: str, path: str, account: str | None, sent: Mapping[str, Any]) -> bytes:
    """A hash of what makes a request this request: method, path, the account that it names, and its parameters in any order."""
    return hashlib.sha256(msgspec.json.encode([method, path, account, sent], order="sorted")).digest()


def begin(store: Access, key: str, print_: bytes, at: Instant) -> Begun | Replay:
    """Begin a request inside its transaction, or find the answer that it was given before.

    Errors: idempotency_key_reused, idempotency_key_in_use."""
    found = store.begin_request(key, print_, at)
    if isinstance(found, Begun | Replay):
        return found
    if isinstance(found, InUse):
        raise Refusal(IDEMPOTENCY_KEY_IN_USE, f"{key[:80]!r} is in use at this moment.", "Idempotency-Key")
    raise Refusal(IDEMPOTENCY_KEY_REUSED, f"{key[:80]!r} was sent before with another path or other parameters.", "Idempotency-Key")
