"""Posts webhooks to the servers of others, and to nobody else's."""
