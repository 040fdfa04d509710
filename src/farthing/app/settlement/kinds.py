"""The kinds of settlement."""

from __future__ import annotations

from farthing.app.resources.kinds import kind

BALANCE_TRANSACTION = kind("customer_balance_transaction", "cbtxn_", "/v1/customers/{customer}/balance_transactions", filters=("invoice",))
CREDIT_GRANT = kind("billing.credit_grant", "credgr_", "/v1/billing/credit_grants", filters=("customer",), events=("created", "updated"))
CREDIT_TRANSACTION = kind(
    "billing.credit_balance_transaction", "cbtxn_", "/v1/billing/credit_balance_transactions", filters=("credit_grant",), events=("created",)
)
CREDIT_NOTE = kind("credit_note", "cn_", "/v1/credit_notes", filters=("customer", "invoice"), events=("created", "updated", "voided"))
