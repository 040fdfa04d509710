-- Waits for a transaction that has taken the name and is not over yet.
INSERT INTO claims (account, mode, scope, name, owner) VALUES (current_account(), current_mode(), %(scope)s, %(name)s, %(owner)s)
ON CONFLICT DO NOTHING RETURNING owner
