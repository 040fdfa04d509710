-- No row comes back when the hash or the id is taken, by whomever.
INSERT INTO api_keys (account, mode, id, hash, kind, shown, permissions, created_at, expires_at)
VALUES (current_account(), current_mode(), %(id)s, %(hash)s, %(kind)s, %(shown)s, %(permissions)s, %(created_at)s, %(expires_at)s)
ON CONFLICT DO NOTHING RETURNING id
