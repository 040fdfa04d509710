INSERT INTO contract_declarations
    (account, mode, contract, revision, customer, currency, active_start, active_end, document, agreement)
VALUES (current_account(), current_mode(), %(id)s, %(revision)s, %(customer)s, %(currency)s, %(start)s, %(end)s, %(document)s, %(agreement)s)
