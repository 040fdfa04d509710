DELETE FROM idempotency WHERE (account, mode, key) IN (
    SELECT account, mode, key FROM idempotency WHERE created_at <= %(up_to)s ORDER BY created_at LIMIT %(limit)s
)
