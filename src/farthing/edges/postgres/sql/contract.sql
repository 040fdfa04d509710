-- A contract as it was declared last; `revision` and `agreement` are null where that is the first time.
SELECT coalesce(d.document, c.document), d.revision, d.agreement
FROM contracts c
LEFT JOIN LATERAL (SELECT * FROM contract_declarations WHERE contract = c.id ORDER BY revision DESC LIMIT 1) d ON true
WHERE c.id = %(id)s
