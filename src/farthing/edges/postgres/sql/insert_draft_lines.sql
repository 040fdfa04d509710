INSERT INTO draft_lines (account, mode, document, n, id, content)
SELECT current_account(), current_mode(), %(document)s, n, id, content
FROM unnest(%(ids)s::text[], %(contents)b::jsonb[]) WITH ORDINALITY AS u (id, content, n)
