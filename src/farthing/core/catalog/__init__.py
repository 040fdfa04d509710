"""Prices as documents and versions, and the terms on which they hold."""
