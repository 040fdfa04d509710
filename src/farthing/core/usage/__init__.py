"""Meters: events → quantity (filter, aggregation, group-by)."""
