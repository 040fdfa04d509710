SELECT kind, id, created, place, document::text, deleted, clock, due_at, hidden::text FROM resources WHERE kind = %(kind)s AND id = %(id)s
