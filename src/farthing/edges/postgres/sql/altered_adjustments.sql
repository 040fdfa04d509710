-- Targets whose cancellation or replacement stands in the log but not in its registry, or the other way round.
SELECT coalesce(c.target, e.target) FROM event_cancels c
FULL JOIN (SELECT * FROM events WHERE identifier IS NULL) AS e
    ON e.batch = c.batch AND e.ordinal = c.ordinal AND e.target = c.target AND e.event_name = c.event_name
WHERE c.batch IS NULL OR e.batch IS NULL
UNION
SELECT coalesce(r.target, e.target) FROM event_replacements r
FULL JOIN (SELECT * FROM events WHERE identifier IS NOT NULL AND target IS NOT NULL) AS e
    ON e.batch = r.batch AND e.ordinal = r.ordinal AND e.target = r.target AND e.identifier = r.identifier
WHERE r.batch IS NULL OR e.batch IS NULL
ORDER BY 1
