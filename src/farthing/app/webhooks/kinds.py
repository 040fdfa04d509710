"""The kind of webhook endpoints, and the name of deliveries, which the API does not show."""

from farthing.app.resources.kinds import kind

ENDPOINT = kind("webhook_endpoint", "we_", "/v1/webhook_endpoints")
DELIVERY = "webhook_delivery"
