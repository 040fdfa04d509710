INSERT INTO source_checkpoints (account, mode, source, mark) VALUES (current_account(), current_mode(), %(source)s, %(mark)s)
ON CONFLICT (account, mode, source) DO UPDATE SET mark = excluded.mark
