"""Refusals of resources that are the same for every kind."""

from farthing.core.base.refusal import refusal_kind

RESOURCE_MISSING = refusal_kind("resource_missing", "No resource has this id, in this account and mode.", "Send the id of one that exists.")
RESOURCE_EXISTS = refusal_kind("resource_already_exists", "A resource with this id exists already.", "Send another id, or none.")
API_KEY_MALFORMED = refusal_kind(
    "api_key_malformed",
    "An API key does not look like one.",
    "Write it as sk_test_, sk_live_, rk_test_, rk_live_, pk_test_ or pk_live_ and 24 to 200 letters and digits that nobody can guess.",
)
API_KEY_OTHER_MODE = refusal_kind(
    "api_key_other_mode", "The API key's prefix names the other mode, test or live.", "Register it in the mode that its prefix names."
)
API_KEY_TAKEN = refusal_kind("api_key_taken", "This API key is registered already, for something else.", "Make a new key.")
API_KEY_REVOKED = refusal_kind("api_key_revoked", "This API key was revoked, and is never valid again.", "Make a new key.")
API_KEY_UNKNOWN = refusal_kind("api_key_unknown", "The account has no API key of this id in this mode.", "List the keys; each is shown with its id.")
API_KEY_PERMISSIONS = refusal_kind(
    "api_key_permissions_invalid",
    "The permissions of an API key are not read or write by resource, or it is no restricted key.",
    'Give a restricted key (rk_…) "read" or "write" for each resource that it may use, and other keys none.',
)
IDEMPOTENCY_KEY_INVALID = refusal_kind(
    "idempotency_key_invalid",
    "An idempotency key is empty, longer than 255 characters, or cannot be stored.",
    "Send a UUID, a new one for each request.",
)
