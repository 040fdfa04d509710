"""Refusals of customers' balances and credits."""

from farthing.core.base.refusal import refusal_kind

BALANCE_CHANGE_ZERO = refusal_kind(
    "balance_change_zero", "A transaction changes a customer's balance by nothing.", "Send an amount below zero for a credit, above zero for a debit."
)
BALANCE_OUT_OF_RANGE = refusal_kind(
    "balance_out_of_range",
    "A customer's balance, or what changes it, would be more than 999,999,999,999 minor units in either direction.",
    "Send a smaller amount.",
)
CREDIT_GRANT_AMOUNT = refusal_kind(
    "credit_grant_amount", "A credit grant is worth nothing, or more than 999,999,999,999 minor units.", "Send an amount[monetary][value] in between."
)
CREDIT_GRANT_TIMES = refusal_kind(
    "credit_grant_times", "A credit grant would expire before it can be used, or in the past.", "Send an expires_at after now and after effective_at."
)
CREDIT_GRANT_PRIORITY = refusal_kind("credit_grant_priority", "A credit grant's priority is not from 0 to 100.", "Send one that is; 0 is used first.")
CREDIT_GRANT_SCOPE = refusal_kind(
    "credit_grant_scope",
    "The scope of credits does not say which metered prices: it has neither price_type nor prices, both, too many, or one that is not metered.",
    "Send scope[price_type]=metered, or up to 20 metered prices in the grant's currency.",
)
CREDIT_GRANT_ENDED = refusal_kind("credit_grant_ended", "The credit grant has expired or is void.", "Make another one.")
CREDIT_GRANT_USED = refusal_kind(
    "credit_grant_used", "A credit grant that is used on an invoice would become void.", "Expire it, or make the invoice void first."
)
CREDIT_NOTE_INVOICE = refusal_kind(
    "credit_note_invoice",
    "The invoice is neither open nor paid, so that there is nothing to credit.",
    "Finalize the invoice first; a draft is changed instead.",
)
CREDIT_NOTE_LINE = refusal_kind(
    "credit_note_line",
    "A line of a credit note does not say what it credits: its type, its invoice line or its amount is missing, is given twice, or is out of place.",
    "Send invoice_line_item with an amount or a quantity, or a custom_line_item with a description and a unit amount.",
)
CREDIT_NOTE_TOO_LARGE = refusal_kind(
    "credit_note_too_large",
    "A credit note would credit more than is left of the invoice, or of one of its lines.",
    "Send at most what the message names.",
)
CREDIT_NOTE_EMPTY = refusal_kind("credit_note_empty", "A credit note would credit nothing.", "Send one of amount and lines, above zero.")
CREDIT_NOTE_ALLOTMENT = refusal_kind(
    "credit_note_allotment",
    "Of a credit note, what was paid already is not wholly refunded, credited to the balance or given back elsewhere, or more than that is.",
    "Send refund_amount, credit_amount and out_of_band_amount that sum to what the message names.",
)
CREDIT_NOTE_NO_PAYMENT = refusal_kind(
    "credit_note_no_payment", "There is no payment on the invoice that could be refunded.", "Send credit_amount or out_of_band_amount."
)
CREDIT_NOTE_STANDS = refusal_kind(
    "credit_note_stands",
    "The credit note has been settled, or is void already.",
    "Make an invoice item instead; only a credit note that lowers an open invoice becomes void.",
)
