SELECT id, hash, kind, shown, created_at, permissions, expires_at, revoked_at FROM api_keys ORDER BY created_at DESC, id
