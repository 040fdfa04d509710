SELECT disposition FROM document_voids WHERE document = %(document)s
