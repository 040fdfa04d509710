SELECT l.key_hash::text, n.number, l.content
FROM document_lines l JOIN document_numbers n ON n.document = l.document
WHERE l.contract = %(contract)s AND NOT EXISTS (SELECT FROM document_voids v WHERE v.document = l.document)
ORDER BY n.sequence, l.n
