"""Alerts on usage."""

from __future__ import annotations

from farthing.app.alerts.alerts import activate_alert, archive_alert, create_alert, deactivate_alert
from farthing.app.alerts.kinds import ALERT
from farthing.edges.http import lists
from farthing.edges.http.routes import Answer, Call, Listed, plain, route


def add_routes() -> None:
    """Serve alerts."""
    plain(ALERT, creates=create_alert, takes=("alert_type", "title", "usage_threshold"), lists=_alerts, lists_by=("meter",))
    one = f"{ALERT.collection}/{{id}}"
    route("POST", f"{one}/activate", lambda call: activate_alert(call.desk, call.id))
    route("POST", f"{one}/deactivate", lambda call: deactivate_alert(call.desk, call.id))
    route("POST", f"{one}/archive", lambda call: archive_alert(call.desk, call.id))


def _alerts(call: Call) -> Answer:
    conditions = lists.tests(call.params, {"meter": "usage_threshold.meter"})
    return Listed(lists.page(call.desk, ALERT.name, call.params, conditions), ALERT.collection)
