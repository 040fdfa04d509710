"""What of billing ends with a customer."""

from __future__ import annotations

from dataclasses import replace

from farthing.app.billing.invoices import drafts_of
from farthing.app.billing.kinds import SUBSCRIPTION
from farthing.app.billing.subscriptions import ENDED, end_subscription
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import PageQuery, Test


def end_with_customer(desk: Desk, customer: str) -> None:
    """A customer who is deleted has no subscription any more: each ends now, what it billed stays, and its drafts never become final."""
    after: str | None = None
    while (page := plain.page(desk, PageQuery(SUBSCRIPTION.name, 100, after, tests=(Test("customer", "eq", customer),)))).rows:
        for row in page.rows:
            if row.document["status"] not in ENDED:
                held = plain.need(desk, SUBSCRIPTION, row.id, lock=True)
                end_subscription(desk, held, desk.second, bill_usage=False, reason="cancellation_requested")
            for waiting in drafts_of(desk, customer, set(row.hidden["contracts"])):
                desk.store.put(replace(waiting, deleted=True, due_at=None))
        after = page.rows[-1].id
