"""Refusals of rating: what a price cannot be applied to."""

from farthing.core.base.refusal import refusal_kind

QUANTITY_NEGATIVE = refusal_kind(
    "quantity_negative",
    "A price with tiers, blocks, steps or an allowance was given a negative quantity, for which it has no meaning.",
    "Correct the events, or use a per-unit price, which credits negative quantities.",
)
EVENTS_NEEDED = refusal_kind(
    "events_needed", "The price looks at single events, so a quantity alone cannot be rated.", 'Send "events" instead of "quantity".'
)
EVENT_VALUE_UNREADABLE = refusal_kind(
    "event_value_unreadable",
    "An event lacks a number that its price or meter needs, or has a negative one where only zero or more makes sense.",
    "Send the property as a decimal number of zero or more.",
)
EVENT_UNMATCHED = refusal_kind(
    "event_unmatched", "No rule or cell of the price takes the event.", "Add a rule or a default to the price, or correct the event's properties."
)
EVENT_TIME_MISSING = refusal_kind(
    "event_time_missing",
    "An event has no time although its price depends on it, or although other events of the same line have one.",
    'Add "timestamp" to every payload.',
)
AMOUNT_TOO_LARGE = refusal_kind(
    "amount_too_large", "The amount has more than 18 digits in minor units, beyond what books and wire carry.", "Check the price and the quantity."
)
