"""Customers as the API keeps them, and their tax ids."""
