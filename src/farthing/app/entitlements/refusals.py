"""Refusals of entitlements."""

from farthing.core.base.refusal import refusal_kind

FEATURE_KEY_TAKEN = refusal_kind("feature_lookup_key_taken", "Another feature has this lookup key.", "Send another lookup_key.")
FEATURE_ARCHIVED = refusal_kind("feature_archived", "The feature is archived, and is attached to no further product.", "Make it active again first.")
FEATURE_ATTACHED = refusal_kind("feature_attached", "The product has this feature already, or as many as it can.", "Send another feature.")
