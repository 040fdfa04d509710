"""Refusals of subscriptions and invoices."""

from farthing.core.base.refusal import refusal_kind

SUBSCRIPTION_PRICE_CURRENCY = refusal_kind(
    "subscription_price_currency",
    "A price is not offered in the subscription's currency.",
    "Send prices that are all offered in one currency, or add that currency to the price's currency_options.",
)
SUBSCRIPTION_PRICE_ONE_TIME = refusal_kind(
    "subscription_price_one_time",
    "A subscription item has a price that does not recur.",
    "Send a price with `recurring`, or bill it by an invoice item.",
)
SUBSCRIPTION_PRICE_INACTIVE = refusal_kind("subscription_price_inactive", "A price is no longer offered.", "Send an active price.")
SUBSCRIPTION_INTERVALS_DIFFER = refusal_kind(
    "subscription_intervals_differ",
    "The prices of a subscription recur at different intervals.",
    "Put prices with other intervals on a subscription of their own.",
)
SUBSCRIPTION_QUANTITY_METERED = refusal_kind(
    "subscription_quantity_metered", "A metered item is given a quantity, which its meter measures.", "Leave out the quantity."
)
SUBSCRIPTION_ITEMS_MISSING = refusal_kind("subscription_items_missing", "A subscription would have no item.", "Send at least one item, or cancel it.")
SUBSCRIPTION_ITEM_TWICE = refusal_kind(
    "subscription_item_twice", "Two items of a subscription have the same price, or one item is changed twice.", "Send each once, with its quantity."
)
SUBSCRIPTION_ITEM_USAGE_TYPE = refusal_kind(
    "subscription_item_usage_type",
    "A licensed item is given a metered price, or the other way round.",
    "Remove the item (`deleted`), and send the price as a new one.",
)
SUBSCRIPTION_SCHEDULED = refusal_kind(
    "subscription_scheduled",
    "The subscription goes by a schedule, which decides this.",
    "Change the schedule's phases, or release the subscription from it first.",
)
SCHEDULE_ENDED = refusal_kind("subscription_schedule_ended", "The schedule is over, was canceled or released.", "Make a new one.")
SCHEDULE_PHASE_END = refusal_kind(
    "subscription_schedule_phase_end_missing", "A phase does not say how long it lasts.", "Send end_date or duration with every phase."
)
SCHEDULE_PHASES_APART = refusal_kind(
    "subscription_schedule_phases_apart",
    "A phase does not begin where the one before it ends, or the first one sent is not the current one.",
    "Leave out start_date, or send the end of the phase before; begin with the current phase.",
)
SCHEDULE_TRIAL_LATE = refusal_kind(
    "subscription_schedule_trial_late",
    "A phase is a trial, and one before it is none, or its trial ends behind it.",
    "Put trials into the first phases, and end them inside.",
)
SCHEDULE_UNSUPPORTED = refusal_kind(
    "subscription_schedule_unsupported", "This way of ending a schedule is not served.", "Send end_behavior cancel or release."
)
SUBSCRIPTION_ENDED = refusal_kind("subscription_ended", "The subscription has ended.", "Make a new one.")
SUBSCRIPTION_TIME_OUT_OF_RANGE = refusal_kind(
    "subscription_time_out_of_range",
    "A time of the subscription is not where it can be: an anchor after the first period, a trial that has ended, a proration outside the period.",
    "Send a time inside the range that the message names.",
)
SUBSCRIPTION_TIME_UNSUPPORTED = refusal_kind(
    "subscription_time_unsupported",
    "A time of the subscription is named by a word that the contract knows and this version does not support.",
    "Send a time in seconds.",
)
INVOICE_NOT_DRAFT = refusal_kind(
    "invoice_not_editable", "The invoice is no draft any more.", "Make a credit note, or an invoice item for the next one."
)
INVOICE_NOT_OPEN = refusal_kind("invoice_not_open", "The invoice is not open.", "Finalize it first; what is paid or void stays so.")
INVOICE_NOTHING_TO_BILL = refusal_kind(
    "invoice_no_customer_line_items", "There is nothing to bill.", "Add an invoice item, or wait until something is due."
)
INVOICE_NO_PAYMENT_METHOD = refusal_kind(
    "invoice_payment_method_missing",
    "The invoice is to be charged, and neither it, its subscription nor its customer has a payment method.",
    "Attach a payment method and make it the default, or send one.",
)
INVOICE_NOT_PAID = refusal_kind(
    "invoice_payment_requires_action",
    "The payment of the first invoice waits for the customer, and error_if_incomplete asks for one that does not.",
    "Send another payment_behavior, or a payment method that needs no action.",
)
INVOICE_CURRENCY_DIFFERS = refusal_kind(
    "invoice_currency_differs", "An invoice item is in another currency than its invoice.", "Send the invoice's currency, or make another invoice."
)
INVOICE_DUE_DATE = refusal_kind(
    "invoice_due_date_misplaced",
    "When an invoice is due is given twice, or for one that is charged automatically, or not at all for one that is sent.",
    "Send collection_method=send_invoice together with either days_until_due or due_date.",
)
INVOICE_ITEM_AMOUNT = refusal_kind(
    "invoice_item_amount", "An invoice item has both an amount and a price, or neither.", "Send amount and currency, or a price that does not recur."
)
INVOICE_ITEM_BILLED = refusal_kind("invoice_item_billed", "The invoice item is on an invoice that is final.", "Make another one, or a credit note.")
INVOICE_CREDITED = refusal_kind(
    "invoice_credited", "The invoice has credit notes, which are about what it bills.", "Make its credit notes void first."
)
