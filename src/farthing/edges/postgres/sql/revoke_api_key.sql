UPDATE api_keys SET revoked_at = coalesce(revoked_at, %(at)s) WHERE id = %(id)s
RETURNING id, hash, kind, shown, created_at, permissions, expires_at, revoked_at
