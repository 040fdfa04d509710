"""Which kinds have due work."""

from __future__ import annotations

from collections.abc import Callable

from farthing.app.alerts.alerts import look
from farthing.app.alerts.kinds import ALERT
from farthing.app.billing.collect import advance_invoice, roll
from farthing.app.billing.endings import end_with_customer
from farthing.app.billing.kinds import INVOICE, SCHEDULE, SUBSCRIPTION
from farthing.app.billing.schedules import advance_schedule
from farthing.app.clocks.advance import fail_clock, work_on_clock
from farthing.app.clocks.kinds import CLOCK
from farthing.app.customers.customers import ends_with_customer
from farthing.app.entitlements import active
from farthing.app.resources.changes import EVENT
from farthing.app.resources.table import Document
from farthing.app.settlement.credits import expire_due
from farthing.app.settlement.kinds import CREDIT_GRANT
from farthing.app.webhooks.deliveries import Deliveries, fan_out
from farthing.app.webhooks.kinds import DELIVERY
from farthing.app.webhooks.sender import Sender
from farthing.app.work.registry import WORKS, works
from farthing.core.base.time import Instant

SENDING = (EVENT.name, DELIVERY)
"""The kinds whose work waits for others' servers, or leads to it: they have workers of their own, so that nothing else waits."""


def register() -> None:
    """Put the work on all kinds into the registry, once; that on deliveries needs `register_sender`."""
    if CLOCK.name in WORKS:
        return
    works(CLOCK.name, work_on_clock, steps=True, on_clocks=False, on_fault=fail_clock)
    works(EVENT.name, fan_out, on_clocks=False)
    works(SUBSCRIPTION.name, roll)
    ends_with_customer(end_with_customer)
    works(INVOICE.name, advance_invoice)
    works(SCHEDULE.name, advance_schedule)
    works(CREDIT_GRANT.name, expire_due)
    works(ALERT.name, look, on_clocks=False)
    active.register()


def register_sender(sender: Sender, encode: Callable[[Document], bytes], now: Callable[[], Instant]) -> None:
    """Put the work on deliveries into the registry, once, with who sends them, how documents are written, and the wall clock."""
    works(DELIVERY, Deliveries(sender, encode, now).work, on_clocks=False)
