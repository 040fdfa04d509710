INSERT INTO idempotency (account, mode, key, request, status, headers, body, created_at)
VALUES (current_account(), current_mode(), %(key)s, %(request)s, %(status)s, %(headers)s, %(body)s, %(created_at)s)
