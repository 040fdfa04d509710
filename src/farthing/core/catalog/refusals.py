"""Refusals of price documents: each says what is wrong with the document, not with the usage that it would rate."""

from farthing.core.base.refusal import refusal_kind

AMOUNT_TOO_PRECISE = refusal_kind(
    "amount_too_precise", "An amount has more than 12 decimals of a minor unit.", "Send at most 12 decimals, or price a larger unit."
)
PRICE_FIELD_UNSUPPORTED = refusal_kind(
    "price_field_unsupported",
    "A field of the wire's price that would change the amount, but that nothing here rates.",
    "Remove the field; make a price for each currency.",
)
MODELS_CONFLICT = refusal_kind("models_conflict", "The document names more than one pricing model.", "Keep the fields of one model.")
TIERS_EMPTY = refusal_kind("tiers_empty", "There is no tier.", 'Send at least one tier, the last with "up_to": "inf".')
TIERS_OVERLAP = refusal_kind(
    "tiers_overlap", "A tier ends at or below the end of the tier before it, so the two overlap.", "Send tiers with rising upper bounds."
)
TIERS_NO_END = refusal_kind(
    "tiers_no_end", "The last tier has an upper bound, so quantities above it would have no price.", 'Give the last tier "up_to": "inf".'
)
TIERS_AFTER_END = refusal_kind("tiers_after_end", "A tier without end stands before the last one.", 'Keep "up_to": "inf" for the last tier.')
BOUNDS_REVERSED = refusal_kind("bounds_reversed", "A minimum is above the maximum that belongs to it.", "Lower the minimum or raise the maximum.")
RULES_NO_DEFAULT = refusal_kind(
    "rules_no_default", "The last rule has a condition, so that some events would have no fee.", 'Add a last rule without "when".'
)
RULE_UNREACHABLE = refusal_kind(
    "rule_unreachable", "A rule, cell or band can never be reached, because what stands before it takes every event.", "Reorder or remove it."
)
LABEL_REPEATED = refusal_kind("label_repeated", "Two rules, cells or bands have the same label.", "Give each its own label.")
BAND_HOURS_INVALID = refusal_kind(
    "band_hours_invalid",
    "Hours of a band could not be read.",
    'Write days as "mon" … "sun" and times as "HH:MM", "from" before "to" ("24:00" at the latest); split hours that cross midnight.',
)
BANDS_OVERLAP = refusal_kind("bands_overlap", "Two spans of the week claim the same minute.", "Make the spans disjoint.")
BANDS_INCOMPLETE = refusal_kind("bands_incomplete", "The bands leave hours of the week without a price.", 'Add "rest", or cover the whole week.')
MODIFIER_NOT_APPLICABLE = refusal_kind(
    "modifier_not_applicable", "A modifier has no meaning on this price.", "Remove it; docs/pricing.md has a table of what goes together."
)
