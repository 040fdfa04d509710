-- The invoice that bills the same period of a contract already, unless it is void and what it billed is due again.
SELECT n.number FROM documents d JOIN document_numbers n ON n.document = d.id LEFT JOIN document_voids v ON v.document = d.id
WHERE d.contract = %(contract)s AND d.kind = 'invoice' AND d.period_start = %(start)s AND d.period_end = %(end)s
  AND d.pins -> 'period' <> 'null' AND NOT (d.pins ->> 'part')::boolean AND v.disposition IS DISTINCT FROM 'reissue'
LIMIT 1
