-- Events that count as known at position %(up_to)s: neither cancelled nor replaced by a fact at or below it. Unsorted.
-- Not run by itself: read_….sql and aside.sql put it in.
SELECT e.customer, b.first_position + e.ordinal AS position, e.at, e.identifier, e.event_name, e.payload
FROM event_batches b JOIN events e ON e.batch = b.batch
WHERE e.identifier IS NOT NULL AND e.at >= %(from)s AND e.at < %(until)s
  AND (%(event_name)s::text IS NULL OR e.event_name = %(event_name)s)
  AND (%(customers)s::text[] IS NULL OR e.customer = ANY (%(customers)s::text[]))
  AND b.first_position <= %(up_to)s AND b.first_position + e.ordinal <= %(up_to)s
  AND NOT EXISTS (
      SELECT FROM event_cancels c JOIN event_batches cb ON cb.batch = c.batch
      WHERE c.account = e.account AND c.mode = e.mode AND c.target = e.identifier AND c.event_name = e.event_name
        AND cb.first_position + c.ordinal <= %(up_to)s)
  AND NOT EXISTS (
      SELECT FROM event_replacements r JOIN event_batches rb ON rb.batch = r.batch
      WHERE r.account = e.account AND r.mode = e.mode AND r.target = e.identifier
        AND rb.first_position + r.ordinal <= %(up_to)s)
