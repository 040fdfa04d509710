INSERT INTO refused_facts (account, mode, code, subject, hash, document, message)
VALUES (current_account(), current_mode(), %(code)s, %(subject)s, %(hash)s, %(document)s, %(message)s)
ON CONFLICT DO NOTHING
