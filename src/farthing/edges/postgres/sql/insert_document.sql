INSERT INTO documents (account, mode, id, contract, kind, seller_entity, period_start, period_end, ordinal, lines_apart, content, digest, pins)
SELECT c.account, c.mode, %(id)s, c.id, %(kind)s, c.seller_entity, %(start)s, %(end)s,
       (SELECT count(*) FROM documents d
        WHERE d.contract = c.id AND d.kind = %(kind)s AND d.period_start = %(start)s AND d.period_end = %(end)s),
       %(lines_apart)s, %(content)s, %(digest)s, %(pins)s
FROM contracts c WHERE c.id = %(contract)s
