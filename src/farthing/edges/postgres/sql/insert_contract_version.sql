INSERT INTO contract_versions (account, mode, contract, revision, effective_start, effective_end, agreement)
VALUES (current_account(), current_mode(), %(id)s, %(revision)s, %(start)s, %(end)s, %(agreement)s)
