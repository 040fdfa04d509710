INSERT INTO contracts (account, mode, id, customer, currency, active_start, active_end, document)
VALUES (current_account(), current_mode(), %(id)s, %(customer)s, %(currency)s, %(start)s, %(end)s, %(document)s)
