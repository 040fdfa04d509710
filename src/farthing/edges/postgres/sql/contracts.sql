SELECT c.document, v.effective_start, v.effective_end, v.revision, v.agreement
FROM contracts c JOIN contract_versions v ON v.account = c.account AND v.mode = c.mode AND v.contract = c.id
WHERE %(customer)s::text IS NULL OR c.customer = %(customer)s
ORDER BY c.id COLLATE "C", v.revision
