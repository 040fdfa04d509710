SELECT d.id, d.contract, d.kind, d.lines_apart, d.content, d.digest, d.pins, NULL AS number, NULL AS sequence,
       (SELECT coalesce(jsonb_agg(l.content ORDER BY l.n), '[]') FROM draft_lines l WHERE d.lines_apart AND l.document = d.id) AS lines
FROM drafts d WHERE %(contract)s::text IS NULL OR d.contract = %(contract)s ORDER BY d.created
