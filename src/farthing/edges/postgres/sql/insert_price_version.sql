INSERT INTO price_versions (account, mode, revision, lineage, id, effective_start, effective_end, document)
VALUES (current_account(), current_mode(), %(revision)s, %(lineage)s, %(id)s, %(start)s, %(end)s, %(document)s)
