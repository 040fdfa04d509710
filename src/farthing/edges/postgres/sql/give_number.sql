-- The last statement that finalises: the next number of the series, and the next place in the order of finalisation.
WITH series AS (
    UPDATE number_series s SET head = s.head + 1
    FROM documents d
    WHERE d.id = %(document)s AND s.account = d.account AND s.mode = d.mode AND s.seller_entity = d.seller_entity AND s.series = d.kind
    RETURNING s.account, s.mode, s.seller_entity, s.series, s.head,
              s.prefix || lpad(s.head::text, greatest(6, length(s.head::text)), '0') AS number
), place AS (
    UPDATE document_heads h SET head = h.head + 1 FROM series WHERE h.account = series.account AND h.mode = series.mode RETURNING h.head
)
INSERT INTO document_numbers (account, mode, document, seller_entity, series, series_number, number, sequence)
SELECT series.account, series.mode, %(document)s, series.seller_entity, series.series, series.head, series.number, place.head
FROM series CROSS JOIN place RETURNING number
