"""Refusals of contracts: documents that make no sense, and terms that cannot be resolved."""

from farthing.core.base.refusal import refusal_kind

CONTRACT_PRICE_MISSING = refusal_kind(
    "contract_price_missing",
    "An item's price does not exist, or has no version over some of the time that it is agreed or billed for.",
    "Name the price by its lineage, and add it, or a version of it for that time.",
)
CONTRACT_METER_MISSING = refusal_kind("contract_meter_missing", "An item names a meter that does not exist.", "Add the meter.")
CONTRACT_METER_UNFIT = refusal_kind(
    "contract_meter_unfit",
    "An item's price tells times of day apart by its events, and its meter measures a level, which holds between events.",
    "Use a price without time of use, or a meter that sums what each event says.",
)
CONTRACT_CURRENCY_DIFFERS = refusal_kind(
    "contract_currency_differs", "An item's price is in another currency than its contract.", "Use a price in the contract's currency."
)
CONTRACT_ITEM_TWICE = refusal_kind("contract_item_twice", "Two items of a contract have the same id.", "Give each item an id of its own.")
CONTRACT_DISCOUNT_TWICE = refusal_kind(
    "contract_discount_twice", "Two discounts of an agreement have the same id.", "Give each discount an id of its own."
)
CONTRACT_TAX_RATE_TWICE = refusal_kind(
    "contract_tax_rate_twice", "Two tax rates of an agreement have the same id.", "Give each tax rate an id of its own."
)
CONTRACT_TAX_RATE_CHANGED = refusal_kind(
    "contract_tax_rate_changed",
    "A tax rate of this id is contained in the prices at another time of the contract and on top of them at this, or the other way round.",
    "Give the tax rate another id; its percentage may change under the same one.",
)
CONTRACT_SPAN_EMPTY = refusal_kind("contract_span_empty", "A span ends before or when it starts.", "Send an end after the start, or leave it out.")
CONTRACT_TIME_OUT_OF_RANGE = refusal_kind(
    "contract_time_out_of_range",
    "A contract starts, ends or is anchored before 1970 or after 2261, where no event can be.",
    "Send a time in those years, or leave out the end of a contract that runs on.",
)
CONTRACT_QUANTITY_MISPLACED = refusal_kind(
    "contract_quantity_misplaced", "A metered item has a quantity, or a licensed one has none.", "Send a quantity for items without a meter only."
)
CONTRACT_ADVANCE_METERED = refusal_kind(
    "contract_advance_metered",
    "An item with a meter is to be billed in advance, when nothing has been used yet.",
    "Bill it in arrears, or give it a quantity in place of the meter.",
)
CONTRACT_ADVANCE_CHANGED = refusal_kind(
    "contract_advance_changed",
    "An item is billed in advance at one time of the contract and in arrears at another.",
    "Agree the item that is billed otherwise under another id.",
)
CONTRACT_TERM_MISSING = refusal_kind(
    "contract_term_missing", "A price accumulates over the contract's term, but the contract has none.", "Give the contract a term."
)
CONTRACT_METER_NEEDED = refusal_kind(
    "contract_meter_needed",
    "An item without a meter has a price that looks at single events.",
    "Give the item a meter in place of its quantity, or another price.",
)
CONTRACT_CHANGED = refusal_kind(
    "contract_changed",
    "A contract that has been billed is given another customer, currency, start, billing period or term.",
    "End the contract (ends_at) and send a new one under a new id; items, discounts and tax rates change by an amendment.",
)
CONTRACT_END_BILLED = refusal_kind(
    "contract_end_billed",
    "A contract is given an end by which a period or term that has been billed would get another length.",
    "Send an end at or after the end of what was billed, or remove the items by an amendment; to go on after an end, send a new contract.",
)
CONTRACT_AMENDED = refusal_kind(
    "contract_amended",
    "A contract document says other items, discounts or tax rates than before, and the contract has been amended since.",
    "Send what changes as a further amendment.",
)
CONTRACT_ITEM_UNKNOWN = refusal_kind(
    "contract_item_unknown",
    "An amendment changes or removes, or a discount lowers, an item that is not agreed at any time in the span.",
    "Name an item of the contract.",
)
CONTRACT_AMENDMENT_OUTSIDE = refusal_kind(
    "contract_amendment_outside", "An amendment holds at no time at which the contract has an agreement.", "Send a span inside the contract's."
)
