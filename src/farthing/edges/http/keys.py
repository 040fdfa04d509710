"""Who asks: the API key of a request, whose it is, and what it may do."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import string
from collections.abc import Mapping

from farthing.app.resources.access import FoundKey, KeyFinder, Mode, hashed
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Instant
from farthing.edges.http.refusals import ACCOUNT_FORBIDDEN, API_KEY_EXPIRED, API_KEY_INVALID, API_KEY_MISSING, PERMISSION_MISSING

_GROUPS = frozenset({"billing", "billing_portal", "checkout", "entitlements", "ext", "test_helpers"})
_LETTERS = string.ascii_letters + string.digits


def sent_key(headers: Mapping[str, str]) -> str:
    """The API key of a request: the user name of Basic authentication, or a Bearer token. Errors: api_key_missing, api_key_invalid."""
    scheme, _, rest = headers.get("authorization", "").strip().partition(" ")
    rest = rest.strip()
    if not scheme:
        raise Refusal(API_KEY_MISSING, "there is no Authorization header.", None)
    if scheme.lower() == "bearer":
        key = rest
    elif scheme.lower() == "basic":
        key = _user(rest)
    else:
        raise Refusal(API_KEY_INVALID, "the Authorization header is neither Basic nor Bearer.", None)
    if not key:
        raise Refusal(API_KEY_MISSING, "the Authorization header holds no key.", None)
    return key


def _user(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        raise Refusal(API_KEY_INVALID, "the Authorization header is not Base64.", None) from None


def authenticate(finder: KeyFinder, key: str, at: Instant) -> FoundKey:
    """The account and mode of a key, as of an instant. Errors: api_key_invalid, api_key_expired. They never show the key."""
    found = finder.find_key(hashed(key))
    if found is None:
        raise Refusal(API_KEY_INVALID, f"no account has this key ({len(key)} characters).", None)
    check_valid(found, at)
    return found


def check_valid(found: FoundKey, at: Instant) -> None:
    """Refuse a key that has expired or was revoked. Errors: api_key_expired."""
    if not found.key.valid(at):
        raise Refusal(API_KEY_EXPIRED, f"{found.key.shown} is not valid any more.", None)


def authorise(found: FoundKey, path: str, writes: bool) -> None:
    """Refuse what the key may not do. A restricted key has `read` or `write` (which includes reading) for each resource, named as in the
    path: `coupons`, `billing.meters`. Errors: permission_missing."""
    if found.key.kind == "secret":
        return
    resource, need = resource_of(path), "write" if writes else "read"
    has = found.key.permissions.get(resource) if found.key.kind == "restricted" else None
    if has != "write" and has != need:
        raise Refusal(PERMISSION_MISSING, f"{found.key.shown} has no permission to {need} {resource}.", None)


def resource_of(path: str) -> str:
    """The name that permissions have for what is at a path: `/v1/coupons/x` is `coupons`, `/v1/billing/meters` is `billing.meters`."""
    parts = [part for part in path.split("/") if part and not part.startswith("{")]
    names = parts if parts[:1] == ["ext"] else parts[1:]
    return ".".join(names[:2] if names[:1] and names[0] in _GROUPS else names[:1])


def account_id(account: str) -> str:
    """The id that the API shows for an account, which follows from its name."""
    return "acct_" + hashlib.sha256(f"account {account}".encode()).hexdigest()[:16]


def check_account(found: FoundKey, named: str | None) -> None:
    """Refuse a request that is to act for another account than the key's. Errors: account_forbidden."""
    if named is not None and named != account_id(found.account):
        raise Refusal(ACCOUNT_FORBIDDEN, f"{found.key.shown} may not act for {named[:60]!r}.", None)


def new_key(mode: Mode) -> str:
    """A new secret key: 40 random letters and digits, about 238 bits."""
    return f"sk_{mode}_" + "".join(secrets.choice(_LETTERS) for _ in range(40))
