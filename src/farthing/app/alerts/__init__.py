"""Alerts: what is told when a customer's usage reaches a threshold."""
