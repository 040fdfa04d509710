"""Refusals of webhooks."""

from farthing.core.base.refusal import refusal_kind

WEBHOOK_URL_INVALID = refusal_kind(
    "webhook_url_invalid",
    "The address of a webhook endpoint is no address that can be posted to.",
    "Send https://host/path, in test mode also http://; without a user name, a password or a fragment.",
)
WEBHOOK_VERSION_UNSUPPORTED = refusal_kind(
    "webhook_version_unsupported", "Events are not sent in this version of the API.", "Leave api_version out, or send the one that answers have."
)
WEBHOOK_ENDPOINTS_TOO_MANY = refusal_kind(
    "webhook_endpoints_too_many", "The account has as many webhook endpoints in this mode as it may.", "Delete one that is not needed any more."
)
EVENT_NOT_SENT = refusal_kind(
    "event_not_sent", "The event cannot be sent to an endpoint: there is none for it.", "Name an endpoint that is enabled for the event's type."
)
