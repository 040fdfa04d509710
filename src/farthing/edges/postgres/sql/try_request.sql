-- Whether nobody else is at work on a request with this key. The lock goes when the transaction ends, after its rows are visible.
SELECT pg_try_advisory_xact_lock(hashtextextended(current_account() || ' ' || current_mode() || ' ' || %(key)s, 4871330251))
