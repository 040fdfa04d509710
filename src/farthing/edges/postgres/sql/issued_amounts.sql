SELECT l.key_hash::text, sum(l.amount)::bigint FROM document_lines l
WHERE l.contract = %(contract)s AND l.key_hash = ANY (%(keys)s::uuid[])
  AND NOT EXISTS (SELECT FROM document_voids v WHERE v.document = l.document)
GROUP BY l.key_hash
