-- No row comes back when the id is taken; the transaction stays usable.
INSERT INTO resources (account, mode, kind, id, created, document, hidden, clock, due_at)
VALUES (current_account(), current_mode(), %(kind)s, %(id)s, %(created)s, %(document)s::jsonb, %(hidden)s::jsonb, %(clock)s, %(due_at)s)
ON CONFLICT DO NOTHING RETURNING place
