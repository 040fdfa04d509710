-- What stands in braces is put in by resources.py. Rows come in the order of the list, or against it.
SELECT kind, id, created, place, document::text, deleted, clock, due_at, hidden::text FROM resources
WHERE kind = %(kind)s AND NOT deleted AND {conditions}
ORDER BY created {direction}, place {direction} LIMIT %(limit)s
