"""Contracts: which prices hold for which customer, when, on which terms. A contract resolves to terms."""
