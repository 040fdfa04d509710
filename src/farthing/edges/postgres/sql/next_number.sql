INSERT INTO series AS s (account, mode, name, head) VALUES (current_account(), current_mode(), %(name)s, 1)
ON CONFLICT (account, mode, name) DO UPDATE SET head = s.head + 1 RETURNING head
