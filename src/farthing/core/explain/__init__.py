"""Explanations: an amount unfolded in plain language and exact numbers, made only from the trace."""
