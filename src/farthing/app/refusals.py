"""Refusals of a store: what is there already, or missing, or would break the books. Every store refuses the same by the same name."""

from farthing.core.base.refusal import refusal_kind

METER_CHANGED = refusal_kind(
    "meter_changed", "A meter of this id exists with other content, and meters never change.", "Declare the new meter under a new id."
)
PRICE_VERSION_CHANGED = refusal_kind(
    "price_version_changed",
    "A price version of this id exists with other content, and versions never change.",
    "Give the new version of the price an id of its own.",
)
GRANT_CHANGED = refusal_kind("grant_changed", "A grant of this id exists with other content.", "Grant the credit under a new id.")
CUSTOMER_UNKNOWN = refusal_kind("customer_unknown", "The customer does not exist.", "Add the customer first.")
CONTRACT_UNKNOWN = refusal_kind("contract_unknown", "The contract does not exist.", "Add the contract first.")
GRANT_UNKNOWN = refusal_kind("grant_unknown", "The grant does not exist.", "Put the grant first.")
GRANT_EXHAUSTED = refusal_kind(
    "grant_exhausted",
    "A bill would use more of a grant than remains of it, or refill it beyond what was granted.",
    "Compute the draft again: another bill used the grant meanwhile.",
)
DOCUMENT_CHANGED = refusal_kind(
    "document_changed", "A document of this id is final with other content.", "Compute the draft again: what is final is corrected by a new document."
)
DOCUMENT_OUTDATED = refusal_kind(
    "document_outdated",
    "What was billed before is not what the draft was computed against: another bill became final meanwhile.",
    "Compute the draft again.",
)
ENTRY_UNBALANCED = refusal_kind(
    "entry_unbalanced", "The legs of a ledger entry do not sum to zero in each currency.", "Post legs that balance, all of an entry at once."
)
LEDGER_ACCOUNT_UNKNOWN = refusal_kind(
    "ledger_account_unknown", "A posting names an account that is not in the chart of accounts.", "Post to an account of docs/ledger.md."
)
PERIOD_CLOSED = refusal_kind("period_closed", "A posting is in an accounting period that is closed.", "Book it in the first open accounting period.")
VERIFICATION_TOO_LARGE = refusal_kind(
    "verification_too_large", "There are more final documents than one request verifies.", "Run `farthing verify`, which has no bound."
)
LINE_UNKNOWN = refusal_kind(
    "line_unknown", "No final bill has this line.", "Name it as the bill's number, a colon, and the line's place from 1, such as INV-000001:1."
)
PAGE_UNKNOWN = refusal_kind("page_unknown", "The line has fewer pages of events.", "Name one of the pages that there are; they count from 1.")
DOCUMENT_UNKNOWN = refusal_kind("document_unknown", "No final bill has this number.", "`farthing invoices` lists the numbers.")
WAIVER_OUT_OF_RANGE = refusal_kind(
    "waiver_out_of_range",
    "A waiver gives up nothing, or more than was billed.",
    "Send an amount in minor units between 1 and what was billed for the line's charge in all.",
)
