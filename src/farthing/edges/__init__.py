"""The edges: they translate between the world and the verbs; they don't decide."""
