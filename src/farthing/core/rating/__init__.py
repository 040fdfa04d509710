"""Rating: usage and a price → an exact amount with its trace. Models lower to one small program; one interpreter runs it."""
