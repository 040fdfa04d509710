"""Farthing: usage in, proven and explained bills out."""
