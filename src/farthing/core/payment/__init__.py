"""Payments: what may happen to one, what can be captured and given back, why one is declined, and what its processing costs."""
