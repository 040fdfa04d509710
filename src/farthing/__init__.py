"""Farthing: usage in, proven and explained bills out."""

__version__ = "0.1.0"
