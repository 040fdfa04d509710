SELECT l.key_hash::text, n.number, l.content
FROM document_lines l JOIN document_numbers n ON n.document = l.document
WHERE l.contract = %(contract)s ORDER BY n.sequence, l.n
