"""Webhook endpoints."""

from __future__ import annotations

from farthing.app.webhooks.endpoints import create_endpoint, delete_endpoint, update_endpoint
from farthing.app.webhooks.kinds import ENDPOINT
from farthing.edges.http.routes import one_of, plain, route

_FIELDS = ("description", "enabled_events", "metadata", "url")


def add_routes() -> None:
    """Serve webhook endpoints."""
    plain(ENDPOINT, creates=create_endpoint, takes=(*_FIELDS, "api_version"), updates=update_endpoint, changes=(*_FIELDS, "disabled"))
    route("DELETE", one_of(ENDPOINT), lambda call: delete_endpoint(call.desk, call.id))
