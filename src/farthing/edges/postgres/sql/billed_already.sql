-- The invoice that bills the same period of a contract already, or the same items in advance, unless it is void and due again.
SELECT n.number FROM documents d JOIN document_numbers n ON n.document = d.id LEFT JOIN document_voids v ON v.document = d.id
WHERE d.contract = %(contract)s AND d.kind = 'invoice' AND v.disposition IS DISTINCT FROM 'reissue'
  AND ((d.pins -> 'period' = %(period)s AND NOT (d.pins ->> 'part')::boolean) OR d.pins -> 'ahead' = %(ahead)s)
LIMIT 1
