"""Subscription schedules."""

from __future__ import annotations

from farthing.app.billing.kinds import SCHEDULE
from farthing.app.billing.schedules import cancel_schedule, create_schedule, release_schedule, update_schedule
from farthing.app.resources.table import Test
from farthing.edges.http import lists
from farthing.edges.http.routes import Answer, Call, Listed, plain, route

_DEFAULTS = tuple(
    f"default_settings[{name}]"
    for name in ("billing_cycle_anchor", "collection_method", "default_payment_method", "description", "invoice_settings[days_until_due]")
)
_PHASE = tuple(
    f"phases[][{name}]"
    for name in (
        *("billing_cycle_anchor", "collection_method", "currency", "default_payment_method", "default_tax_rates", "description"),
        *("discounts", "duration", "end_date", "invoice_settings[days_until_due]", "items[][metadata]", "items[][price]"),
        *("items[][quantity]", "metadata", "proration_behavior", "trial", "trial_end"),
    )
)
_BOTH = (*_DEFAULTS, *_PHASE, "end_behavior", "metadata")


def add_routes() -> None:
    """Serve subscription schedules."""
    plain(
        SCHEDULE,
        creates=create_schedule,
        takes=(*_BOTH, "customer", "from_subscription", "start_date"),
        updates=update_schedule,
        changes=(*_BOTH, "phases[][start_date]", "proration_behavior"),
        lists=_listed,
        lists_by=("scheduled",),
    )
    one = "/v1/subscription_schedules/{schedule}"
    route("POST", f"{one}/cancel", lambda call: cancel_schedule(call.desk, call.id, call.params), ("invoice_now", "prorate"))
    route("POST", f"{one}/release", lambda call: release_schedule(call.desk, call.id, call.params), ("preserve_cancel_date",))


def _listed(call: Call) -> Answer:
    """With `scheduled` those that have not begun, without those that have; if it is not sent, all."""
    params = dict(call.params)
    scheduled = params.pop("scheduled", None)
    conditions = list(lists.tests(params))
    if scheduled is not None:
        conditions.append(Test("status", "eq", "not_started", negated=not scheduled))
    return Listed(lists.page(call.desk, SCHEDULE.name, params, conditions), SCHEDULE.collection)
