SELECT kind, id, created, place, document::text, deleted, clock, due_at, hidden::text FROM resources
WHERE kind = %(kind)s AND NOT deleted AND due_at <= %(up_to)s AND clock IS NULL
ORDER BY due_at, place LIMIT %(limit)s FOR UPDATE SKIP LOCKED
