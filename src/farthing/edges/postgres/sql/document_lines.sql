SELECT id, content FROM document_lines WHERE document = %(document)s ORDER BY n
