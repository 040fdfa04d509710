-- For each customer and each combination of the properties in %(carry_by)s (NULL where absent) the latest event before %(from)s; where
-- %(carry_number)s is plainly a number apart from each other text that it is, so that the latest that can be read is among them.
-- Not run by itself either; effective_events.sql over the time before is put in.
SELECT DISTINCT ON (customer, combination) customer, position, at, identifier, event_name, payload
FROM (
    SELECT *, ARRAY(SELECT payload ->> name FROM unnest(%(carry_by)s::text[]) WITH ORDINALITY AS u (name, n) ORDER BY n)
        || CASE WHEN payload ->> %(carry_number)s::text ~ '^[+-]?[0-9]{1,20}([.][0-9]{0,18})?$' THEN 'plain'
           ELSE 'text ' || (payload ->> %(carry_number)s::text) END AS combination
    FROM ([[before]]) AS before
) AS grouped
ORDER BY customer, combination, at DESC, position DESC
