-- Events that the log took under these identifiers, with when it took them; replacements are none of them.
SELECT e.identifier, e.event_name, e.customer, e.at, e.payload, b.first_position + e.ordinal,
       (extract(epoch FROM b.recorded_at) * 1000000)::bigint
FROM unnest(%(identifiers)s::text[]) AS u (name)
JOIN event_ids i ON i.account = (SELECT current_account()) AND i.mode = (SELECT current_mode()) AND i.identifier = u.name
JOIN events e ON e.batch = i.batch AND e.ordinal = i.ordinal
JOIN event_batches b ON b.batch = i.batch
WHERE e.target IS NULL
