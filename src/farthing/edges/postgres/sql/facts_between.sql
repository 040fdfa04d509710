-- Facts at positions (%(after)s, %(up_to)s] about some customers' events of times before %(before)s: the events, and what cancels or
-- replaces one of them. The target stands beside its fact once it is known itself; a cancellation is about a target that has the
-- event_name it states.
SELECT f.position, f.identifier, f.target, f.event_name, f.customer, f.at, f.payload::text,
       t.position, t.identifier, t.event_name, t.customer, t.at, t.payload::text
FROM (
    SELECT e.*, b.first_position + e.ordinal AS position
    FROM event_batches b JOIN events e ON e.batch = b.batch
    WHERE b.first_position <= %(up_to)s AND b.first_position + b.facts > %(after)s
      AND b.first_position + e.ordinal > %(after)s AND b.first_position + e.ordinal <= %(up_to)s
) AS f
LEFT JOIN LATERAL (
    SELECT e.*, b.first_position + e.ordinal AS position
    FROM event_ids i JOIN events e ON e.batch = i.batch AND e.ordinal = i.ordinal JOIN event_batches b ON b.batch = i.batch
    WHERE i.account = f.account AND i.mode = f.mode AND i.identifier = f.target
      AND (f.identifier IS NOT NULL OR e.event_name = f.event_name)
      AND b.first_position + e.ordinal <= %(up_to)s
) AS t ON f.target IS NOT NULL
WHERE (f.customer = ANY (%(customers)s::text[]) AND f.at < %(before)s) OR (t.customer = ANY (%(customers)s::text[]) AND t.at < %(before)s)
ORDER BY f.position
