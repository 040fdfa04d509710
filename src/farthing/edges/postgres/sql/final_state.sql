SELECT d.digest, n.number FROM documents d JOIN document_numbers n ON n.document = d.id WHERE d.id = %(id)s
