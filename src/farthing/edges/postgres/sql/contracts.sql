SELECT coalesce(d.document, c.document), v.effective_start, v.effective_end, v.revision, v.agreement
FROM contracts c
LEFT JOIN LATERAL (SELECT * FROM contract_declarations WHERE contract = c.id ORDER BY revision DESC LIMIT 1) d ON true
JOIN contract_versions v ON v.account = c.account AND v.mode = c.mode AND v.contract = c.id
WHERE %(customer)s::text IS NULL OR coalesce(d.customer, c.customer) = %(customer)s
ORDER BY c.id COLLATE "C", v.revision
