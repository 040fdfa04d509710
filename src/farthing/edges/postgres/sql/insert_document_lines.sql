INSERT INTO document_lines (account, mode, document, n, id, contract, key_hash, amount, content)
SELECT current_account(), current_mode(), %(document)s, n, id, %(contract)s, key, amount, content
FROM unnest(%(ids)s::text[], %(keys)s::uuid[], %(amounts)s::bigint[], %(contents)b::jsonb[]) WITH ORDINALITY AS u (id, key, amount, content, n)
