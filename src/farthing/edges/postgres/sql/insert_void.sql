INSERT INTO document_voids (account, mode, document, disposition, reason)
SELECT account, mode, id, %(disposition)s, %(reason)s FROM documents WHERE id = %(document)s
