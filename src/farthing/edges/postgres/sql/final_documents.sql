-- A page of finalised documents in order of finalisation, or the one with an id.
SELECT d.id, d.contract, d.kind, d.lines_apart, d.content, d.digest, d.pins, n.number, n.sequence,
       (SELECT coalesce(jsonb_agg(l.content ORDER BY l.n), '[]') FROM document_lines l WHERE d.lines_apart AND l.document = d.id) AS lines
FROM document_numbers n JOIN documents d ON d.id = n.document
WHERE n.sequence > %(after)s AND (%(contract)s::text IS NULL OR d.contract = %(contract)s) AND (%(id)s::text IS NULL OR d.id = %(id)s)
ORDER BY n.sequence LIMIT %(page)s
