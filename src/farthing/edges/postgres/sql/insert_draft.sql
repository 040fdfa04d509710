INSERT INTO drafts (account, mode, id, contract, kind, lines_apart, content, digest, pins)
VALUES (current_account(), current_mode(), %(id)s, %(contract)s, %(kind)s, %(lines_apart)s, %(content)s, %(digest)s, %(pins)s)
