SELECT request, status, headers, body, created_at FROM idempotency WHERE key = %(key)s
