"""Refusals of meters and of usage that is recorded by the API."""

from farthing.core.base.refusal import refusal_kind

METER_EVENT_NAME_TAKEN = refusal_kind(
    "meter_event_name_taken",
    "Another active meter takes the events of this name; two would count the same usage twice.",
    "Deactivate that meter, or send another event_name.",
)
METER_KEYS_EQUAL = refusal_kind(
    "meter_keys_equal", "A meter would read the customer and the value from one field of the payload.", "Name two different fields."
)
NO_METER = refusal_kind("no_meter", "No meter takes events of this name.", "Create a meter with this event_name, or correct the name.")
ARCHIVED_METER = refusal_kind("archived_meter", "The meter that takes events of this name is inactive.", "Reactivate the meter, or stop sending.")
TIMESTAMP_TOO_OLD = refusal_kind(
    "timestamp_too_far_in_past",
    "An event's time is more than 35 days ago, which the API does not take.",
    "Send events within 35 days; older ones can be loaded from a file (farthing ingest).",
)
TIMESTAMP_IN_FUTURE = refusal_kind(
    "timestamp_in_future", "An event's time is more than 5 minutes ahead of the service's clock.", "Set the clock right, or send the time of use."
)
EVENT_CUSTOMER_MISSING = refusal_kind(
    "meter_event_no_customer_defined",
    "The payload has no customer in the field where the meter looks for it.",
    "Send the customer's id in the field named.",
)
EVENT_VALUE_MISSING = refusal_kind(
    "meter_event_value_not_found", "The payload has no value in the field that the meter measures.", "Send the value in the field named."
)
SUMMARY_RANGE_INVALID = refusal_kind(
    "summary_range_invalid",
    "The times of a summary are in the wrong order, not at full minutes, or not at the bounds of its windows.",
    "Send start_time before end_time, both at full minutes, hours or UTC days, as the grouping window wants.",
)
SUMMARY_CURSOR_UNKNOWN = refusal_kind(
    "summary_cursor_unknown", "A cursor is no summary of this list.", "Send the id of a summary from the page before, with the same parameters."
)
METER_GROUPED = refusal_kind(
    "meter_grouped",
    "The meter measures each group of its group_by apart, and its aggregation has no figure for all of them together.",
    "Read the figures of its groups from the bill or its explanation.",
)
