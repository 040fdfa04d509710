"""Credit grants, what is left of them, and the transactions on them."""

from __future__ import annotations

from farthing.app.resources import plain as verbs
from farthing.app.resources.table import Page, PageQuery
from farthing.app.settlement.credits import balance_summary, create_grant, expire_grant, transactions_query, update_grant, void_grant
from farthing.app.settlement.kinds import CREDIT_GRANT, CREDIT_TRANSACTION
from farthing.edges.http import lists
from farthing.edges.http.routes import Answer, Call, Listed, plain, retrieved, route

_CREATES = ("amount", "applicability_config", "category", "customer", "effective_at", "expires_at", "metadata", "name", "priority")


def add_routes() -> None:
    """Serve credit grants and their balance."""
    plain(CREDIT_GRANT, creates=create_grant, takes=_CREATES, updates=update_grant, changes=("expires_at", "metadata"))
    one = "/v1/billing/credit_grants/{id}"
    route("POST", f"{one}/expire", lambda call: expire_grant(call.desk, call.id))
    route("POST", f"{one}/void", lambda call: void_grant(call.desk, call.id))
    route("GET", "/v1/billing/credit_balance_summary", lambda call: balance_summary(call.desk, call.params), ("customer", "filter"))
    route("GET", CREDIT_TRANSACTION.collection, _transactions, (*lists.CURSORS, "credit_grant", "customer"))
    route("GET", f"{CREDIT_TRANSACTION.collection}/{{id}}", lambda call: retrieved(call, CREDIT_TRANSACTION))


def _transactions(call: Call) -> Answer:
    params = call.params
    lists.refuse_two_cursors(params)
    cursors = params.get("starting_after"), params.get("ending_before")
    query = transactions_query(call.desk, params, PageQuery(CREDIT_TRANSACTION.name, lists.limit_of(params), *cursors))
    page = Page((), False) if query is None else verbs.page(call.desk, query)
    return Listed(page, CREDIT_TRANSACTION.collection)
