"""Refusals of customers and their tax ids."""

from farthing.core.base.refusal import refusal_kind

EMAIL_INVALID = refusal_kind("email_invalid", "A text is no address of electronic mail.", "Send an address such as jenny@example.com.")
LOCALE_INVALID = refusal_kind("locale_invalid", "A preferred locale is no language tag.", 'Send tags such as "en" or "pt-BR".')
INVOICE_PREFIX_INVALID = refusal_kind(
    "invoice_prefix_invalid", "What numbers of invoices begin with has other characters than it may.", "Send 3 to 12 capital letters and digits."
)
INVOICE_PREFIX_TAKEN = refusal_kind(
    "invoice_prefix_taken", "Numbers of another customer's invoices begin with this, or once did.", "Send another prefix, or none."
)
INVOICE_SEQUENCE_TOO_LOW = refusal_kind(
    "invoice_sequence_too_low",
    "The next number of an invoice is below 1, or below the one that is next already: numbers would repeat.",
    "Send a higher number.",
)
ENTRIES_TOO_MANY = refusal_kind("entries_too_many", "A list of a customer has more entries than it may.", "Send fewer.")
PAYMENT_METHOD_NOT_ATTACHED = refusal_kind(
    "payment_method_not_attached", "The payment method is not this customer's.", "Attach it to the customer first."
)
TAX_ID_INVALID = refusal_kind(
    "tax_id_invalid", "A tax id does not have the form that its type has.", "Correct the value, or send the type that it is of."
)
TAX_ID_OWNER_INVALID = refusal_kind(
    "tax_id_owner_invalid",
    "The owner of a tax id is neither the account itself nor a customer who is named.",
    "Send owner[type]=customer with owner[customer], or owner[type]=self.",
)
