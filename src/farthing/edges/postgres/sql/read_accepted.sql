-- Every event beside its entry in the id registry, and what stands on one side only.
SELECT coalesce(i.identifier, e.identifier) AS identifier, i.hash::text AS hash, e.target, e.event_name, e.customer, e.at, e.payload::text AS payload
FROM event_ids i
FULL JOIN (SELECT * FROM events WHERE identifier IS NOT NULL) AS e
    ON e.batch = i.batch AND e.ordinal = i.ordinal AND e.identifier = i.identifier
