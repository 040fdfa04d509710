-- The document and content of a line, by its id, or by the document's number and the line's place; final before draft.
SELECT document, content, true AS final FROM document_lines WHERE id = %(id)s
UNION ALL
SELECT l.document, l.content, true FROM document_numbers n JOIN document_lines l ON l.document = n.document
WHERE n.number = %(document)s AND l.n = %(n)s
UNION ALL
SELECT document, content, false FROM draft_lines WHERE id = %(id)s
LIMIT 1
