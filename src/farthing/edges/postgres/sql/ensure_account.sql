-- Runs under the migrator's advisory lock: the second of two callers finds what the first one created.
SELECT coalesce((SELECT id FROM accounts WHERE name = %(name)s), create_account(%(name)s))
