"""For tests of Farthing and of what is built on it: the store in memory, builders, Hypothesis strategies."""
