-- What the log holds that facts which name these identifiers and targets may meet: events, cancellations, replacements, and the
-- replacements of those, as far as they go. UNION, so that what is reached twice is followed once.
WITH RECURSIVE named AS MATERIALIZED (
    SELECT name, current_account() AS account, current_mode() AS mode FROM unnest(%(names)s::text[]) AS u (name)
), replaced AS (
    SELECT r.account, r.mode, r.target, r.identifier
    FROM named JOIN event_replacements r ON r.account = named.account AND r.mode = named.mode AND r.target = named.name
    UNION
    SELECT r.account, r.mode, r.target, r.identifier
    FROM replaced JOIN event_replacements r ON r.account = replaced.account AND r.mode = replaced.mode AND r.target = replaced.identifier
)
SELECT 'event' AS kind, i.identifier AS name, i.hash::text AS content, e.event_name AS other
FROM named JOIN event_ids i ON i.account = named.account AND i.mode = named.mode AND i.identifier = named.name
JOIN events e ON e.batch = i.batch AND e.ordinal = i.ordinal
UNION ALL
SELECT 'cancel', c.target, NULL, c.event_name
FROM named JOIN event_cancels c ON c.account = named.account AND c.mode = named.mode AND c.target = named.name
UNION ALL
SELECT 'replacement', target, NULL, identifier FROM replaced
