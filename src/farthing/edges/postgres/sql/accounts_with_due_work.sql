SELECT account, mode::text FROM accounts_with_due_work(%(kinds)s, %(up_to)s)
