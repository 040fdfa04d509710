SELECT key_hash::text, sum(amount)::bigint FROM document_lines
WHERE contract = %(contract)s AND key_hash = ANY (%(keys)s::uuid[]) GROUP BY key_hash
