"""Refusals of contracts: documents that make no sense, and terms that cannot be resolved."""

from farthing.core.base.refusal import refusal_kind

CONTRACT_PRICE_MISSING = refusal_kind(
    "contract_price_missing",
    "An item's price has no version that holds over some of the time being billed.",
    "Add a version of the price for that time.",
)
CONTRACT_METER_MISSING = refusal_kind("contract_meter_missing", "An item names a meter that does not exist.", "Add the meter.")
CONTRACT_CURRENCY_DIFFERS = refusal_kind(
    "contract_currency_differs", "An item's price is in another currency than its contract.", "Use a price in the contract's currency."
)
CONTRACT_ITEM_TWICE = refusal_kind("contract_item_twice", "Two items of a contract have the same id.", "Give each item an id of its own.")
CONTRACT_SPAN_EMPTY = refusal_kind("contract_span_empty", "A span ends before or when it starts.", "Send an end after the start, or leave it out.")
CONTRACT_TIME_OUT_OF_RANGE = refusal_kind(
    "contract_time_out_of_range",
    "A contract starts, ends or is anchored before 1970 or after 2261, where no event can be.",
    "Send a time in those years, or leave out the end of a contract that runs on.",
)
CONTRACT_QUANTITY_MISPLACED = refusal_kind(
    "contract_quantity_misplaced", "A metered item has a quantity, or a licensed one has none.", "Send a quantity for items without a meter only."
)
CONTRACT_TERM_MISSING = refusal_kind(
    "contract_term_missing", "A price accumulates over the contract's term, but the contract has none.", "Give the contract a term."
)
CONTRACT_ITEM_UNKNOWN = refusal_kind(
    "contract_item_unknown", "An amendment changes or removes an item that is not agreed at any time in its span.", "Name an item of the contract."
)
CONTRACT_AMENDMENT_OUTSIDE = refusal_kind(
    "contract_amendment_outside", "An amendment holds at no time at which the contract has an agreement.", "Send a span inside the contract's."
)
