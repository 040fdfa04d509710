SELECT account, mode::text FROM accounts_with_answers(%(up_to)s)
