"""The account itself, and the events that tell what happened in it."""

from __future__ import annotations

from typing import Any

from farthing.app.catalogue.accounts import account_document
from farthing.app.resources.changes import EVENT
from farthing.app.resources.table import Test
from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELDS_CONFLICT
from farthing.edges.http import lists
from farthing.edges.http.keys import account_id
from farthing.edges.http.refusals import EVENT_TYPES_INVALID
from farthing.edges.http.routes import Call, Listed, retrieved, route
from farthing.edges.http.wire.contract import operation

MOST_TYPES = 20


def add_routes() -> None:
    """Serve the account and its events."""
    route("GET", "/v1/account", _account)
    route("GET", EVENT.collection, _events, (*lists.PARAMETERS, "type", "types"))
    route("GET", "/v1/events/{id}", lambda call: retrieved(call, EVENT))


def _account(call: Call) -> dict[str, Any]:
    return account_document(account_id(call.caller.account), call.caller.account)


def _events(call: Call) -> Listed:
    params = dict(call.params)
    one, many = params.pop("type", None), params.pop("types", None)
    if one is not None and many is not None:
        raise Refusal(FIELDS_CONFLICT, "type and types are both sent.", "types")
    wanted = _group(one) if one is not None else many
    conditions = lists.tests(params)
    if wanted is None:
        return Listed(lists.page(call.desk, EVENT.name, params, conditions), EVENT.collection)
    if not 0 < len(set(wanted)) <= MOST_TYPES and many is not None:
        raise Refusal(EVENT_TYPES_INVALID, f"there are {len(wanted)}, and not 1 to {MOST_TYPES}.", "types")
    choices = [Test("type", "eq", name) for name in sorted(set(wanted))]
    return Listed(lists.page_of_any(call.desk, EVENT.name, params, conditions, choices), EVENT.collection)


def _group(type_: str) -> list[str] | None:
    """The types that are meant by one: itself, or with `.*` at its end all of the group; None for all there are."""
    if type_ == "*":
        return None
    if "*" not in type_:
        return [type_]
    group = [name for name in _types() if type_.endswith(".*") and name.startswith(type_[:-1])]
    if not group:
        raise Refusal(EVENT_TYPES_INVALID, f"{shown(type_)} is no group of types.", "type")
    return group


def _types() -> tuple[str, ...]:
    """All types of events, which the contract has as what a webhook endpoint can ask for."""
    found = operation("POST", "/v1/webhook_endpoints")
    assert found is not None
    inner = found.params.fields["enabled_events"].inner
    return () if inner is None else inner.choices
