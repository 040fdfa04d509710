"""The wire contract: which operations there are, how their parameters are read, and which shapes their answers have."""
