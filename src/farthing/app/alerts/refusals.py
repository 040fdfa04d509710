"""Refusals of alerts."""

from farthing.core.base.refusal import refusal_kind

ALERT_THRESHOLD = refusal_kind("alert_threshold", "An alert has no threshold above zero.", "Send usage_threshold[gte], a whole number of at least 1.")
ALERT_FILTER = refusal_kind(
    "alert_filter", "An alert is not for exactly one customer.", "Send one entry of usage_threshold[filters], with type=customer and a customer."
)
ALERT_METER = refusal_kind(
    "alert_meter",
    "An alert is about a meter that takes no more events, or one with no single figure over an open time: by level, by windows, or by groups.",
    "Send an active meter that sums or counts, or a plain one without groups.",
)
ALERT_ARCHIVED = refusal_kind("alert_archived", "The alert is archived, and stays so.", "Make another one.")
ALERT_STATUS = refusal_kind("alert_status", "The alert is active already, or inactive already.", "Read its status first.")
