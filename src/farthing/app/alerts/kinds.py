"""The kind of alerts."""

from __future__ import annotations

from farthing.app.resources.kinds import kind

ALERT = kind("billing.alert", "alrt_", "/v1/billing/alerts", filters=("alert_type",), events=("triggered",))
