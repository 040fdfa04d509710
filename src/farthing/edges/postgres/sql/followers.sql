-- The bills that became final after a document, are not void, and have lines with one of its charge keys.
SELECT DISTINCT later.number, later.sequence
FROM document_lines own JOIN document_lines l ON l.contract = own.contract AND l.key_hash = own.key_hash
JOIN document_numbers later ON later.document = l.document JOIN document_numbers this ON this.document = own.document
WHERE own.document = %(document)s AND later.sequence > this.sequence
  AND NOT EXISTS (SELECT FROM document_voids v WHERE v.document = l.document)
ORDER BY later.sequence
