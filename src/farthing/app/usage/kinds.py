"""The kinds of usage."""

from __future__ import annotations

from farthing.app.resources.kinds import kind

METER = kind(
    "billing.meter",
    "mtr_",
    "/v1/billing/meters",
    filters=("status",),
    events=("created", "updated", "deactivated", "reactivated"),
)
