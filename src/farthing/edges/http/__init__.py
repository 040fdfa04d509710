"""The HTTP service: it translates between the wire contract and the verbs, and decides nothing."""
