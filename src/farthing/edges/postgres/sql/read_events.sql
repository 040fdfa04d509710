SELECT customer, position, at, identifier, payload::text FROM ([[effective]]) AS effective ORDER BY [[order]]
