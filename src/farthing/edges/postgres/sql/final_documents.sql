-- A page of finalised documents in order of finalisation, or the one with an id or a number; those that became void say how. Bare ones
-- have no content.
SELECT d.id, d.contract, d.kind, d.lines_apart AND NOT %(bare)s, CASE WHEN %(bare)s THEN '{}' ELSE d.content END, d.digest, d.pins, n.number, n.sequence,
       (SELECT coalesce(jsonb_agg(l.content ORDER BY l.n), '[]') FROM document_lines l WHERE d.lines_apart AND NOT %(bare)s AND l.document = d.id) AS lines,
       v.disposition, v.reason
FROM document_numbers n JOIN documents d ON d.id = n.document LEFT JOIN document_voids v ON v.document = d.id
WHERE n.sequence > %(after)s AND (%(contract)s::text IS NULL OR d.contract = %(contract)s)
  AND (%(id)s::text IS NULL OR d.id = %(id)s) AND (%(number)s::text IS NULL OR n.number = %(number)s)
ORDER BY n.sequence LIMIT %(page)s
