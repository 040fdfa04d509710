SELECT account, mode::text, id, kind, shown, created_at, permissions, expires_at, revoked_at FROM find_api_key(%(hash)s)
