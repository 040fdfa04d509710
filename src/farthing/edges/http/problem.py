"""Errors as the wire has them: one envelope, the status that a refusal is answered with, and what clients may do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from farthing.app.resources.refusals import RESOURCE_MISSING
from farthing.core.base.refusal import Refusal, RefusalKind
from farthing.edges.http import refusals

ErrorType = Literal["api_error", "card_error", "idempotency_error", "invalid_request_error", "temporary_session_expired"]
AGAIN = {"Retry-After": "1"}
NEVER_AGAIN = {"Stripe-Should-Retry": "false"}


@dataclass(frozen=True, slots=True)
class Manner:
    """How a refusal is answered: HTTP status, the envelope's type, and headers of its own."""

    status: int = 400
    type: ErrorType = "invalid_request_error"
    headers: Mapping[str, str] = field(default_factory=dict)


_USUAL = Manner()
_MANNERS: dict[str, Manner] = {}


def answered(kind: RefusalKind, status: int, type_: ErrorType = "invalid_request_error", headers: Mapping[str, str] | None = None) -> RefusalKind:
    """Declare that refusals of a kind are answered in another way than with 400 `invalid_request_error`; returns the kind.

    A 409 carries `Stripe-Should-Retry: false` unless the headers say otherwise: SDKs send it again on their own."""
    extra = NEVER_AGAIN if headers is None and status == 409 else headers or {}
    answered_by_code(kind.code, status, type_, extra)
    return kind


def answered_by_code(code: str, status: int, type_: ErrorType, headers: Mapping[str, str]) -> None:
    """The same for refusals that another edge declares: edges do not import each other."""
    _MANNERS[code] = Manner(status, type_, headers)


def manners() -> Mapping[str, Manner]:
    """How refusals are answered that have a way of their own, by code."""
    return dict(_MANNERS)


def manner(refusal: Refusal, ids: tuple[str, ...] = ()) -> Manner:
    """How a refusal is answered. What is missing is 404 where it was asked for in the path (its names are `ids`), and 400 where a
    parameter names it."""
    if refusal.kind is RESOURCE_MISSING and refusal.field in (None, "id", *ids):
        return Manner(404)
    return _MANNERS.get(refusal.code, _USUAL)


def envelope(refusal: Refusal, type_: ErrorType, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The document of an error. `extra` are further members, such as the payment intent that was declined."""
    error: dict[str, Any] = {"type": type_, "code": refusal.code, "message": refusal.document()["message"]}
    if refusal.field is not None:
        error["param"] = refusal.field
    return {"error": {**error, **(extra or {})}}


for _code in ("database_unavailable", "database_busy", "database_disk_full"):
    answered_by_code(_code, 503, "api_error", AGAIN)
for _kind in (refusals.API_KEY_MISSING, refusals.API_KEY_INVALID, refusals.API_KEY_EXPIRED):
    answered(_kind, 401, headers={"WWW-Authenticate": 'Bearer realm="farthing"'})
for _kind in (refusals.PERMISSION_MISSING, refusals.ACCOUNT_FORBIDDEN):
    answered(_kind, 403)
answered(refusals.URL_UNKNOWN, 404)
answered(refusals.METHOD_NOT_ALLOWED, 405)
answered(refusals.BODY_LATE, 408)
answered(refusals.BODY_TOO_LARGE, 413)
answered(refusals.FORM_TOO_LARGE, 413)
answered(refusals.CONTENT_TYPE_UNSUPPORTED, 415)
answered(refusals.IDEMPOTENCY_KEY_REUSED, 400, "idempotency_error")
answered(refusals.IDEMPOTENCY_KEY_IN_USE, 409, "idempotency_error", {"Stripe-Should-Retry": "true", **AGAIN})
answered(refusals.RATE_LIMITED, 429, headers={"Stripe-Should-Retry": "true", **AGAIN})
answered(refusals.SERVER_ERROR, 500, "api_error")
answered(refusals.SERVER_BUSY, 503, "api_error", AGAIN)
answered(refusals.DEADLINE_EXCEEDED, 503, "api_error", AGAIN)
