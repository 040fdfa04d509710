"""What is served: the routes of each stage."""

from __future__ import annotations

from functools import cache

from farthing.edges.http.resources import (
    account,
    alerts,
    billing,
    catalogue,
    clocks,
    credit_notes,
    credits,
    customers,
    entitlements,
    explanations,
    payments,
    prices,
    promotions,
    schedules,
    simulator,
    usage,
    webhooks,
)


@cache
def register() -> None:
    """Put all routes into the registry, once."""
    stages = (account, alerts, billing, catalogue, clocks, credit_notes, credits, customers, entitlements, explanations)
    for stage in (*stages, payments, prices, promotions, schedules, simulator, usage, webhooks):
        stage.add_routes()
