-- For each customer and each combination of the properties in %(carry_by)s ('' where absent) the latest event before %(from)s.
-- Not run by itself either; effective_events.sql over the time before is put in.
SELECT DISTINCT ON (customer, combination) customer, position, at, identifier, event_name, payload
FROM (
    SELECT *, ARRAY(SELECT coalesce(payload ->> name, '') FROM unnest(%(carry_by)s::text[]) WITH ORDINALITY AS u (name, n) ORDER BY n) AS combination
    FROM ([[before]]) AS before
) AS grouped
ORDER BY customer, combination, at DESC, position DESC
