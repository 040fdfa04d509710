"""Meters and usage as resources: how usage is declared, recorded, taken back and summed up."""
