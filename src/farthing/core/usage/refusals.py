"""Refusals of meters: documents that do not say how to measure."""

from farthing.core.base.refusal import refusal_kind

AGGREGATION_MISSING = refusal_kind(
    "aggregation_missing", "A meter says neither by default_aggregation nor by ext.aggregation how to measure.", 'Add ext.aggregation, such as "sum".'
)
AGGREGATIONS_DIFFER = refusal_kind(
    "aggregations_differ", "default_aggregation and ext.aggregation name different aggregations.", "Send one of them, or the same in both."
)
CUSTOMER_MAPPING_UNSUPPORTED = refusal_kind(
    "customer_mapping_unsupported",
    "A meter wants its customer from another payload field; here every event names its customer in the same place.",
    "Send the customer in payload.stripe_customer_id, or map the column when the file is ingested.",
)
PERCENTILE_OUT_OF_RANGE = refusal_kind("percentile_out_of_range", "A percentile is not above 0 and at most 100.", "Send a number such as 95.")
SETTING_UNUSED = refusal_kind(
    "setting_unused",
    "A meter has a setting that its aggregation never reads, so one of the two is a mistake.",
    "Remove it, or choose its aggregation.",
)
WINDOW_COUNT_INVALID = refusal_kind(
    "window_count_invalid",
    "Buckets of that length do not repeat evenly: hours must divide a day, months a year, and no count may be above 1,440 minutes or 366 days.",
    "Choose another count.",
)
