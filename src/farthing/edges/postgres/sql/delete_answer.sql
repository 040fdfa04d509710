DELETE FROM idempotency WHERE key = %(key)s
