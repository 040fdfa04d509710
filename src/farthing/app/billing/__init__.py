"""Subscriptions and their invoices: contracts as the API speaks of them, and the documents that the flow makes of them."""
