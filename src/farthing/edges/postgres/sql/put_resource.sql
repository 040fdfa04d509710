UPDATE resources SET document = %(document)s::jsonb, hidden = %(hidden)s::jsonb, deleted = %(deleted)s, clock = %(clock)s, due_at = %(due_at)s
WHERE kind = %(kind)s AND id = %(id)s RETURNING place
