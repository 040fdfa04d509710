COPY staged_facts (ordinal, hash, identifier, target, event_name, customer, at, payload) FROM STDIN
