"""The kinds of customers."""

from __future__ import annotations

from farthing.app.resources.kinds import kind

CUSTOMER = kind(
    "customer",
    "cus_",
    "/v1/customers",
    filters=("email", "test_clock"),
    search={"created": "number", "email": "text", "metadata": "metadata", "name": "text", "phone": "text"},
    events=("created", "updated", "deleted"),
)
TAX_ID = kind("tax_id", "txi_", "/v1/tax_ids")
"""Events tell of it as of a part of its customer: `customer.tax_id.created`."""
