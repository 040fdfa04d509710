INSERT INTO grants (account, mode, id, customer, currency, applies, priority, amount, remaining)
VALUES (current_account(), current_mode(), %(id)s, %(customer)s, %(currency)s, %(applies)s, %(priority)s, %(amount)s, %(amount)s)
ON CONFLICT DO NOTHING RETURNING id
